// The file that a reader asks for: which of the server's files it is, with what parameters, and what it is called.
import { own } from "../../event/own";
import type { Filters, Policy } from "../../api/contract";

/** By their names in the server's paths. */
export const FORMATS = ["csv", "jsonl", "evidence"] as const;
export type Format = (typeof FORMATS)[number];

/** `all` is everything that is kept, `dates` what is of the range on the screen, `filtered` what is on the screen. */
export type Scope = "all" | "dates" | "filtered";

export interface Wish {
  scope: Scope;
  format: Format;
  /** Whether a CSV file has the screen's columns, in the product's words; else it has every field as it is stored. */
  isOfScreen: boolean;
  /** IANA name of the zone of a CSV file's times. */
  zone: string;
}

export interface OnScreen {
  filters: Filters;
  /** Ids of columns. */
  columns: readonly string[];
}

/** What the list's built-in columns are in a file, where each path has a column of its own. */
const PATHS: Record<string, readonly string[]> = {
  time: ["occurred_at"],
  user: ["actor.name", "actor.email"],
  activity: ["description", "action_type", "security"],
  target: ["targets.name", "targets.type"],
  ip: ["context.ip", "country"],
};

/** Ids of the columns that the list has when the reader chose none. */
export function usualColumns(policy: Pick<Policy, "columns">): string[] {
  return policy.columns.length > 0 ? policy.columns.map(({ id }) => id) : Object.keys(PATHS);
}

/** Where the file is, and the parameters that say what is in it. */
export function requestOf(wish: Wish, { filters, columns }: OnScreen, policy: Pick<Policy, "columns">): { path: string; parameters: Record<string, string | undefined> } {
  const of = { all: { scope: "all" }, dates: { from: filters.from, to: filters.to }, filtered: { ...filters } }[wish.scope];
  const named = wish.format === "csv" && wish.isOfScreen ? { labels: "true", columns: fileColumns(columns, policy).join(",") } : {};
  // Without a zone times are in UTC, as they are stored.
  const zone = wish.format === "csv" && wish.zone !== "UTC" ? { time_zone: wish.zone } : {};
  return { path: `/events.${wish.format}`, parameters: { ...of, ...named, ...zone } };
}

function fileColumns(ids: readonly string[], policy: Pick<Policy, "columns">): string[] {
  const ofPolicy = new Set(policy.columns.map(({ id }) => id));
  return [...new Set(ids.flatMap((id) => (ofPolicy.has(id) ? [id] : (own(PATHS, id) ?? [id]))))];
}

/** The file name's ending. */
export function extensionOf(format: Format): string {
  return format === "evidence" ? "evidence.zip" : format;
}
