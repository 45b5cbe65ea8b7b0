import { expect, test } from "vitest";
import { UTC } from "../../ui/zone";
import { axis, bars, height, intervalFor, isArriving, sum } from "./bars";

test.each([
  ["2026-11-20T00:00:00Z", "2026-11-20T09:00:00Z", "hour"],
  ["2026-10-24T00:00:00Z", "2026-11-20T09:00:00Z", "day"],
  ["2025-11-20T00:00:00Z", "2026-11-20T09:00:00Z", "week"],
  ["2015-11-20T00:00:00Z", "2026-11-20T09:00:00Z", "month"],
])("from %s to %s is drawn by %s", (from, to, want) => expect(intervalFor({ from, to })).toBe(want));

const days = (count: number) =>
  Array.from({ length: count }, (_, day) => ({ start: new Date(Date.UTC(2026, 0, 1 + day)).toISOString(), count: 2, parts: { security: day % 2, rest: 2 - (day % 2) } }));

test("a bar ends where the next one begins, the last one with the span", () => {
  const span = { from: "2026-01-01T00:00:00.000Z", to: "2026-01-03T08:00:00.000Z" };
  expect(bars(days(3), span).map((bar) => [bar.from, bar.to])).toEqual([
    ["2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"],
    ["2026-01-02T00:00:00.000Z", "2026-01-03T00:00:00.000Z"],
    ["2026-01-03T00:00:00.000Z", "2026-01-03T08:00:00.000Z"],
  ]);
});

test("the first bar begins with the span, not with the week that it is in", () => {
  expect(bars(days(3), { from: "2026-01-01T12:00:00.000Z", to: "2026-01-04T00:00:00.000Z" })[0]?.from).toBe("2026-01-01T12:00:00.000Z");
});

test("too many buckets are added up, and none is lost", () => {
  const found = bars(days(1000), { from: "", to: "2030-01-01T00:00:00.000Z" });
  expect(found.length).toBeLessThanOrEqual(120);
  expect(found.reduce((total, bar) => total + bar.count, 0)).toBe(2000);
  expect(sum(found.map((bar) => bar.parts))).toEqual({ security: 500, rest: 1500 });
});

test("a single event among a million can be seen", () => {
  expect(height(1, 1_000_000)).toBe(3);
  expect(height(0, 10)).toBe(0);
});

test("the axis names the first and the last bar", () => {
  const labels = axis(bars(days(28), { from: "", to: "2026-01-29T00:00:00.000Z" }), "day", UTC);
  expect(labels).toHaveLength(5);
  expect([labels[0], labels[4]]).toEqual(["1 Jan", "28 Jan"]);
  expect(axis([], "day", UTC)).toEqual([]);
});

test("a bar is still arriving until its end has passed", () => {
  const [first, last] = bars(days(2), { from: "2026-01-01T00:00:00.000Z", to: "2026-01-03T00:00:00.000Z" });
  const now = new Date("2026-01-02T10:00:00Z");
  expect([isArriving(first!, now), isArriving(last!, now), isArriving(last!, new Date("2026-01-03T00:00:00Z"))]).toEqual([false, true, false]);
});
