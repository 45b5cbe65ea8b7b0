import { expect, test } from "vitest";
import { Problem, queryFault } from "./problem";

test.each([
  [{ detail: "At column 7 of the query: expected a value.", column: 7 }, { column: 7, detail: "At column 7 of the query: expected a value." }],
  [{ detail: "the range is wider than 90 days" }, null],
])("%j", (body, want) => expect(queryFault(new Problem(400, body))).toEqual(want));

test("an answer that is no problem document keeps its status and none of its words", async () => {
  const problem = await Problem.of(new Response("<h1>proxy</h1>", { status: 502 }));
  expect([problem.status, problem.message, problem.passing]).toEqual([502, "The server answered 502.", true]);
});
