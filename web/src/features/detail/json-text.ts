// JSON as coloured text.
import type { Json } from "../../api/contract";

export interface Piece {
  kind: "name" | "string" | "other" | "plain";
  text: string;
}

/** Longer texts are not coloured: thousands of pieces cost more than their colours tell. */
const COLOURED_CHARACTERS_MAX = 40_000;

/** JSON indented by two spaces. Characters that turn the direction of text or cannot be seen are written as escapes, so that nothing looks like what it is not. */
export function printJson(value: Json): string {
  const unseen = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
  return JSON.stringify(value, null, 2).replace(unseen, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The text of [printJson] in pieces, in order and complete. */
export function pieces(text: string): Piece[] {
  if (text.length > COLOURED_CHARACTERS_MAX) return [{ kind: "plain", text }];
  const found: Piece[] = [];
  const token = /("(?:\\.|[^"\\])*")(:?)|-?\d[\d.eE+-]*|true|false|null/g;
  let at = 0;
  for (const match of text.matchAll(token)) {
    if (match.index > at) found.push({ kind: "plain", text: text.slice(at, match.index) });
    const quoted = match[1];
    found.push(quoted === undefined ? { kind: "other", text: match[0] } : { kind: match[2] === ":" ? "name" : "string", text: quoted });
    at = match.index + (quoted ?? match[0]).length;
  }
  found.push({ kind: "plain", text: text.slice(at) });
  return found;
}
