import { expect, test } from "vitest";
import { createZone } from "../ui/zone";
import { ALL, customRange, daysOf, parseRange, PRESETS, printRange, rangeLabel, resolve } from "./range";

// Summer time ended on 25 October 2026.
const LONDON = createZone("Europe/London");
const NOW = new Date("2026-11-20T09:18:30Z");

test.each([
  ["today", { from: "2026-11-20T00:00:00.000Z" }],
  ["yesterday", { from: "2026-11-19T00:00:00.000Z", to: "2026-11-20T00:00:00.000Z" }],
  ["7d", { from: "2026-11-14T00:00:00.000Z" }],
  ["28d", { from: "2026-10-24T00:00:00.000+01:00" }],
  ["all", {}],
  ["2026-10-25..2026-10-25", { from: "2026-10-24T23:00:00.000Z", to: "2026-10-26T00:00:00.000Z" }],
  ["2026-11-01..", { from: "2026-11-01T00:00:00.000Z" }],
  ["..2026-11-01", { to: "2026-11-02T00:00:00.000Z" }],
  ["2026-11-01T09:00:00.000Z..2026-11-01T10:00:00.000Z", { from: "2026-11-01T09:00:00.000Z", to: "2026-11-01T10:00:00.000Z" }],
])("%s means these instants", (text, want) => {
  const instants = Object.fromEntries(Object.entries(want).map(([end, text]) => [end, new Date(text).toISOString()]));
  expect(resolve(parseRange(text), NOW, LONDON)).toEqual(instants);
});

test.each([null, "", "tomorrow", "2026-13-01..", "2026-02-30x..", "a..b", "1..2..3"])("%s is no range", (text) => {
  expect(parseRange(text)).toBeNull();
});

test("two open ends are everything", () => expect(parseRange("..")).toEqual(ALL));

test("what the URL says is read back", () => {
  for (const text of [...PRESETS, "2026-11-01..2026-11-07", "2026-11-01..", "..2026-11-07"]) expect(printRange(parseRange(text)!)).toBe(text);
});

test("ends in the wrong order are turned round", () => {
  expect(customRange("2026-11-07", "2026-11-01")).toEqual({ kind: "custom", from: "2026-11-01", to: "2026-11-07" });
});

test.each([
  ["28d", "Last 28 days"],
  ["2026-11-01..2026-11-01", "1 Nov 2026"],
  ["2026-11-01..2026-11-07", "1 Nov 2026 – 7 Nov 2026"],
  ["2026-11-01..", "Since 1 Nov 2026"],
  ["..2026-11-07", "Until 7 Nov 2026"],
  ["2026-11-01T09:00:00.000Z..2026-11-01T10:00:00.000Z", "1 Nov 2026, 09:00 – 10:00"],
])("%s is called %s", (text, label) => expect(rangeLabel(parseRange(text)!, LONDON)).toBe(label));

test("the date fields show the days of a range, the last one included", () => {
  expect(daysOf(parseRange("yesterday")!, NOW, LONDON)).toEqual({ from: "2026-11-19", to: "2026-11-19" });
  expect(daysOf(parseRange("28d")!, NOW, LONDON)).toEqual({ from: "2026-10-24", to: "" });
});
