// Sentences: places, plurals, numbers, nodes, and another language than English.
import { afterEach, expect, test } from "vitest";
import { duration, fullTime } from "./time";
import { chooseLanguage, locale, number, wordsOf } from "./words";
import { createZone } from "./zone";

const say = wordsOf({
  en: { found: { one: "{count} event of {who}", other: "{count} events of {who}" }, plain: "Nothing" },
  // Polish has three forms where English has two, and puts its words elsewhere.
  pl: { found: { one: "{who}: {count} zdarzenie", few: "{who}: {count} zdarzenia", other: "{who}: {count} zdarzeń" }, plain: "Nic" },
});
const untranslated = wordsOf({ en: { found: { one: "{count} event", other: "{count} events" } } });

afterEach(() => chooseLanguage([]));

test("a sentence has its values in its places, numbers as people write them", () => {
  expect(say("found", { count: 1, who: "Ana" })).toBe("1 event of Ana");
  expect(say("found", { count: 12_345, who: "{count}" })).toBe("12,345 events of {count}");
  expect(say("plain")).toBe("Nothing");
});

test("nodes stand in the places as they are", () => {
  const nodes = say.nodes("found", { count: 2, who: "<b>" }) as { props: { children: unknown } }[];
  expect(nodes.map((node) => node.props.children)).toEqual(["", "2", " events of ", "<b>", ""]);
});

test("another language has its own words, plurals, numbers and dates", () => {
  chooseLanguage(["xx", "pl-PL", "en"]);
  expect([1, 3, 5].map((count) => say("found", { count, who: "Ana" }))).toEqual(["Ana: 1 zdarzenie", "Ana: 3 zdarzenia", "Ana: 5 zdarzeń"]);
  const nodes = say.nodes("found", { count: 3, who: "Ana" }) as { props: { children: unknown } }[];
  expect(nodes.map((node) => node.props.children).join("")).toBe("Ana: 3 zdarzenia");
  expect(number(1234.5, { useGrouping: true })).toMatch(/^1\s?234,5$/);
  expect(duration(2400)).toBe("2,4 s");
  const zone = createZone("Europe/Warsaw");
  expect(zone.format(new Date("2026-11-20T09:14:07Z"), { weekday: "long", day: "numeric", month: "long" })).toBe("piątek, 20 listopada");
  expect(fullTime("2026-11-20T09:14:07.482Z", zone)).toBe("20 lis 2026, 10:14:07,482");
});

test("days are the same in a language that counts years and writes digits in its own way", () => {
  wordsOf({ en: { plain: "Nothing" }, fa: { plain: "هیچ" } });
  chooseLanguage(["fa"]);
  expect(number(2026)).toBe("۲٬۰۲۶");
  const zone = createZone("Asia/Tehran");
  expect(zone.dayOf(new Date("2026-11-20T22:00:00Z"))).toBe("2026-11-21");
  expect(zone.startOf("2026-11-21").toISOString()).toBe("2026-11-20T20:30:00.000Z");
});

test("what a language has no words for is said in English, with the plurals of English", () => {
  chooseLanguage(["pl"]);
  expect([untranslated("found", { count: 1 }), untranslated("found", { count: 3 })]).toEqual(["1 event", "3 events"]);
});

test("a language that nothing has words for is English", () => {
  for (const wanted of [["xx", "en-US"], ["xx"], []]) {
    chooseLanguage(["pl"]);
    chooseLanguage(wanted);
    expect([locale(), say("plain")]).toEqual(["en-GB", "Nothing"]);
  }
});
