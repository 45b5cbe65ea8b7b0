// The state of the activity in the address bar: query, range, order, columns and the selected event. Whatever else the URL has stays.
import { parseRange, printRange, type Range } from "./range";

export interface Address {
  query: string;
  /** Null is what the policy shows by default. */
  range: Range | null;
  order: "desc" | "asc";
  /** Column ids; null is what this reader or the policy has. */
  columns: string[] | null;
  /** The Log ID of the event in the detail panel. */
  event: string | null;
  /** Whether events that only read are asked for where the policy leaves them out. */
  reads: boolean;
  /** The saved view that the list was opened from. */
  view: string | null;
}

/** Ids of columns have no comma: the policy refuses them, and paths of events have none. */
const SEPARATOR = ",";
const COLUMNS_MAX = 100;

export function parseAddress(search: string): Address {
  const set = new URLSearchParams(search);
  const columns = (set.get("columns") ?? "").split(SEPARATOR).filter((id) => id !== "");
  return {
    query: set.get("q") ?? "",
    range: parseRange(set.get("range")),
    order: set.get("order") === "asc" ? "asc" : "desc",
    columns: columns.length === 0 ? null : [...new Set(columns)].slice(0, COLUMNS_MAX),
    event: set.get("event") || null,
    reads: set.get("reads") === "1",
    view: set.get("view") || null,
  };
}

/** The query string of `address`, with what `search` has of other names; empty when there is nothing to say. */
export function printAddress(address: Address, search = ""): string {
  const set = new URLSearchParams(search);
  const put = (name: string, value: string) => (value === "" ? set.delete(name) : set.set(name, value));
  put("q", address.query);
  put("range", address.range === null ? "" : printRange(address.range));
  put("order", address.order === "asc" ? "asc" : "");
  put("columns", (address.columns ?? []).join(SEPARATOR));
  put("event", address.event ?? "");
  put("reads", address.reads ? "1" : "");
  put("view", address.view ?? "");
  const text = set.toString();
  return text === "" ? "" : `?${text}`;
}
