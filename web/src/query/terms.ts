// The text of a query as a list of terms, for chips and for editing by clicks. The text is the truth: a chip is a stretch of
// it, and every edit gives a new text. The grammar is the server's (docs/query-language.md); text that does not follow it is
// kept as it is, and the server says what is wrong with it.

export type Term = {
  /** The term's place in the query, in UTF-16 units; `text` is what stands there. */
  start: number;
  end: number;
  text: string;
} & (
  | { kind: "field"; field: string; values: Value[]; negated: boolean }
  | { kind: "words" }
  /** What one chip cannot take apart: parentheses, or a query with `OR` as a whole. */
  | { kind: "expression" }
);

export interface Value {
  text: string;
  /** Written with a trailing `*`. */
  prefix: boolean;
}

const ALIASES: Record<string, string> = { type: "action_type" };

/** The terms that must all hold, in the order of the text. */
export function terms(query: string): Term[] {
  const found: Term[] = [];
  let at = 0;
  for (;;) {
    while (at < query.length && isSpace(query[at])) at++;
    if (at >= query.length) return found;
    const start = at;
    at = termEnd(query, start);
    const text = query.slice(start, at);
    if (text === "OR") {
      const whole = query.trim();
      const offset = query.indexOf(whole);
      return [{ kind: "expression", start: offset, end: offset + whole.length, text: whole }];
    }
    if (text !== "AND") found.push({ start, end: at, text, ...read(text) });
  }
}

type Reading = { kind: "field"; field: string; values: Value[]; negated: boolean } | { kind: "words" } | { kind: "expression" };

function read(text: string): Reading {
  if (/^-?\(/.test(text)) return { kind: "expression" };
  const match = /^(-?)([A-Za-z_]+|metadata\.(?:\\.|[^\s:"()\\])+):(.+)$/s.exec(text);
  const values = match === null ? null : readValues(match[3] ?? "");
  if (match === null || values === null) return { kind: "words" };
  const name = (match[2] ?? "").startsWith("metadata.") ? (match[2] ?? "") : (match[2] ?? "").toLowerCase();
  return { kind: "field", field: ALIASES[name] ?? name, values, negated: match[1] === "-" };
}

/** The values of a list such as `a,"b c",d*`; null when it is not one. */
function readValues(text: string): Value[] | null {
  const values: Value[] = [];
  let rest = text;
  for (;;) {
    const match = /^(?:"((?:\\["\\]|[^"])*)"|((?:\\[\s\S]|[^\s,"()*\\])+))(\*?)(,|$)/.exec(rest);
    if (match === null) return null;
    const value = match[1] === undefined ? (match[2] ?? "").replace(/\\([\s*,"()\\])/g, "$1") : match[1].replace(/\\(["\\])/g, "$1");
    values.push({ text: value, prefix: match[3] === "*" });
    if (match[4] === "") return values;
    rest = rest.slice(match[0].length);
  }
}

/** Where the term that begins at `start` ends: at a space outside quotes and parentheses. */
function termEnd(query: string, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < query.length; at++) {
    const character = query[at];
    if (character === "\\") at++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && character === "(") depth++;
    else if (!quoted && character === ")") depth--;
    else if (!quoted && depth <= 0 && isSpace(character)) return at;
  }
  return query.length;
}

/** The query without one of its terms. */
export function without(query: string, term: Term): string {
  return tidy(query.slice(0, term.start), query.slice(term.end));
}

/** The query without its plain terms on `field`; what stands inside of an expression stays. */
export function withoutField(query: string, field: string): string {
  return terms(query)
    .filter((term) => term.kind === "field" && term.field === field)
    .reverse()
    .reduce(without, query);
}

/** The query narrowed to events whose `field` is `value`, or is not when `negated`; values of one field are joined in one term. */
export function withValue(query: string, field: string, value: string, negated = false): string {
  const found = terms(query);
  const same = found.find((term) => term.kind === "field" && term.field === field && term.negated === negated);
  if (same?.kind === "field") {
    if (same.values.some((each) => !each.prefix && each.text === value)) return query;
    return query.slice(0, same.end) + "," + printValue(value) + query.slice(same.end);
  }
  const base = found.some((term) => term.kind === "expression" && /(^|\s)OR(\s|$)/.test(term.text) && !term.text.startsWith("("))
    ? `(${query.trim()})`
    : query;
  return tidy(base, `${negated ? "-" : ""}${field}:${printValue(value)}`);
}

/** The query with `value` taken out of the terms on `field` again. */
export function withoutValue(query: string, field: string, value: string): string {
  return terms(query)
    .reverse()
    .reduce((text, term) => {
      if (term.kind !== "field" || term.field !== field) return text;
      const kept = term.values.filter((each) => each.prefix || each.text !== value);
      if (kept.length === term.values.length) return text;
      if (kept.length === 0) return without(text, term);
      const list = kept.map((each) => printValue(each.text) + (each.prefix ? "*" : "")).join(",");
      return text.slice(0, term.start) + `${term.negated ? "-" : ""}${field}:${list}` + text.slice(term.end);
    }, query);
}

/** The whole values that the query's plain terms ask for (or exclude) on `field`. */
export function valuesOf(query: string, field: string, negated: boolean): string[] {
  return terms(query).flatMap((term) =>
    term.kind === "field" && term.field === field && term.negated === negated ? term.values.map((value) => value.text) : [],
  );
}

/** Two queries that must both hold, as one. */
export function both(left: string, right: string): string {
  const given = [left, right].map((text) => text.trim()).filter((text) => text !== "");
  return given.length < 2 ? given.join("") : given.map((text) => (/\bOR\b/.test(text) ? `(${text})` : text)).join(" ");
}

/** A value as the query language writes it, in quotes when it must be. */
export function printValue(value: string): string {
  return value === "" || /[\s()",*\\]/.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : value;
}

/** Joins two stretches of a query with one space, and drops an `AND` that joins nothing any more. */
function tidy(left: string, right: string): string {
  const before = right.trim() === "" ? left.replace(/(^|\s)AND\s*$/, "") : left;
  const after = before.trim() === "" ? right.replace(/^\s*AND(?=\s|$)/, "") : right.replace(/^\s*AND(?=\s)/, (and) => (/(^|\s)AND\s*$/.test(before) ? "" : and));
  return [before.trimEnd(), after.trimStart()].filter((part) => part.trim() !== "").join(" ").trim();
}

function isSpace(character: string | undefined): boolean {
  return character !== undefined && /\s/.test(character);
}
