// Templates of columns: text with paths into an event in braces, rendered as the server renders them in files
// (docs/policies.md): `{{` and `}}` are braces, `{a|b}` is the first path that is there.
import type { Event, Json } from "../api/contract";
import { own } from "./own";

export type Piece = { text: string } | { paths: string[] };

/** The pieces of a template. The server has refused faulty ones; a brace without its partner stands as text. */
export function parseTemplate(template: string): Piece[] {
  const pieces: Piece[] = [];
  let text = "";
  for (const found of template.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[^{}]+|[{}]/g)) {
    if (found[1] === undefined) {
      text += found[0] === "{{" ? "{" : found[0] === "}}" ? "}" : found[0];
      continue;
    }
    if (text !== "") pieces.push({ text });
    text = "";
    pieces.push({ paths: found[1].split("|").map((path) => path.trim()) });
  }
  if (text !== "") pieces.push({ text });
  return pieces;
}

/** The single path of a template such as `{occurred_at}`; null when it is anything else. */
export function onlyPath(template: string): string | null {
  const [piece, ...more] = parseTemplate(template);
  return more.length === 0 && piece !== undefined && "paths" in piece && piece.paths.length === 1 ? piece.paths[0]! : null;
}

/** One value at a path, and under which name its words are looked up. */
export interface Found {
  of: string;
  value: Json;
  /** Whether `of` is the name of a changed field, and no path of an event. */
  isChanged: boolean;
}

/** What is at a path of an event: `actor.name`, `targets.name` (of all), `targets.0.name`, `changes.before`, `metadata.a\.b.c`. */
export function valuesAt(event: Event, path: string): Found[] {
  const keys = path.split(/(?<!\\)\./).map((key) => key.replaceAll("\\.", "."));
  const [root, ...rest] = keys;
  if ((root === "targets" || root === "changes") && rest.length > 0) {
    const list = (event[root] ?? []) as unknown as Record<string, Json>[];
    const place = /^\d+$/.test(rest[0]!) ? Number(rest[0]) : null;
    const members = place === null ? list : list.slice(place, place + 1);
    const key = rest[place === null ? 0 : 1]!;
    const isChanged = root === "changes" && key !== "field";
    return members.flatMap((member) => present(isChanged ? String(member["field"]) : `${root}.${key}`, own(member, key), isChanged));
  }
  const value = keys.reduce<Json | undefined>((at, key) => (at !== null && typeof at === "object" && !Array.isArray(at) ? own(at, key) : undefined), event as unknown as Json);
  return present(path, value);
}

function present(of: string, value: Json | undefined, isChanged = false): Found[] {
  if (value === undefined || value === null || value === "") return [];
  return Array.isArray(value) ? value.flatMap((each) => present(of, each, isChanged)) : [{ of, value, isChanged }];
}

/** A template over an event; `show` gives the words of a value. Missing is `—` beside other paths; where all are missing the text is empty. */
export function render(template: string, event: Event, show: (found: Found) => string): string {
  let isThere = false;
  const pieces = parseTemplate(template);
  const text = pieces.map((piece) => {
    if ("text" in piece) return piece.text;
    const found = piece.paths.map((path) => valuesAt(event, path)).find((values) => values.length > 0);
    if (found === undefined) return "—";
    isThere = true;
    return found.map(show).filter((word) => word !== "").join(", ");
  });
  return isThere || !pieces.some((piece) => "paths" in piece) ? text.join("") : "";
}
