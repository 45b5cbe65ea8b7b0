import { expect, test } from "vitest";
import { piles, STACKS } from "./stacks";

const START = "2026-11-20T00:00:00.000Z";
const NEXT = "2026-11-21T00:00:00.000Z";
const BUCKETS = [
  { start: START, count: 5, security: 2 },
  { start: NEXT, count: 0, security: 0 },
];
const row = (action_type: string, count: number) => ({ group: { action_type }, start: START, metrics: { count } });

test("security actions and the rest are told apart by the histogram", () => {
  expect(piles(BUCKETS, STACKS.security, [])).toEqual([
    { start: START, count: 5, parts: { rest: 3, security: 2 } },
    { start: NEXT, count: 0, parts: { rest: 0, security: 0 } },
  ]);
});

test("what is of no other kind is the rest, and an empty bucket stays", () => {
  expect(piles(BUCKETS, STACKS.type, [row("create", 1), row("export", 3), row("delete", 1)])).toEqual([
    { start: START, count: 5, parts: { rest: 3, create: 1, update: 0, delete: 1 } },
    { start: NEXT, count: 0, parts: { rest: 0, create: 0, update: 0, delete: 0 } },
  ]);
});
