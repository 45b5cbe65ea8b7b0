// The screen's sentences. Each feature has them in `words.en.json` beside its components; another language is another file
// with the same names, added to the feature's `wordsOf`. Numbers and dates follow the language by `Intl`.
import { Fragment, createElement, type ReactNode } from "react";

/** A sentence with `{places}`; a set of them where it depends on how many `{count}` are. */
export type Sentence = string | ({ other: string } & Partial<Record<Intl.LDMLPluralRule, string>>);
export type Catalog = Record<string, Sentence>;

/** Languages that catalogs may have, with the form of dates that goes with each. */
const DATES = { en: "en-GB" } as const;
export type Language = keyof typeof DATES;

let language: Language = "en";

/** The first of `wanted` (BCP 47) that there are words for, else English. Call it before anything is drawn. */
export function chooseLanguage(wanted: readonly string[]): void {
  const known = wanted.map((tag) => tag.toLowerCase().split("-")[0] ?? "").find((tag): tag is Language => tag in DATES);
  language = known ?? "en";
}

/** The BCP 47 tag that `Intl` is to use. */
export function locale(): string {
  return DATES[language];
}

const numbers = new Map<string, Intl.NumberFormat>();

/** A number as people write it. */
export function number(value: number, options: Intl.NumberFormatOptions = {}): string {
  const name = `${locale()} ${JSON.stringify(options)}`;
  const format = numbers.get(name) ?? new Intl.NumberFormat(locale(), options);
  numbers.set(name, format);
  return format.format(value);
}

export interface Say<C extends Catalog> {
  (name: keyof C & string, values?: Record<string, string | number>): string;
  /** The sentence with nodes in its places, such as names that keep their direction to themselves. */
  nodes: (name: keyof C & string, values: Record<string, ReactNode>) => ReactNode;
}

/** What says the sentences of one feature. */
export function wordsOf<C extends Catalog>(catalogs: { en: C } & Partial<Record<Language, C>>): Say<C> {
  const find = (name: keyof C & string, count: unknown): string => {
    const sentence = (catalogs[language] ?? catalogs.en)[name] as Sentence;
    if (typeof sentence === "string") return sentence;
    return sentence[new Intl.PluralRules(locale()).select(Number(count))] ?? sentence.other;
  };
  const say = (name: keyof C & string, values: Record<string, string | number> = {}) =>
    find(name, values["count"]).replace(PLACE, (_, place: string) => text(values[place]));
  const nodes = (name: keyof C & string, values: Record<string, ReactNode>) =>
    find(name, values["count"])
      .split(PLACE)
      .map((piece, at) => createElement(Fragment, { key: at }, at % 2 === 0 ? piece : typeof values[piece] === "number" ? number(values[piece]) : values[piece]));
  return Object.assign(say, { nodes });
}

const PLACE = /\{([a-z_]+)\}/g;

function text(value: string | number | undefined): string {
  return typeof value === "number" ? number(value) : (value ?? "");
}
