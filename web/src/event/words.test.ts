import { expect, test } from "vitest";
import type { Event } from "../api/contract";
import { activityOf, clip, countryName, fieldName, headAndTail, initials, personOf, sentenceCase, targetOf, valueLabel } from "./words";

const actor = { type: "user", id: null, name: null, email: null, team: null };

test.each([
  [{ ...actor, id: "u_81", name: "Sarah Khan", email: "s@x.example" }, "Sarah Khan", "s@x.example"],
  [{ ...actor, id: "u_81", email: "s@x.example" }, "s@x.example", "u_81"],
  [{ ...actor, id: "u_81" }, "u_81", ""],
  [{ ...actor, type: "service", id: "sync" }, "sync", "Service"],
  [{ ...actor, type: "service", name: "Sync", id: "svc-1" }, "Sync", "Service · svc-1"],
  [{ ...actor, id: "s@x.example", name: "s@x.example", email: "s@x.example" }, "s@x.example", ""],
  [{ ...actor, type: "anonymous" }, "Anonymous", "Not signed in"],
  [{ ...actor, type: "system" }, "System", ""],
  [null, "Removed", ""],
])("%j is called %s", (who, name, detail) => expect(personOf(who)).toEqual({ name, detail }));

test("a target has its name and what it is", () => {
  expect(targetOf({ type: "api_key", id: "k1", name: null, email: null })).toEqual({ name: "k1", detail: "Api key" });
  expect(targetOf({ type: "user", id: null, name: "Bill", email: "b@x.example" })).toEqual({ name: "Bill", detail: "User · b@x.example" });
});

test.each([
  ["Made owner", "user.role.updated", "Made owner"],
  [null, "CHANGE_LAST_NAME", "Change last name"],
  [null, "user.role_updated", "user.role_updated"],
  [null, "ListRoles", "ListRoles"],
  [null, "", "Removed"],
])("the description %s of %s is shown as %s", (description, action, want) => expect(activityOf({ description, action } as Event)).toBe(want));

test("a target of no known kind is only named", () => {
  expect(targetOf({ type: "unknown", id: "a.zip", name: null, email: null })).toEqual({ name: "a.zip", detail: "" });
});

test("long texts are cut, and what would deceive the eye is named", () => {
  expect(clip("x".repeat(400))).toBe(`${"x".repeat(300)}…`);
  expect(clip("invoice\u202efdp.exe\u0000")).toBe("invoice⟨U+202E⟩fdp.exe⟨U+0000⟩");
  expect(clip("مرحبا two\nlines")).toBe("مرحبا two\nlines");
});

test.each([
  ["C:\\Windows\\System32\\conhost.exe", "C:\\Windows\\System32", "\\conhost.exe"],
  ["arn:aws:iam::123456789012:role/deploy", "arn:aws:iam::123456789012:role", "/deploy"],
  ["a/short/path", "a/short/path", ""],
  ["A sentence that is long and/or has words", "A sentence that is long and/or has words", ""],
])("of %s the middle may be cut", (text, head, tail) => expect(headAndTail(text)).toEqual([head, tail]));

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
  expect(sentenceCase("ec2.amazonaws.com")).toBe("ec2.amazonaws.com");
  expect(valueLabel("action_type", "read")).toBe("View");
  expect(valueLabel("country", "gb")).toBe("United Kingdom");
  expect(valueLabel("actor", "u1", new Map([["u1", "Sarah"]]))).toBe("Sarah");
  expect(countryName("ZZZ")).toBe("ZZZ");
  expect(fieldName("metadata.plan.tier")).toBe("plan.tier");
});

test("areas of the log's own acts are in words as others are", () => expect([valueLabel("area", "trailbook.reads"), valueLabel("area", "users_and_permissions"), valueLabel("area", "a.b")]).toEqual(["Reads", "Users and permissions", "a.b"]));
