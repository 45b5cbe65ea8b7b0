// The first group that a person is in decides, so that lines in another order are other rights.
import { expect, test } from "vitest";
import { FieldFault } from "../../ui/attempt";
import { canWriteBack, readRoles, writeRoles } from "./roles";

test("lines are read in their order, and written as they were", () => {
  const text = "zebra = auditor\nlog-admins = administrator\na=b = owner\n__proto__ = standard\n10.2 = owner\n007 = standard";
  const roles = readRoles(text);
  expect(Object.entries(roles)).toEqual([["zebra", "auditor"], ["log-admins", "administrator"], ["a=b", "owner"], ["__proto__", "standard"], ["10.2", "owner"], ["007", "standard"]]);
  expect(writeRoles(roles)).toBe(text);
  expect(canWriteBack(roles)).toBe(true);
  expect(readRoles(undefined)).toEqual({});
});

test.each([
  ["no role", "admins", "Write group = role: admins"],
  ["no group", "= owner", "Write group = role: = owner"],
  ["a group that would be sent before all others", "admins = owner\n100 = auditor", "100"],
  ["a group twice, of which the first would not count", "a = auditor\na = owner", "a"],
])("%s is a fault of the field", (_, text, words) => {
  expect(() => readRoles(text)).toThrow(FieldFault);
  expect(() => readRoles(text)).toThrow(words);
});

test.each([
  ["a group whose place is lost", '{"admins":"owner","100":"auditor"}'],
  ["a role that a line cannot say", '{"admins":"a=b"}'],
  ["a group of two lines", '{"a = x\\nb":"owner"}'],
])("%s is not written back", (_, document) => expect(canWriteBack(JSON.parse(document) as Record<string, string>)).toBe(false));
