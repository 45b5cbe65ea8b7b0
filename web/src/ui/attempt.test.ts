// Where the words of a refusal stand: at the field that they are about, else above the button.
import { expect, test } from "vitest";
import { Problem } from "../api/problem";
import { FieldFault, refusal } from "./attempt";

const fields = new Set(["password", "name"]);

test.each([
  ["what belongs to a field stands there, and nowhere else", { detail: "/password: too short", errors: [{ pointer: "/password", detail: "too short" }] }, { reason: null, faults: [["password", "Too short."]] }],
  ["what belongs to no field is said above the button", { errors: [{ pointer: "/token", detail: "this link was used" }] }, { reason: "This link was used.", faults: [] }],
  ["a refusal without faults is the sentence of the server", { detail: "Too many tries. Wait a while." }, { reason: "Too many tries. Wait a while.", faults: [] }],
  ["what is wrong inside of a field stands at it, with its place", { errors: [{ pointer: "/name/1/first", detail: "too long" }] }, { reason: null, faults: [["name", "/1/first: too long"]] }],
  ["a field has its first fault", { errors: [{ pointer: "/name", detail: "One." }, { pointer: "/name", detail: "Two." }] }, { reason: null, faults: [["name", "One."]] }],
])("%s", (_, body, want) => {
  const { reason, faults } = refusal(new Problem(422, body), fields);
  expect({ reason, faults: [...faults] }).toEqual(want);
});

test("a failure that is no answer has its own words", () => expect(refusal(new Error("The browser keeps no session."), fields).reason).toBe("The browser keeps no session."));

test("a fault that the screen finds stands at its field", () => expect([...refusal(new FieldFault("name", "No."), fields).faults]).toEqual([["name", "No."]]));
