import { expect, test } from "vitest";
import { clip, countryName, fieldName, initials, personOf, sentenceCase, targetOf, valueLabel } from "./words";

const actor = { type: "user", id: null, name: null, email: null, team: null };

test.each([
  [{ ...actor, id: "u_81", name: "Sarah Khan", email: "s@x.example" }, "Sarah Khan", "s@x.example"],
  [{ ...actor, id: "u_81", email: "s@x.example" }, "s@x.example", "u_81"],
  [{ ...actor, id: "u_81" }, "u_81", ""],
  [{ ...actor, type: "service", id: "sync" }, "sync", "Service"],
  [{ ...actor, type: "anonymous" }, "Anonymous", "Not signed in"],
  [{ ...actor, type: "system" }, "System", ""],
  [null, "Removed", ""],
])("%j is called %s", (who, name, detail) => expect(personOf(who)).toEqual({ name, detail }));

test("a target has its name and what it is", () => {
  expect(targetOf({ type: "api_key", id: "k1", name: null, email: null })).toEqual({ name: "k1", detail: "Api key" });
  expect(targetOf({ type: "user", id: null, name: "Bill", email: "b@x.example" })).toEqual({ name: "Bill", detail: "User · b@x.example" });
});

test("long texts are cut, and what would deceive the eye is named", () => {
  expect(clip("x".repeat(400))).toBe(`${"x".repeat(300)}…`);
  expect(clip("invoice\u202efdp.exe\u0000")).toBe("invoice⟨U+202E⟩fdp.exe⟨U+0000⟩");
  expect(clip("مرحبا two\nlines")).toBe("مرحبا two\nlines");
});

test.each([
  ["Sarah Khan", "SK"],
  ["bill@fashion.example", "BI"],
  ["svc-provisioner", "SP"],
  ["Ünsal Å Özil", "ÜÖ"],
  ["😀", "·"],
  ["李", "李"],
  ["", "·"],
])("the initials of %s are %s", (name, want) => expect(initials(name)).toBe(want));

test("values and fields are said in words", () => {
  expect(sentenceCase("users_and_permissions")).toBe("Users and permissions");
  expect(valueLabel("action_type", "read")).toBe("View");
  expect(valueLabel("country", "gb")).toBe("United Kingdom");
  expect(valueLabel("actor", "u1", new Map([["u1", "Sarah"]]))).toBe("Sarah");
  expect(countryName("ZZZ")).toBe("ZZZ");
  expect(fieldName("metadata.plan.tier")).toBe("plan.tier");
});
