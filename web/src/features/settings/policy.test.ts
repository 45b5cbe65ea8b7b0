import { describe, expect, test } from "vitest";
import type { OrganizationSetup } from "../../api/administration";
import { FieldFault } from "../../ui/attempt";
import { applied, carried, differences, GROUPS, isUndecided, read, retentionChoices, written, type Field } from "./policy";

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

const setup = (policy: object, days?: number | null): OrganizationSetup => ({
  name: "o",
  policy: { ...policy },
  pending_retention: days === undefined ? null : { retention_days: days, takes_effect_at: "2026-12-01T00:00:00.000Z" },
});

test("two setups differ in what one of them has not, and in what differs inside", () =>
  expect(differences(setup({ a: 1, b: [1], c: null }), setup({ b: [2], c: null, d: 1 })).sort()).toEqual(["a", "b", "d"]));

describe("a shorter retention that waits", () => {
  // The policy has the days in force, which stay the same while a shorter retention begins to wait: a draft of them would have taken it back unseen.
  test.each<[string, OrganizationSetup, OrganizationSetup]>([
    ["begins to wait", setup({ retention_days: null }), setup({ retention_days: null }, 30)],
    ["begins to wait where none was set", setup({}), setup({ retention_days: null }, 30)],
    ["is another one", setup({ retention_days: null }, 30), setup({ retention_days: null }, 10)],
    ["waits no more", setup({ retention_days: null }, 30), setup({ retention_days: null })],
  ])("that %s is a difference, and takes what was said of the retention out of a draft", (_, one, other) => {
    expect(differences(one, other)).toEqual(["retention_days"]);
    expect(carried({ title: "Mine", retention_days: "" }, one, other)).toEqual({ title: "Mine" });
  });

  test("that is the same leaves a draft as it is", () => {
    const draft = { title: "Mine", retention_days: "30" };
    expect(carried(draft, setup({ retention_days: null }, 30), setup({ retention_days: null, title: "Theirs" }, 30))).toBe(draft);
  });

  test("stands or is taken back, and anything else leaves it open", () => {
    const waiting = setup({ retention_days: 90 }, 30);
    expect(retentionChoices(waiting)).toEqual({ stands: "30", back: "90" });
    expect(retentionChoices(setup({ retention_days: null }, 30))).toEqual({ stands: "30", back: "" });
    expect(["30", "90"].map((text) => isUndecided(waiting, { title: "Mine", retention_days: text }))).toEqual([false, false]);
    expect(["60", "", null].map((text) => isUndecided(waiting, { title: "Mine", retention_days: text }))).toEqual([true, true, true]);
    expect([isUndecided(waiting, { title: "Mine" }), isUndecided(waiting, {}), isUndecided(setup({}), { title: "Mine" })]).toEqual([true, false, false]);
  });
});
