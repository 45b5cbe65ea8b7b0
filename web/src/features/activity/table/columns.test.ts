import { expect, test } from "vitest";
import type { Event, Policy } from "../../../api/contract";
import { createLabels } from "../../../event/labels";
import { UTC } from "../../../ui/zone";
import { choosableColumns, metadataPaths } from "./choosable";
import { columnOf, defaultColumns, isPath, kindOf } from "./columns";

const policyWith = (columns: Policy["columns"], fields: Record<string, string> = {}) =>
  ({ columns, labels: { fields, values: {}, screen: {} }, areas: [], action_types: [], actions: [] }) as unknown as Policy;
const setUp = (policy: Policy) => {
  const labels = createLabels(policy, UTC);
  return { labels, defaults: defaultColumns(policy, labels) };
};

test.each([
  ["{occurred_at}", "time"],
  ["{context.ip}", "address"],
  ["{description}", "activity"],
  ["{action_type} — {description}", "activity"],
  ["{action_type}", "type"],
  ["{actor.name} · {actor.email}", "person"],
  ["{actor.email|actor.name|actor.type}", "person"],
  ["{actor.team}", "text"],
  ["{targets.name|targets.id} · {targets.type} · {product}", "target"],
  ["{targets.type}", "text"],
  ["{security}", "security"],
  ["{result}", "result"],
  ["{action}", "text"],
  ["{occurred_at} {description}", "text"],
  ["{metadata.plan}", "text"],
  ["words", "text"],
])("cells of %s are drawn as %s", (template, kind) => expect(kindOf(template)).toBe(kind));

test("the policy's columns stand for the built-in ones, with the policy's words", () => {
  const own = setUp(policyWith([{ id: "when", label: "Date and time", value: "{occurred_at}" }]));
  expect(own.defaults.map(({ id, label, kind, hasDate }) => [id, label, kind, hasDate])).toEqual([["when", "Date and time", "time", true]]);
  const builtIn = setUp(policyWith([], { actor: "Performed by" }));
  expect(builtIn.defaults.map(({ label }) => label)).toEqual(["Time", "Performed by", "Activity", "Target", "IP address"]);
});

test("paths are columns too, metadata among them; what would break a template or the address is none", () => {
  const { labels, defaults } = setUp(policyWith([]));
  expect(columnOf("metadata.plan\\.tier", defaults, labels)?.template).toBe("{metadata.plan\\.tier}");
  expect(columnOf("actor.team", defaults, labels)?.label).toBe("Team");
  expect(columnOf("nonsense", defaults, labels)).toBeNull();
  expect(["metadata.a,b", "metadata.a{b", "metadata.a|b", "metadata.", "metadata", `metadata.${"x".repeat(300)}`].map(isPath)).toEqual([false, false, false, false, false, false]);
});

test("what can be added is what the events have, each once", () => {
  const { labels, defaults } = setUp(policyWith([]));
  const events = [{ metadata: { plan: { tier: "gold" }, "a.b": 1, none: null } }, { metadata: { plan: { tier: "tin" } } }] as unknown as Event[];
  expect(metadataPaths(events)).toEqual(["metadata.a\\.b", "metadata.plan.tier"]);
  const ids = choosableColumns(defaults, events, labels).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toContain("metadata.plan.tier");
  expect(ids).not.toContain("context.ip");
});
