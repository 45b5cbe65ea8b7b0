import { describe, expect, test } from "vitest";
import { FieldFault } from "../../ui/attempt";
import { applied, differences, GROUPS, read, written, type Field } from "./policy";

const field = (name: string): Field => GROUPS.flatMap((group) => group.fields).find((each) => each.name === name)!;

describe("a field", () => {
  test.each<[string, unknown, string]>([
    ["retention_days", 90, "90"],
    ["retention_days", null, ""],
    ["legal_hold", true, "true"],
    ["view_roles", ["owner", "auditor"], "owner\nauditor"],
    ["view_roles", [], ""],
    ["title", null, ""],
    ["columns", [{ id: "a" }], '[\n  {\n    "id": "a"\n  }\n]'],
  ])("%s with %j is written, and read as it was", (name, value, text) => {
    expect(written({ [name]: value }, field(name))).toBe(text);
    expect(read(field(name), text)).toEqual(value);
  });

  test("what is not set is inherited", () => expect(written({}, field("title"))).toBeNull());

  test.each([
    ["columns", "[{"],
    ["retention_days", "ninety"],
    ["retention_days", "-1"],
    ["retention_days", "1e3"],
  ])("%s with %j is a fault of the field", (name, text) => {
    expect(() => read(field(name), text)).toThrow(FieldFault);
  });
});

test("a draft changes what it speaks of, and leaves the rest, what the form does not know included", () => {
  const policy = { retention_days: 90, title: "Log", newer_field: 1 };
  expect(applied(policy, { title: null, legal_hold: "true" })).toEqual({ retention_days: 90, legal_hold: true, newer_field: 1 });
});

test("two policies differ in what one of them has not, and in what differs inside", () =>
  expect(differences({ a: 1, b: [1], c: null }, { b: [2], c: null, d: 1 }).sort()).toEqual(["a", "b", "d"]));
