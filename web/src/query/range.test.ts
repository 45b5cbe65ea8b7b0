import { expect, test } from "vitest";
import { createZone } from "../ui/zone";
import { ALL, customRange, daysOf, defaultRange, isMoving, keptSince, parseRange, pin, printRange, rangeLabel, resolve, spanLabel, tooWide, type Limits } from "./range";

// Summer time ended on 25 October 2026.
const LONDON = createZone("Europe/London");
const NOW = new Date("2026-11-20T09:18:30Z");
const FREE: Limits = { default_range_days: null, max_range_days: null, retention_days: null };
const MONTH: Limits = { default_range_days: 30, max_range_days: 30, retention_days: 90 };
const WEEK_FIRST: Limits = { ...FREE, default_range_days: 7 };

const instantsOf = (want: Record<string, string>) => Object.fromEntries(Object.entries(want).map(([end, text]) => [end, new Date(text).toISOString()]));

test.each([
  ["today", { from: "2026-11-20T00:00:00.000Z" }],
  ["yesterday", { from: "2026-11-19T00:00:00.000Z", to: "2026-11-20T00:00:00.000Z" }],
  ["7d", { from: "2026-11-14T00:00:00.000Z" }],
  ["28d", { from: "2026-10-24T00:00:00.000+01:00" }],
  ["2h", { from: "2026-11-20T07:18:00.000Z" }],
  ["30m", { from: "2026-11-20T08:48:00.000Z" }],
  ["all", {}],
  ["2026-10-25..2026-10-25", { from: "2026-10-24T23:00:00.000Z", to: "2026-10-26T00:00:00.000Z" }],
  ["2026-11-01..", { from: "2026-11-01T00:00:00.000Z" }],
  ["..2026-11-01", { to: "2026-11-02T00:00:00.000Z" }],
  ["2026-11-01T09:00:00.000Z..2026-11-01T10:00:00.000Z", { from: "2026-11-01T09:00:00.000Z", to: "2026-11-01T10:00:00.000Z" }],
])("%s means these instants", (text, want) => {
  expect(resolve(parseRange(text), NOW, LONDON, FREE)).toEqual(instantsOf(want));
});

test("a long rolling range does not move with every look", () => {
  const later = new Date(NOW.getTime() + 60_000);
  expect(resolve(parseRange("48h"), later, LONDON, FREE)).toEqual(resolve(parseRange("48h"), NOW, LONDON, FREE));
});

test("all time is all, whatever the policy shows by default, and the widest range where there is one", () => {
  expect(resolve(ALL, NOW, LONDON, WEEK_FIRST)).toEqual({ from: "0001-01-01T00:00:00.000Z" });
  expect(resolve(ALL, NOW, LONDON, MONTH)).toEqual({ from: "2026-10-21T23:00:00.000Z" });
  expect(rangeLabel(ALL, LONDON, WEEK_FIRST)).toBe("All time");
  expect(rangeLabel(ALL, LONDON, MONTH)).toBe("Last 30 days");
});

test("an open beginning is as early as the policy allows", () => {
  expect(resolve(customRange("", "2026-06-10"), NOW, LONDON, WEEK_FIRST).from).toBe("0001-01-01T00:00:00.000Z");
  expect(resolve(customRange("", "2026-06-10"), NOW, LONDON, MONTH).from).toBe("2026-05-11T23:00:00.000Z");
});

test("the default range is called what it is", () => {
  expect(rangeLabel(null, LONDON, FREE)).toBe("All time");
  expect(rangeLabel(null, LONDON, WEEK_FIRST)).toBe("Last 7 days");
  expect(printRange(defaultRange({ ...MONTH, default_range_days: 90 }))).toBe("30d");
  expect(resolve(null, NOW, LONDON, MONTH)).toEqual({});
});

test.each([null, "", "tomorrow", "2026-13-01..", "2026-02-30..", "2026-02-30x..", "a..b", "1..2..3", "0d", "7w", "123456d"])("%s is no range", (text) => {
  expect(parseRange(text)).toBeNull();
});

test("two open ends are everything", () => expect(parseRange("..")).toEqual(ALL));

test("what the URL says is read back", () => {
  for (const text of ["today", "yesterday", "all", "7d", "2h", "15m", "2026-11-01..2026-11-07", "2026-11-01..", "..2026-11-07"]) expect(printRange(parseRange(text)!)).toBe(text);
});

