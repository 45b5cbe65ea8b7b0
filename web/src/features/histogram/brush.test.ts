import { expect, test } from "vitest";
import { customRange, parseRange } from "../../query/range";
import { barAt, stepsTo, stretch, undone, type Step } from "./brush";

test("a stretch goes either way and stays among the bars", () => {
  expect(stretch({ anchor: 4, head: 2 }, 28)).toEqual([2, 4]);
  expect(stretch({ anchor: 26, head: 40 }, 28)).toEqual([26, 27]);
  expect(stretch({ anchor: 1, head: -3 }, 28)).toEqual([0, 1]);
});

test("a point lies on a bar, also at the very end", () => {
  expect([barAt(0, 4), barAt(0.26, 4), barAt(1, 4), barAt(-1, 4)]).toEqual([0, 1, 3, 0]);
});

const month = parseRange("28d");
const week = customRange("2026-11-01", "2026-11-07");
const day = customRange("2026-11-03", "2026-11-03");
const STEPS: Step[] = [
  { before: month, after: week },
  { before: week, after: day },
];

test("steps are undone from the last one on", () => {
  expect(undone(STEPS, 1)).toEqual({ range: week, steps: STEPS.slice(0, 1) });
  expect(undone(STEPS, 5)).toEqual({ range: month, steps: [] });
  expect(undone([], 1)).toBeNull();
});

test("a range that was chosen otherwise has no steps behind it", () => {
  expect(stepsTo(day, STEPS)).toEqual(STEPS);
  expect(stepsTo(month, STEPS)).toEqual([]);
  expect(stepsTo(null, STEPS)).toEqual([]);
});
