// Templates of columns, as the server renders them in files.
import { expect, test } from "vitest";
import type { Event } from "../api/contract";
import { onlyPath, parseTemplate, render, valuesAt } from "./template";

const EVENT = {
  description: "Made owner",
  actor: { type: "user", id: "u1", name: null, email: "ana@example.com", team: null },
  targets: [
    { type: "user", id: "u2", name: "Bill", email: null },
    { type: "team", id: "t1", name: "Growth", email: null },
  ],
  changes: [{ field: "role", before: "admin", after: "owner" }],
  metadata: { "a.b": { c: [1, 2] }, flag: false },
} as unknown as Event;

const plain = (template: string) => render(template, EVENT, ({ value }) => String(value));

test.each([
  ["{actor.name|actor.email}", "ana@example.com"],
  ["{actor.name} · {actor.email}", "— · ana@example.com"],
  ["{actor.name}", ""],
  ["{targets.name}: {targets.1.type}", "Bill, Growth: team"],
  ["{metadata.a\\.b.c} {metadata.flag}", "1, 2 false"],
  ["{{{description}}}", "{Made owner}"],
  ["no path", "no path"],
  ["{targets.7.name}", ""],
])("%s is rendered as %s", (template, text) => expect(plain(template)).toBe(text));

test("the words of a change are looked up by the field's name", () => {
  expect(valuesAt(EVENT, "changes.after")).toEqual([{ of: "role", value: "owner", isChanged: true }]);
  expect(valuesAt(EVENT, "changes.field")).toEqual([{ of: "changes.field", value: "role", isChanged: false }]);
});

test("a template that is one path is known", () => {
  expect(onlyPath("{occurred_at}")).toBe("occurred_at");
  expect([onlyPath("{a|b}"), onlyPath("{a} "), onlyPath("a")]).toEqual([null, null, null]);
});

test("a brace without its partner stands as text", () => expect(parseTemplate("a } b {c")).toEqual([{ text: "a } b {c" }]));
