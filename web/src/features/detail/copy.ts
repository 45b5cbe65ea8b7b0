// An event as texts for other places: a row of a table, a command.
import type { Access } from "../../api/client";
import type { ColumnSetting, Event } from "../../api/contract";
import type { Labels } from "../../event/labels";
import { quoted } from "../../ui/shell";

const PATHS = ["occurred_at", "actor.name", "actor.email", "action", "action_type", "area", "product", "description", "targets.name", "context.ip", "country", "result", "security", "trace_id", "id"];

/** One row of RFC 4180 with the policy's columns, else the usual ones; cells that a spreadsheet would run begin with an apostrophe, as in the server's files. */
export function csvRow(event: Event, columns: ColumnSetting[], labels: Labels): string {
  const templates = columns.length > 0 ? columns.map((column) => column.value) : PATHS.map((path) => `{${path}}`);
  return templates.map((template) => cell(labels.render(template, event))).join(",");
}

/** A pasted text is cut into cells at tabs and line ends, whatever quotes it has: in a row that is copied they are spaces. */
function cell(line: string): string {
  const text = line.replace(/[\t\r\n]+/g, " ");
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A command for a shell that asks the server for the event; the credential is whoever runs it to give. */
export function curl(url: string, access: Access): string {
  const project = access.project === null ? "" : ` -H ${quoted(`Trailbook-Project: ${access.project}`)}`;
  return `curl -H "Authorization: Bearer $TRAILBOOK_KEY"${project} ${quoted(url)}`;
}
