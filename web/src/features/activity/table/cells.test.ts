import { expect, test } from "vitest";
import type { Event, Policy } from "../../../api/contract";
import { createLabels } from "../../../event/labels";
import { UTC } from "../../../ui/zone";
import { activityValue, linesOf, typeValue } from "./cells";
import { defaultColumns, kindOf, type Column } from "./columns";
import { narrowed } from "./useFloating";

const POLICY = { columns: [], labels: { fields: {}, values: { "actor.type": { anonymous: "Not signed in" } }, screen: {} }, areas: [], action_types: [], actions: [] } as unknown as Policy;
const LABELS = createLabels(POLICY, UTC);
const BUILT_IN = defaultColumns(POLICY, LABELS);

const EVENT = {
  action: "user.role.updated",
  action_type: "update",
  description: "Made owner",
  product: "Users",
  actor: { type: "user", id: "u1", name: "Ana", email: "ana@example.com", team: "Growth" },
  targets: [{ type: "user", id: "u2", name: "Bill", email: "bill@example.com" }],
  context: { ip: "203.0.113.24" },
  changes: [],
  metadata: { plan: "gold", raw: { x: 1 } },
} as unknown as Event;

const column = (template: string) => ({ id: "c", label: "C", template, kind: kindOf(template) }) as Column;
const builtIn = (id: string) => BUILT_IN.find((each) => each.id === id)!;
const texts = (of: Column, event = EVENT) => {
  const { first, second, more } = linesOf(of, event, LABELS);
  return [first.map(({ text }) => text), second.map(({ text }) => text), more];
};

test("what a template joins by a dot stands on the second line", () => {
  expect(texts(column("{targets.name} · {targets.type} · {product}"))).toEqual([["Bill"], ["User", "Users"], 0]);
  expect(texts(column("{actor.name} · {actor.email}"))).toEqual([["Ana"], ["ana@example.com"], 0]);
});

test("nothing is said twice, and of long lists the rest is counted", () => {
  const nameless = { ...EVENT, actor: { ...EVENT.actor!, name: null }, targets: [1, 2, 3, 4, 5].map((n) => ({ type: "file", id: `f${n}`, name: null, email: null })) } as Event;
  expect(texts(builtIn("user"), nameless)).toEqual([["ana@example.com"], [], 0]);
  expect(texts(builtIn("target"), nameless)).toEqual([["f1", "f2", "f3"], ["File"], 2]);
});

test.each([
  [{ type: "anonymous", id: null, name: null, email: null, team: null }, ["Not signed in"], []],
  [{ type: "system", id: null, name: null, email: null, team: null }, ["System"], []],
  [{ type: "service", id: "sync", name: null, email: null, team: null }, ["sync"], ["Service"]],
  [null, ["Removed"], []],
])("who acted is never left open: %j", (actor, first, second) => expect(texts(builtIn("user"), { ...EVENT, actor } as Event)).toEqual([first, second, 0]));

test("a value is asked for as queries know it: by the id where there is one", () => {
  const asked = (template: string) => linesOf(column(template), EVENT, LABELS).first.map(({ field, value }) => [field, value])[0];
  expect(asked("{actor.email}")).toEqual(["actor", "u1"]);
  expect(asked("{actor.team}")).toEqual(["team", "Growth"]);
  expect(asked("{targets.0.name}")).toEqual(["target", "u2"]);
  expect(asked("{metadata.plan}")).toEqual(["metadata.plan", "gold"]);
  expect(asked("{metadata.raw.x}")).toEqual([null, "1"]);
  expect(asked("{context.ip}")).toEqual(["ip", "203.0.113.24"]);
});

test("the type says what was done; where it says nothing the action does, unless it has words already", () => {
  expect(typeValue(EVENT, LABELS)?.text).toBe("Update");
  expect(typeValue({ ...EVENT, action_type: "other" }, LABELS)?.text).toBe("user.role.updated");
  const named = createLabels({ ...POLICY, actions: [{ id: "user.role.updated", label: "Role changed" }] } as unknown as Policy, UTC);
  expect(typeValue({ ...EVENT, action_type: "other" }, named)).toBeNull();
  expect(activityValue(EVENT)).toEqual({ text: "Made owner", field: "action", value: "user.role.updated" });
});

const ANA = { text: "Ana", field: "actor", value: "u1" };

test.each([
  ["", "for", "actor:u1"],
  ["invoice -actor:u1", "for", "invoice actor:u1"],
  ["actor:u2", "for", "actor:u2,u1"],
  ["actor:u1 type:update", "out", "type:update -actor:u1"],
  ["actor:u2,u3 -actor:u4 type:update", "only", "type:update actor:u1"],
] as const)("of %j, %s leaves %j", (query, how, want) => expect(narrowed(query, ANA, how)).toBe(want));
