// Sentences: places, plurals, numbers, nodes.
import { expect, test } from "vitest";
import { chooseLanguage, locale, wordsOf } from "./words";

const say = wordsOf({ en: { found: { one: "{count} event of {who}", other: "{count} events of {who}" }, plain: "Nothing" } });

test("a sentence has its values in its places, numbers as people write them", () => {
  expect(say("found", { count: 1, who: "Ana" })).toBe("1 event of Ana");
  expect(say("found", { count: 12_345, who: "{count}" })).toBe("12,345 events of {count}");
  expect(say("plain")).toBe("Nothing");
});

test("nodes stand in the places as they are", () => {
  const nodes = say.nodes("found", { count: 2, who: "<b>" }) as { props: { children: unknown } }[];
  expect(nodes.map((node) => node.props.children)).toEqual(["", "2", " events of ", "<b>", ""]);
});

test("a language without words falls back to English", () => {
  chooseLanguage(["xx", "en-US"]);
  expect(locale()).toBe("en-GB");
  chooseLanguage([]);
  expect(locale()).toBe("en-GB");
});
