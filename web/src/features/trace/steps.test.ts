import { expect, test } from "vitest";
import type { Event } from "../../api/contract";
import { stepsOf } from "./steps";

const at = (...seconds: number[]) => seconds.map((second) => ({ occurred_at: new Date(second * 1000).toISOString() }) as Event);

test("each step begins where its event stands and lasts until the next", () => {
  expect(stepsOf(at(10, 11, 14)).map(({ event: _, ...step }) => step)).toEqual([
    { after_ms: 0, lasts_ms: 1000, begin: 0, length: 0.25 },
    { after_ms: 1000, lasts_ms: 3000, begin: 0.25, length: 0.75 },
    { after_ms: 4000, lasts_ms: null, begin: 1, length: 0 },
  ]);
  expect(stepsOf(at(5, 5)).map((step) => [step.begin, step.length])).toEqual([[0, 0], [0, 0]]);
  expect(stepsOf([])).toEqual([]);
});
