import { expect, test } from "vitest";
import { FieldFault } from "./attempt";
import { linesOf, readHeaders, writeHeaders } from "./lines";

test("lines that say nothing are none", () => {
  expect(linesOf(" a \n\n  \nb")).toEqual(["a", "b"]);
  expect(linesOf()).toEqual([]);
});

test("headers are written one a line, and a line that is none is named", () => {
  expect(readHeaders("headers", " A: 1 \n\nB:x:y")).toEqual({ A: "1", B: "x:y" });
  expect(writeHeaders({ A: "1", B: "2" })).toBe("A: 1\nB: 2");
  expect(() => readHeaders("destination/headers", "nothing of that")).toThrow(FieldFault);
});
