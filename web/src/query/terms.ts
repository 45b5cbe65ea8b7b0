// The text of a query as a list of terms, for chips and for editing by clicks. The text is the truth: a chip is a stretch of
// it, and every edit gives a new text. The grammar is the server's (docs/query-language.md); text that does not follow it is
// kept as it is, and the server says what is wrong with it.

export type Term = {
  /** The term's place in the query, in UTF-16 units; `text` is what stands there. */
  start: number;
  end: number;
  text: string;
} & (
  | ({ kind: "field" } & Condition)
  | { kind: "words" }
  /** What one chip cannot take apart: parentheses, or a query with `OR` as a whole. */
  | { kind: "expression" }
);

export interface Value {
  text: string;
  /** Written with a trailing `*`. */
  prefix: boolean;
}

/** A term on a field, apart from where it stands. */
export interface Condition {
  field: string;
  values: Value[];
  negated: boolean;
}

const ALIASES: Record<string, string> = { type: "action_type" };
const SHORT: Record<string, string> = { action_type: "type" };

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

type Reading = ({ kind: "field" } & Condition) | { kind: "words" } | { kind: "expression" };

function read(text: string): Reading {
  if (/^-?\(/.test(text)) return { kind: "expression" };
  const match = /^(-?)([A-Za-z_]+|metadata\.(?:\\.|[^\s:"()\\])+):(.+)$/s.exec(text);
  const values = match === null ? null : readValues(match[3] ?? "");
  if (match === null || values === null) return { kind: "words" };
  return { kind: "field", field: fieldOf(match[2] ?? ""), values, negated: match[1] === "-" };
}

/** The field that a query calls `name`; metadata paths are told apart by case, other names are not. */
export function fieldOf(name: string): string {
  const folded = name.startsWith("metadata.") ? name : name.toLowerCase();
  return ALIASES[folded] ?? folded;
}

/** What a query calls a field. */
export function nameOf(field: string): string {
  return SHORT[field] ?? field;
}

/** The values of a list such as `a,"b c",d*`; null when it is not one. */
function readValues(text: string): Value[] | null {
  const values: Value[] = [];
  let rest = text;
  for (;;) {
    const match = /^(?:"((?:\\["\\]|[^"])*)"|((?:\\[\s\S]|[^\s,"()*\\])+)|(?=\*))(\*?)(,|$)/.exec(rest);
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
  return withCondition(query, { field, values: [{ text: value, prefix: false }], negated });
}

/** The query with one condition more, as a term of its own. */
export function withCondition(query: string, condition: Condition): string {
  const isEither = terms(query).some((term) => term.kind === "expression" && /(^|\s)OR(\s|$)/.test(term.text) && !/^-?\(/.test(term.text));
  return tidy(isEither ? `(${query.trim()})` : query, printCondition(condition));
}

/** The query with `condition` where `term` stands; without the term when it has no value left. */
export function replaced(query: string, term: Term, condition: Condition): string {
  if (condition.values.length === 0) return without(query, term);
  return query.slice(0, term.start) + printCondition(condition) + query.slice(term.end);
}

/** The query with `value` taken out of the terms on `field` again. */
export function withoutValue(query: string, field: string, value: string): string {
  return terms(query)
    .reverse()
    .reduce((text, term) => {
      if (term.kind !== "field" || term.field !== field) return text;
      const kept = term.values.filter((each) => each.prefix || each.text !== value);
      if (kept.length === term.values.length) return text;
      return replaced(text, term, { ...term, values: kept });
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

/** A condition as the query language writes it. */
export function printCondition({ field, values, negated }: Condition): string {
  // `*` alone is any value at all.
  const list = values.map((each) => (each.prefix && each.text === "" ? "*" : printValue(each.text) + (each.prefix ? "*" : "")));
  return `${negated ? "-" : ""}${nameOf(field)}:${list.join(",")}`;
}

/** What somebody typed as one value: a `*` at its end makes it a prefix. */
export function typedValue(typed: string): Value {
  const text = typed.trim();
  return text.endsWith("*") ? { text: text.slice(0, -1), prefix: true } : { text, prefix: false };
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
