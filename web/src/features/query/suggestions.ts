// What can be written next at a spot of the query: fields, then what is to hold of one, then its values.
import type { Labels } from "../../event/labels";
import { FIELDS } from "../../event/words";
import { nameOf, printValue } from "../../query/terms";
import { withTypedValue, withWord, type Draft, type Spot } from "../../query/spot";
import { addDays, type Zone } from "../../ui/zone";
import { begins, isAddress } from "./match";
import type { Question } from "./questions";
import type { Choice } from "./useValues";

export type Operator = "is" | "is_not" | "has" | "has_not";

export type Suggestion = { draft: Draft } & (
  | { kind: "question"; question: Question }
  | { kind: "field"; field: string }
  | { kind: "operator"; field: string; operator: Operator }
  | { kind: "value"; field: string; choice: Choice }
  | { kind: "address"; address: string }
  | { kind: "day"; days: number; day: string }
);

export type GroupName = "questions" | "fields" | "operators" | "found" | "values";
export interface Group {
  name: GroupName;
  suggestions: Suggestion[];
}

/** Fields of the query language beyond those of the filter menu. */
const MORE_FIELDS = ["actor_type", "changed", "trace_id", "client_id", "before", "after"] as const;
/** Fields in which a bare word is looked for. */
export const FOUND_IN: readonly string[] = ["actor", "target", "action", "action_type", "area", "target_type"];
const FOUND_OF_A_FIELD_MAX = 4;
const VALUES_MAX = 40;
const DAYS = [0, 1, 7, 28];
const TIME_FIELDS = new Set(["before", "after"]);

interface Known {
  text: string;
  spot: Spot;
  values: ReadonlyMap<string, Choice[]>;
  questions: Question[];
  labels: Labels;
  zone: Zone;
  now: Date;
}

export function suggest(known: Known): Group[] {
  const { spot } = known;
  const groups: Group[] = spot.field === null ? ofWord(known) : [{ name: "values", suggestions: ofField(known, spot.field) }];
  return groups.filter((group) => group.suggestions.length > 0);
}

function ofWord(known: Known): Group[] {
  const { text, spot } = known;
  const minus = spot.negated ? "-" : "";
  const address: Suggestion[] = isAddress(spot.typed) ? [{ kind: "address", address: spot.typed, draft: withWord(text, spot, `${minus}ip:${addressPattern(spot.typed)}`, true) }] : [];
  return [
    { name: "questions", suggestions: text.trim() === "" ? known.questions.map((question) => ({ kind: "question", question, draft: withWord("", { ...spot, start: 0, end: 0 }, question.query, true) })) : [] },
    { name: "operators", suggestions: operators(known, minus) },
    { name: "fields", suggestions: fields(known, minus) },
    { name: "found", suggestions: [...address, ...found(known, minus)] },
  ];
}

/** An address that is written to its end is itself, what ends in a dot or colon is the beginning of one. */
function addressPattern(typed: string): string {
  return /[.:]$/.test(typed) && !typed.endsWith("::") ? `${typed}*` : typed;
}

function fields({ text, spot, labels }: Known, minus: string): Suggestion[] {
  const all = [...FIELDS, ...MORE_FIELDS].filter((field) => !isNamed(field, spot.typed));
  const begun = all.filter((field) => begins(spot.typed, labels.field(field), field, nameOf(field)));
  // The colon comes with the operator, so that what is chosen says first whether it is or is not.
  return begun.map((field) => ({ kind: "field", field, draft: withWord(text, spot, minus + nameOf(field) + (hasOperators(field) && minus === "" ? "" : ":"), false) }));
}

/** What is to hold of the field whose whole name is written. */
function operators({ text, spot }: Known, minus: string): Suggestion[] {
  const field = [...FIELDS, ...MORE_FIELDS].find((id) => isNamed(id, spot.typed));
  if (field === undefined) return [];
  const make = (operator: Operator, word: string, isWhole: boolean): Suggestion => ({ kind: "operator", field, operator, draft: withWord(text, spot, word, isWhole) });
  const name = nameOf(field);
  const not = [make("is_not", `-${name}:`, false), make("has_not", `-${name}:*`, true)];
  if (!hasOperators(field)) return [make("is", `${minus}${name}:`, false)];
  return minus === "-" ? not : [make("is", `${name}:`, false), not[0]!, make("has", `${name}:*`, true), not[1]!];
}

function isNamed(field: string, typed: string): boolean {
  const name = typed.toLowerCase();
  return name === field || name === nameOf(field);
}

function hasOperators(field: string): boolean {
  return field !== "security" && !TIME_FIELDS.has(field);
}

/** Values of some fields that a bare word begins: whoever types a name need not know whose it is. */
function found({ text, spot, values }: Known, minus: string): Suggestion[] {
  if (spot.typed.trim() === "") return [];
  return FOUND_IN.flatMap((field) => {
    const begun = (values.get(field) ?? []).filter((choice) => choice.count > 0).slice(0, FOUND_OF_A_FIELD_MAX);
    return begun.map((choice): Suggestion => ({ kind: "value", field, choice, draft: withWord(text, spot, `${minus}${nameOf(field)}:${printValue(choice.value)}`, true) }));
  });
}

function ofField({ text, spot, values, zone, now }: Known, field: string): Suggestion[] {
  if (TIME_FIELDS.has(field)) {
    const days = DAYS.map((days) => ({ days, day: addDays(zone.dayOf(now), -days) })).filter(({ day }) => day.startsWith(spot.typed) && day !== spot.typed);
    return days.map(({ days, day }) => ({ kind: "day", days, day, draft: withTypedValue(text, spot, day) }));
  }
  const choices = (values.get(field) ?? []).slice(0, VALUES_MAX);
  // What is written already needs no suggestion.
  const [only] = choices;
  if (choices.length === 1 && only!.value.toLowerCase() === spot.typed.toLowerCase()) return [];
  return choices.map((choice) => ({ kind: "value", field, choice, draft: withTypedValue(text, spot, choice.value) }));
}
