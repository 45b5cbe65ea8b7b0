// The file that a reader asks for: what is sent for it, to the server's streamed files or as a job, and what it is called.
import { own } from "../../event/own";
import type { Filters, Policy } from "../../api/contract";
import type { ExportFormat, ExportRequest } from "../../api/exports";

/** By their names in the server's paths. */
export const FORMATS = ["csv", "jsonl", "parquet", "evidence"] as const satisfies readonly ExportFormat[];
export type Format = ExportFormat;

/** `all` is everything that is kept, `dates` what is of the range on the screen, `filtered` what is on the screen. */
export type Scope = "all" | "dates" | "filtered";

/** `screen` are the screen's columns in the product's words, `all` every field as it is stored. */
export type Columns = "screen" | "all" | "chosen";

export interface Wish {
  scope: Scope;
  format: Format;
  columns: Columns;
  /** Paths of events, where the columns are chosen one by one. */
  chosen: readonly string[];
  /** IANA name of the zone of a CSV file's times. */
  zone: string;
  /** Whether a link to it is sent to who asks, in place of the file now. */
  isMailed: boolean;
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

/** Fields that can be chosen for a file, in the order of its columns. */
export const CHOOSABLE = [
  ...["occurred_at", "description", "action", "action_type", "area", "product", "result", "security", "actor.name", "actor.email", "actor.id", "actor.type", "actor.team"],
  ...["targets.name", "targets.type", "targets.email", "targets.id", "context.ip", "country", "context.user_agent", "context.url", "context.referrer", "changes.field", "changes", "message", "metadata"],
  ...["trace_id", "client_id", "received_at", "expires_at", "sequence", "id"],
] as const;

/** Ids of the columns that the list has when the reader chose none. */
export function usualColumns(policy: Pick<Policy, "columns">): string[] {
  return policy.columns.length > 0 ? policy.columns.map(({ id }) => id) : Object.keys(PATHS);
}

/** The fields that are chosen at first: those of the screen's columns that are fields, in the order of a file. */
export function chosenAtFirst({ columns }: OnScreen): string[] {
  const shown = new Set(columns.flatMap((id) => own(PATHS, id) ?? [id]));
  const found = CHOOSABLE.filter((path) => shown.has(path));
  return found.length > 0 ? found : Object.values(PATHS).flat();
}

/** Which columns a format lets its reader choose from; none where a file has every event whole. */
export function columnsOf(format: Format): readonly Columns[] {
  return { csv: ["screen", "all", "chosen"] as const, parquet: ["all", "chosen"] as const, jsonl: [], evidence: [] }[format];
}

/** The columns that a wish names; null is every field as it is stored. */
function named({ format, columns, chosen }: Wish, shown: OnScreen, policy: Pick<Policy, "columns">): string[] | null {
  if (!columnsOf(format).includes(columns) || columns === "all") return null;
  return columns === "chosen" ? [...chosen] : fileColumns(shown.columns, policy);
}

/** Where the file is that comes at once, and the parameters that say what is in it. */
export function requestOf(wish: Wish, shown: OnScreen, policy: Pick<Policy, "columns">): { path: string; parameters: Record<string, string | undefined> } {
  const { from, to, q } = shown.filters;
  const of = { all: { scope: "all" }, dates: { from, to }, filtered: { q, from, to } }[wish.scope];
  const columns = named(wish, shown, policy);
  const picked = columns === null ? {} : { columns: columns.join(",") };
  return { path: `/events.${wish.format}`, parameters: { ...of, ...picked, ...(wish.format === "csv" ? { ...(columns === null ? {} : { labels: "true" }), ...zoned(wish) } : {}) } };
}

/** The same file as a job. */
export function jobOf(wish: Wish, shown: OnScreen, policy: Pick<Policy, "columns">): ExportRequest {
  const { from, to, q = "" } = shown.filters;
  const range = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  const of = { all: {}, dates: range, filtered: { ...range, filter: q } }[wish.scope];
  const columns = named(wish, shown, policy);
  return {
    format: wish.format,
    scope: wish.scope === "all" ? "all" : "filtered",
    ...of,
    ...(columns === null ? {} : { columns }),
    ...(wish.format === "csv" ? { ...(columns === null ? {} : { labels: true }), ...zoned(wish) } : {}),
    ...(wish.isMailed ? { email: true } : {}),
  };
}

/** Without a zone times are in UTC, as they are stored. */
function zoned({ zone }: Wish): { time_zone?: string } {
  return zone === "UTC" ? {} : { time_zone: zone };
}

function fileColumns(ids: readonly string[], policy: Pick<Policy, "columns">): string[] {
  const ofPolicy = new Set(policy.columns.map(({ id }) => id));
  return [...new Set(ids.flatMap((id) => (ofPolicy.has(id) ? [id] : (own(PATHS, id) ?? [id]))))];
}

/** The file name's ending. */
export function extensionOf(format: Format): string {
  return format === "evidence" ? "evidence.zip" : format;
}
