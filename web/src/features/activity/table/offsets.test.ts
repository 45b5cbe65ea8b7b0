import { expect, test } from "vitest";
import { drawn, lineAt, startsOf } from "./offsets";

const STARTS = startsOf(4, (index) => [30, 50, 50, 30][index]!);

test("lines begin where those before them end", () => expect([...STARTS]).toEqual([0, 30, 80, 130, 160]));

test.each([
  [-5, 0],
  [0, 0],
  [29, 0],
  [30, 1],
  [129, 2],
  [130, 3],
  [999, 3],
])("at %s is line %s", (offset, line) => expect(lineAt(STARTS, offset)).toBe(line));

test("an empty list has no line to be at", () => expect(lineAt(startsOf(0, () => 50), 10)).toBe(0));

test("what is not drawn leaves its space, also between lines", () => {
  expect(drawn(STARTS, 2, 2, [])).toEqual({ lines: [{ index: 2, gap: 80 }], after: 30 });
  expect(drawn(STARTS, 3, 9, [0, -1, 7])).toEqual({ lines: [{ index: 0, gap: 0 }, { index: 3, gap: 100 }], after: 0 });
  expect(drawn(STARTS, 0, 3, [2]).lines.every(({ gap }) => gap === 0)).toBe(true);
});