test("ends in the wrong order are turned round", () => {
  expect(customRange("2026-11-07", "2026-11-01")).toEqual({ kind: "custom", from: "2026-11-01", to: "2026-11-07" });
});

test.each([
  ["28d", "Last 28 days"],
  ["1h", "Last hour"],
  ["2026-11-01..2026-11-01", "1 Nov 2026"],
  ["2026-11-01..2026-11-07", "1 Nov 2026 – 7 Nov 2026"],
  ["2026-11-01..", "Since 1 Nov 2026"],
  ["..2026-11-07", "Until 7 Nov 2026"],
  ["2026-11-01T09:00:00.000Z..2026-11-01T10:00:00.000Z", "1 Nov 2026, 09:00 – 10:00"],
])("%s is called %s", (text, label) => expect(rangeLabel(parseRange(text)!, LONDON, FREE)).toBe(label));

test.each([
  ["yesterday", "2026-11-19..2026-11-19"],
  ["7d", "2026-11-14..2026-11-20T09:18:30.000Z"],
  ["2h", "2026-11-20T07:18:00.000Z..2026-11-20T09:18:30.000Z"],
  ["all", "..2026-11-20T09:18:30.000Z"],
  ["2026-11-01..", "2026-11-01..2026-11-20T09:18:30.000Z"],
  ["2026-11-01..2026-11-02", "2026-11-01..2026-11-02"],
])("%s is pinned as %s", (text, want) => {
  const pinned = pin(parseRange(text), NOW, LONDON, FREE);
  expect(printRange(pinned)).toBe(want);
  expect(isMoving(pinned)).toBe(false);
  expect(resolve(pinned, NOW, LONDON, FREE).from).toBe(resolve(parseRange(text), NOW, LONDON, FREE).from);
});

test("the default range is pinned to where the server begins", () => {
  expect(printRange(pin(null, NOW, LONDON, WEEK_FIRST))).toBe("2026-11-13T09:18:30.000Z..2026-11-20T09:18:30.000Z");
  expect(printRange(pin(null, NOW, LONDON, MONTH))).toBe("2026-10-22..2026-11-20T09:18:30.000Z");
  expect(printRange(pin(null, NOW, LONDON, FREE))).toBe("..2026-11-20T09:18:30.000Z");
  expect(printRange(pin(ALL, NOW, LONDON, WEEK_FIRST))).toBe("..2026-11-20T09:18:30.000Z");
});

test("a range is too wide by its calendar days in the zone", () => {
  expect(tooWide(parseRange("30d")!, NOW, LONDON, MONTH)).toBeNull();
  expect(tooWide(parseRange("31d")!, NOW, LONDON, MONTH)).toBe(31);
  expect(tooWide(parseRange("2026-10-01..2026-10-30")!, NOW, LONDON, MONTH)).toBeNull();
  expect(tooWide(parseRange("2026-10-01..2026-10-31")!, NOW, LONDON, MONTH)).toBe(31);
  expect(tooWide(parseRange("2026-10-01..2026-12-31")!, NOW, LONDON, FREE)).toBeNull();
});

test("what is kept begins so many days ago", () => {
  expect(keptSince(NOW, LONDON, MONTH)).toBe("2026-08-22");
  expect(keptSince(NOW, LONDON, FREE)).toBeNull();
});

test("the days of a range, the last one included", () => {
  expect(daysOf(parseRange("yesterday")!, NOW, LONDON, FREE)).toEqual({ from: "2026-11-19", to: "2026-11-19" });
  expect(daysOf(parseRange("28d")!, NOW, LONDON, FREE)).toEqual({ from: "2026-10-24", to: "" });
  expect(daysOf(null, NOW, LONDON, MONTH)).toEqual({ from: "2026-10-22", to: "" });
  expect(daysOf(ALL, NOW, LONDON, WEEK_FIRST)).toEqual({ from: "", to: "" });
});

test.each([
  ["7d", "14 Nov 2026 – now"],
  ["2h", "20 Nov 2026, 07:18 – now"],
  ["yesterday", "19 Nov 2026"],
  ["all", "All time"],
  ["2026-11-01..2026-11-07", "1 Nov 2026 – 7 Nov 2026"],
])("%s covers %s", (text, label) => expect(spanLabel(parseRange(text), NOW, LONDON, FREE)).toBe(label));
