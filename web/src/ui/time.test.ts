import { expect, test } from "vitest";
import { ago, clock, dayHeading, duration, fullTime, longDate, wholeDuration } from "./time";
import { createZone } from "./zone";

const LONDON = createZone("Europe/London");
const NOW = new Date("2026-11-20T09:18:30Z");

test.each([
  ["2026-11-20T09:18:22Z", "Just now"],
  ["2026-11-20T09:18:50Z", "Just now"],
  ["2026-11-20T10:18:50Z", "In the future"],
  ["2026-11-20T09:14:07Z", "4 min ago"],
  ["2026-11-20T07:10:00Z", "2 h ago"],
  ["2026-11-19T23:59:00Z", "Yesterday"],
  ["2026-11-18T23:59:00Z", "2 days ago"],
  ["2026-09-22T09:00:00Z", "59 days ago"],
  ["2025-11-18T09:00:00Z", "12 months ago"],
  ["2021-07-21T08:00:06Z", "5 years ago"],
])("%s was %s", (instant, want) => expect(ago(instant, NOW, LONDON)).toBe(want));

test.each([
  ["2026-11-20", "Today, 20 November"],
  ["2026-11-19", "Yesterday, 19 November"],
  ["2026-11-18", "Wednesday, 18 November"],
  ["2025-11-18", "Tuesday, 18 November 2025"],
])("the day %s is headed %s", (day, want) => expect(dayHeading(day, NOW, LONDON)).toBe(want));

test("times are those of the zone", () => {
  expect(clock("2026-07-01T09:14:07.482Z", LONDON)).toBe("10:14:07");
  expect(fullTime("2026-07-01T09:14:07.082Z", LONDON)).toBe("1 Jul 2026, 10:14:07.082");
  expect(longDate("2020-06-30T23:30:00Z", LONDON)).toBe("1 July 2020");
  expect(clock("2026-07-01T09:14:07.482Z", createZone("Asia/Tokyo"))).toBe("18:14:07");
});

test.each([
  [480, "480 ms"],
  [2400, "2.4 s"],
  [150_000, "3 min"],
  [7_200_000, "2 h"],
  [15_552_000_000, "180 days"],
])("%i ms is %s", (ms, want) => expect(duration(ms)).toBe(want));

test("what is known in whole seconds has no tenths", () => expect([0, 48, 90].map(wholeDuration)).toEqual(["0 s", "48 s", "2 min"]));
