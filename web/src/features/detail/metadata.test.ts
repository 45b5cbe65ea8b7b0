import { expect, test } from "vitest";
import { linesOf } from "./metadata";

test("nested values are lines with the paths that queries write", () => {
  expect(linesOf({ plan: { tier: "gold", "a.b": 1 }, permissions: ["admin", "export"], empty: null, none: [], raw: { body: "x" }, rawness: 2 })).toEqual([
    { path: "metadata.plan.tier", value: "gold" },
    { path: "metadata.plan.a\\.b", value: 1 },
    { path: "metadata.permissions", value: ["admin", "export"] },
    { path: "metadata.rawness", value: 2 },
  ]);
  expect(linesOf(null)).toEqual([]);
});
