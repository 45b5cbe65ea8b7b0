// The screen's sentences. Each feature has them in `words.en.json` beside its components; another language is another file
// with the same names, added to the feature's `wordsOf`, and no more. Numbers and dates follow the language by `Intl`.
import { Fragment, createElement, type ReactNode } from "react";

/** A sentence with `{places}`; a set of them where it depends on how many `{count}` are. */
export type Sentence = string | ({ other: string } & Partial<Record<Intl.LDMLPluralRule, string>>);
export type Catalog = Record<string, Sentence>;

/** Forms of numbers and dates, where they are not those that the language's own tag names. */
const FORMS: ReadonlyMap<string, string> = new Map([["en", "en-GB"]]);

/** The languages that any catalog has. */
const languages = new Set(["en"]);
let language = "en";

/** The first of `wanted` (BCP 47) that there are words for, else English. Call it before anything is drawn. */
export function chooseLanguage(wanted: readonly string[]): void {
  language = wanted.map((tag) => tag.toLowerCase().split("-")[0] ?? "").find((tag) => languages.has(tag)) ?? "en";
}

/** The BCP 47 tag that `Intl` is to use. */
export function locale(): string {
  return FORMS.get(language) ?? language;
}

const plurals = new Map<string, Intl.PluralRules>();

/** Made once for each language: making them costs more than a thousand sentences, and every row says some. */
function pluralRules(tag: string): Intl.PluralRules {
  const rules = plurals.get(tag) ?? new Intl.PluralRules(tag);
  plurals.set(tag, rules);
  return rules;
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

/** What says the sentences of one feature: in the chosen language, or in English where the feature has none of it. */
export function wordsOf<C extends Catalog>(catalogs: { en: C; [language: string]: Record<keyof C, Sentence> }): Say<C> {
  Object.keys(catalogs).forEach((each) => languages.add(each));
  const find = (name: keyof C & string, count: unknown): string => {
    const isKnown = Object.hasOwn(catalogs, language);
    const sentence: Sentence = (isKnown ? catalogs[language]! : catalogs.en)[name];
    if (typeof sentence === "string") return sentence;
    return sentence[pluralRules(isKnown ? locale() : "en").select(Number(count))] ?? sentence.other;
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
