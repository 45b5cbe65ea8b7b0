// Where in a query's text somebody is writing, and what the text is once they have chosen how to go on.
import { fieldOf, printValue, terms, without } from "./terms";

/** The word that the caret stands in or behind. `start` and `end` are its place in the text. */
export interface Spot {
  start: number;
  end: number;
  negated: boolean;
  /** The field whose values are written; null in front of the colon, or where there is none. */
  field: string | null;
  /** What is written of the field's name, of the search word, or of the value so far; without quotes. */
  typed: string;
  /** Where the value begins that `typed` belongs to: a list's values before it stay. */
  valueStart: number;
}

export interface Draft {
  text: string;
  caret: number;
  /** Whether it can be asked for as it is. */
  isWhole: boolean;
}

export function spotAt(text: string, caret: number): Spot {
  const [start, end] = wordAt(text, caret);
  const written = text.slice(start, caret);
  const negated = written.startsWith("-");
  const name = /^-?([A-Za-z_]+|metadata\.(?:\\.|[^\s:"()\\])+):/.exec(written);
  if (name === null) return { start, end, negated, field: null, typed: unquoted(written.replace(/^-/, "")), valueStart: start };
  const valueStart = start + lastValueStart(written, name[0].length);
  return { start, end, negated, field: fieldOf(name[1]!), typed: unquoted(text.slice(valueStart, caret)), valueStart };
}

/** Whether the word at the spot waits for a value, so that asking for it would only be refused. */
export function isUnfinished(text: string, { start, end, field }: Spot): boolean {
  const word = text.slice(start, end);
  return (field !== null && /[:,]$/.test(word)) || (word.match(/(?<!\\)"/g)?.length ?? 0) % 2 === 1;
}

/** What else is asked for: the text without the term that the spot is in. */
export function besides(text: string, { start, end }: Spot): string {
  const own = terms(text).find((term) => term.start <= end && start <= term.end);
  return own === undefined ? text.trim().replace(/\s+(AND|OR)$/, "") : without(text, own);
}

/** The text with `word` for the word at the spot. A whole term is followed by a space, so that the next one can be written. */
export function withWord(text: string, { start, end }: Spot, word: string, isWhole: boolean): Draft {
  return put(text, start, end, word, isWhole);
}

/** The text with `value` for what is written of it at the spot. */
export function withTypedValue(text: string, { valueStart, end }: Spot, value: string): Draft {
  const rest = text.slice(valueStart, end);
  const more = valueEnd(rest);
  return more < rest.length
    ? put(text, valueStart, valueStart + more, printValue(value), false)
    : put(text, valueStart, end, printValue(value), true);
}

function put(text: string, start: number, end: number, word: string, isWhole: boolean): Draft {
  const isClosed = text[end] === ")";
  const before = text.slice(0, start) + word + (isWhole && !isClosed ? " " : "");
  const after = text.slice(end);
  return { text: before + (isWhole && !isClosed ? after.trimStart() : after), caret: before.length, isWhole };
}

/** The stretch without spaces and parentheses around the caret; quotes keep both in. */
function wordAt(text: string, caret: number): [number, number] {
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    const isEdge = !quoted && /[\s()]/.test(character);
    if (isEdge && at >= caret) return [start, at];
    if (isEdge) start = at + 1;
    else if (character === '"') quoted = !quoted;
    else if (character === "\\") at++;
  }
  return [start, text.length];
}

/** Where the last value of a written list begins, counted from the word's start. */
function lastValueStart(written: string, from: number): number {
  let start = from;
  let at = from;
  while (at < written.length) {
    at += valueEnd(written.slice(at));
    if (written[at] === ",") start = at += 1;
  }
  return start;
}

/** The length of the first value of a list: up to a comma outside quotes. */
function valueEnd(list: string): number {
  return /^(?:\\[\s\S]|"(?:\\[\s\S]|[^"\\])*(?:"|$)|[^,"\\]|\\$)*/.exec(list)![0].length;
}

function unquoted(written: string): string {
  return written.startsWith('"') ? written.slice(1).replace(/"\*?$/, "").replace(/\\(["\\])/g, "$1") : written.replace(/\\([\s*,"()\\])/g, "$1");
}
