import { expect, test } from "vitest";
import type { Event } from "../../../api/contract";
import { createZone } from "../../../ui/zone";
import { headingOf, keyOf, linesByDay } from "./rows";

const at = (sequence: number, occurred_at: string) => ({ id: `e${sequence}`, sequence, occurred_at }) as Event;

const LINES = linesByDay([at(2, "2026-06-30T23:30:00.000Z"), at(1, "2026-06-30T22:30:00.000Z"), at(0, "2026-06-30T01:00:00.000Z")], createZone("Europe/London"));

test("days are those of the zone: half past midnight in summer is still yesterday in UTC", () => {
  expect(LINES.map(keyOf)).toEqual(["2026-07-01", "e2", "2026-06-30", "e1", "e0"]);
});

test("every line knows the heading that it stands under", () => {
  expect([0, 1, 2, 3, 4, 9].map((index) => headingOf(LINES, index))).toEqual([0, 0, 2, 2, 2, 2]);
});
