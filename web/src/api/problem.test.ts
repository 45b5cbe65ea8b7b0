import { expect, test } from "vitest";
import { Problem, queryFault } from "./problem";

test.each([
  [{ detail: "column 7: expected a value" }, { column: 7, detail: "column 7: expected a value" }],
  [{ detail: "bad query", errors: [{ pointer: "/q", detail: "expected a value", column: 3 }] }, { column: 3, detail: "expected a value" }],
  [{ errors: [{ pointer: "q", detail: "too long" }] }, { column: null, detail: "too long" }],
  [{ detail: "At column 7 of q, a value was expected.", column: 7 }, { column: 7, detail: "At column 7 of q, a value was expected." }],
  [{ detail: "the range is wider than 90 days" }, null],
])("%j", (body, want) => expect(queryFault(new Problem(400, body))).toEqual(want));

test("an answer that is no problem document keeps its status and none of its words", async () => {
  const problem = await Problem.of(new Response("<h1>proxy</h1>", { status: 502 }));
  expect([problem.status, problem.message, problem.passing]).toEqual([502, "The server answered 502.", true]);
});
