// The columns that somebody can add to the list.
import type { Event } from "../../../api/contract";
import type { Labels } from "../../../event/labels";
import { onlyPath } from "../../../event/template";
import { columnOf, isPath, type Column } from "./columns";

/** Paths that a reader can add as columns, in the order of the chooser. */
const PATHS = [
  "action", "action_type", "area", "product", "result", "security", "country", "context.ip", "actor.name", "actor.email", "actor.id", "actor.type",
  "actor.team", "targets.name", "targets.type", "targets.email", "targets.id", "changes.field", "changes.before", "changes.after", "message",
  "trace_id", "context.user_agent", "context.url", "context.referrer", "received_at", "expires_at", "sequence", "client_id", "id",
] as const;

/** All that a reader can choose from: the defaults, the paths beside them, and the metadata of these events. */
export function choosableColumns(defaults: Column[], events: readonly Event[], labels: Labels): Column[] {
  const shown = new Set(defaults.map((column) => onlyPath(column.template)));
  const paths = [...PATHS.filter((path) => !shown.has(path)), ...metadataPaths(events).filter((path) => !shown.has(path))];
  return [...defaults, ...paths.flatMap((path) => columnOf(path, defaults, labels) ?? [])];
}

const METADATA_PATHS_MAX = 200;

/** Paths of plain values in the metadata of events, the first ones met. */
export function metadataPaths(events: readonly Event[]): string[] {
  const found = new Set<string>();
  const walk = (value: unknown, path: string, depth: number) => {
    if (found.size >= METADATA_PATHS_MAX || value === null || value === undefined || depth > 5) return;
    if (typeof value !== "object" || Array.isArray(value)) return void (isPath(path) && found.add(path));
    for (const [key, member] of Object.entries(value)) walk(member, `${path}.${key.replaceAll(".", "\\.")}`, depth + 1);
  };
  for (const event of events) walk(event.metadata ?? {}, "metadata", 0);
  return [...found].sort();
}
