import { expect, test } from "vitest";
import { printRange } from "./range";
import { typedRange } from "./typed";

test.each([
  ["2h", "2h"],
  [" 90 min ", "90m"],
  ["45 minutes", "45m"],
  ["Last 7 days", "7d"],
  ["2 weeks", "14d"],
  ["Yesterday", "yesterday"],
  ["all time", "all"],
  ["2026-10-01..2026-10-07", "2026-10-01..2026-10-07"],
  ["2026-10-07 – 2026-10-01", "2026-10-01..2026-10-07"],
  ["2026-10-01 to 2026-10-07", "2026-10-01..2026-10-07"],
  ["2026-10-05", "2026-10-05..2026-10-05"],
  ["since 2026-10-05", "2026-10-05.."],
  ["..2026-10-05", "..2026-10-05"],
  ["2026-11-01T09:00:00Z..2026-11-01T10:00:00Z", "2026-11-01T09:00:00Z..2026-11-01T10:00:00Z"],
])("%s is %s", (text, range) => expect(printRange(typedRange(text)!)).toBe(range));

test.each(["", "0h", "soon", "7", "2026-02-30", "2026-10-01..soon", "1..2..3", "since yesterday", "123456d", "2 months"])("%s is no range", (text) => {
  expect(typedRange(text)).toBeNull();
});
