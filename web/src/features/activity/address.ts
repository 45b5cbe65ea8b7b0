// The state of the screen in the address bar: query, range and the selected event. Whatever else the URL has stays.
import { ALL, parseRange, printRange, type Range } from "./range";

export interface Address {
  query: string;
  range: Range;
  /** The Log ID of the event in the detail panel. */
  event: string | null;
}

export function parseAddress(search: string): Address {
  const set = new URLSearchParams(search);
  return { query: set.get("q") ?? "", range: parseRange(set.get("range")), event: set.get("event") || null };
}

/** The query string of `address`, with what `search` has of other names; empty when there is nothing to say. */
export function printAddress(address: Address, search = ""): string {
  const set = new URLSearchParams(search);
  const put = (name: string, value: string) => (value === "" ? set.delete(name) : set.set(name, value));
  put("q", address.query);
  put("range", printRange(address.range) === printRange(ALL) ? "" : printRange(address.range));
  put("event", address.event ?? "");
  const text = set.toString();
  return text === "" ? "" : `?${text}`;
}
