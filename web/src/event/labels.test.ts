// Words for what events carry, whatever names it has.
import { expect, test } from "vitest";
import type { Event, Policy } from "../api/contract";
import { UTC } from "../ui/zone";
import { createLabels } from "./labels";

const POLICY = {
  labels: { fields: { actor: "Person" }, values: { role: { owner: "Owner" }, action: { "user.added": "Added" } }, screen: { export: "Take" } },
  areas: [{ id: "users", label: "Users and permissions", why: null }],
  action_types: [{ id: "read", label: "View" }],
  actions: [{ id: "known", label: "Known", why: "It matters." }],
} as unknown as Policy;

const labels = createLabels(POLICY, UTC);

test("values have the policy's words, else the catalog's, else the built-in ones, else themselves", () => {
  expect([labels.at("action", "user.added"), labels.at("area", "users"), labels.at("action_type", "read"), labels.at("country", "GB"), labels.at("product", "X")]).toEqual(["Added", "Users and permissions", "View", "United Kingdom", "X"]);
  expect([labels.field("actor"), labels.screen("export", "Export"), labels.screen("apply", "Apply")]).toEqual(["Person", "Take", "Apply"]);
});

test("a changed field is not an event's own member, whatever it is called", () => {
  const event = { changes: [{ field: "expires_at", before: "never", after: 90 }, { field: "role", before: "owner" }] } as unknown as Event;
  expect(labels.changed("expires_at", 90)).toBe("90");
  expect(labels.changed("role", "owner")).toBe("Owner");
  expect(labels.render("{changes.before} / {changes.after}", event)).toBe("never, Owner / 90");
});

test("names that every object inherits are names like others", () => {
  for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
    expect(labels.at(name, name)).toBe(name);
    expect(labels.changed(name, "name")).toBe("name");
    expect(labels.at("action", name)).toBe(name);
    expect(labels.screen(name, "built in")).toBe("built in");
    expect(labels.field(name).length).toBeGreaterThan(0);
    expect(labels.render(`{metadata.${name}}`, { metadata: {} } as unknown as Event)).toBe("");
  }
});

test("a time that is none is text", () => expect(labels.at("occurred_at", "soon")).toBe("soon"));

test("it is known whether words of the organization may stand for what an event has", () => {
  const bare = { ...POLICY, labels: { fields: {}, values: {}, screen: { export: "Take" } } } as unknown as Policy;
  const rename = (policy: Policy, event: Partial<Event>) => createLabels(policy, UTC).rename(event as Event);
  expect(rename(bare, { action: "plan.changed", action_type: "update", area: null })).toBe(false);
  expect([rename(bare, { action: "known" }), rename(bare, { area: "users" })]).toEqual([true, true]);
  // "View" is the built-in word too.
  expect(rename(bare, { action_type: "read" })).toBe(false);
  expect(rename({ ...bare, action_types: [{ id: "read", label: "Harmless" }] } as unknown as Policy, { action_type: "read" })).toBe(true);
  expect(rename({ ...bare, labels: { ...bare.labels, values: { role: { owner: "Owner" } } } }, { action: "plan.changed" })).toBe(true);
});
