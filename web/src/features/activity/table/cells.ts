// What a cell says: one or two lines of values, and for each how a query asks for it.
import type { Event, Json } from "../../../api/contract";
import type { Labels } from "../../../event/labels";
import { own } from "../../../event/own";
import { parseTemplate, valuesAt } from "../../../event/template";
import { activityOf, countryName, isMachine, personOf, sentenceCase } from "../../../event/words";
import type { Column } from "./columns";

/** A value as it is shown, and as queries know it. */
export interface Value {
  text: string;
  /** The field that finds it; null where only its words can be looked for. */
  field: string | null;
  value: string;
}

export interface Lines {
  first: Value[];
  second: Value[];
  /** How many values were left out of a list. */
  more: number;
}

/** Most members of a list, such as targets, that a cell names. */
const VALUES_MAX = 3;

/** Which conditions find what is at a path; an actor is asked for by its id where it has one, and so is a target. */
const FIELDS: Record<string, string> = {
  "actor.id": "actor",
  "actor.name": "actor",
  "actor.email": "actor",
  "actor.type": "actor_type",
  "actor.team": "team",
  "targets.id": "target",
  "targets.name": "target",
  "targets.email": "target",
  "targets.type": "target_type",
  "context.ip": "ip",
  "changes.field": "changed",
};
const OWN_FIELDS = new Set(["action", "action_type", "area", "product", "country", "result", "trace_id", "client_id", "security"]);

/** The field that a query asks for when it asks for a path's value. */
export function fieldOf(path: string): string | null {
  const plain = path.replace(/^(targets|changes)\.\d+\./, "$1.");
  if (OWN_FIELDS.has(plain)) return plain;
  return own(FIELDS, plain) ?? (plain.startsWith("metadata.") && !/^metadata\.raw(\.|$)/.test(plain) ? plain : null);
}

/** The lines of a column over an event. What a template joins with ` · ` or ` — ` stands on the second line. */
export function linesOf(column: Column, event: Event, labels: Labels): Lines {
  const lines: Lines = { first: [], second: [], more: 0 };
  let isFirst = true;
  for (const piece of parseTemplate(column.template)) {
    if ("text" in piece) {
      if (/^\s*[·—–|]\s*$/.test(piece.text)) isFirst = false;
      else if (piece.text.trim() !== "") lines[isFirst ? "first" : "second"].push({ text: piece.text.trim(), field: null, value: "" });
      continue;
    }
    const { values, more } = valuesOfPaths(piece.paths, event, labels);
    const said = new Set(lines.first.map((value) => value.text));
    lines[isFirst ? "first" : "second"].push(...values.filter((value) => isFirst || !said.has(value.text)));
    lines.more = Math.max(lines.more, more);
  }
  return withBuiltIn(column, event, lines);
}

/** What stands where a template found nothing: who acted is never left open, and an address has its country below. */
function withBuiltIn(column: Column, event: Event, lines: Lines): Lines {
  if (column.kind === "person" && (lines.first.length === 0 || onlyType(lines.first))) {
    const { name, detail } = personOf(event.actor);
    const first = lines.first[0]?.text !== event.actor?.type && lines.first.length > 0 ? lines.first : [{ text: name, field: event.actor ? "actor_type" : null, value: event.actor?.type ?? "" }];
    return { ...lines, first, second: detail === "" || detail === first[0]?.text ? lines.second : [{ text: detail, field: null, value: "" }] };
  }
  if (column.kind === "person" && isMachine(event.actor) && lines.second.length === 0) {
    return { ...lines, second: [{ text: sentenceCase(event.actor!.type), field: "actor_type", value: event.actor!.type }] };
  }
  return lines;
}

function onlyType(values: Value[]): boolean {
  return values.length === 1 && values[0]!.field === "actor_type";
}

function valuesOfPaths(paths: string[], event: Event, labels: Labels): { values: Value[]; more: number } {
  for (const path of paths) {
    const found = valuesAt(event, path);
    if (found.length === 0) continue;
    const named = found.map(({ of, value }) => ({ text: wordOf(path, of, value, labels), ...asked(path, value, event) }));
    const seen = [...new Map(named.map((value) => [JSON.stringify([value.text, value.value]), value])).values()].filter(({ text }) => text !== "");
    return { values: seen.slice(0, VALUES_MAX), more: Math.max(0, seen.length - VALUES_MAX) };
  }
  return { values: [], more: 0 };
}

/** A value in words: kinds, which few policies name one by one, at least as a sentence would have them. */
function wordOf(path: string, of: string, value: Json, labels: Labels): string {
  const field = fieldOf(path) ?? "";
  return ["actor_type", "target_type", "result"].includes(field) ? labels.value(field, String(value)) : labels.at(of, value);
}

/** How a query asks for a value at a path. */
function asked(path: string, value: Json, event: Event): { field: string | null; value: string } {
  const field = fieldOf(path);
  const text = typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
  if (field === "actor") return { field, value: event.actor?.id || text };
  const target = field === "target" ? event.targets?.find(({ id, name, email }) => [id, name, email].includes(text)) : undefined;
  return { field, value: target?.id || text };
}

/** What happened; a query asks for the action. */
export function activityValue(event: Event): Value {
  return { text: activityOf(event), field: event.action ? "action" : null, value: event.action };
}

/** What kind of act it was. Where the type says nothing the action does, if no catalog has put it into words. */
export function typeValue(event: Event, labels: Labels): Value | null {
  if (event.action_type !== "other" || !event.action) return { text: labels.at("action_type", event.action_type), field: "action_type", value: event.action_type };
  const isNamed = labels.at("action", event.action) !== event.action;
  return isNamed || event.action === activityOf(event) ? null : { text: event.action, field: "action", value: event.action };
}

export function countryValue(event: Event): Value | null {
  return event.country === null ? null : { text: countryName(event.country), field: "country", value: event.country };
}
