import { describe, expect, test } from "vitest";
import type { Policy } from "../../api/contract";
import { createLabels } from "../../event/labels";
import { spotAt } from "../../query/spot";
import { createZone } from "../../ui/zone";
import { questions } from "./questions";
import { suggest, type Suggestion } from "./suggestions";
import type { Choice } from "./useValues";

const zone = createZone("Pacific/Auckland");
const policy = { labels: { fields: { actor: "Performed by" }, values: {}, screen: {} }, areas: [], action_types: [], actions: [] };
const labels = createLabels(policy as unknown as Policy, zone);
const choice = (value: string, count = 1): Choice => ({ value, label: value, detail: "", count });

/** What the text becomes by each suggestion where `|` is the caret, by group. */
function drafts(marked: string, values: Record<string, Choice[]> = {}): Record<string, string[]> {
  const [caret, text] = [marked.indexOf("|"), marked.replace("|", "")];
  const found = suggest({
    text,
    spot: spotAt(text, caret),
    values: new Map(Object.entries(values)),
    questions: questions({ kind: "key", organization: "o", project: null, key: "k" }),
    labels,
    zone,
    now: new Date("2026-11-25T11:00:00Z"),
  });
  return Object.fromEntries(found.map(({ name, suggestions }) => [name, suggestions.map(({ draft }: Suggestion) => draft.text)]));
}

describe("suggestions", () => {
  test("an empty box has questions and fields, a query no questions", () => {
    expect(drafts("|")["questions"]).toContain("type:export ");
    expect(drafts("x |")["questions"]).toBeUndefined();
    expect(drafts("x |")["fields"]).toContain("x actor");
  });

  test("a field is found by the policy's name and by the query's", () => {
    expect(drafts("perf|")["fields"]).toEqual(["actor"]);
    expect(drafts("acto|")["fields"]).toEqual(["actor", "actor_type"]);
  });

  test("what is to hold comes after the whole name, and stays excluded where it began with a minus", () => {
    expect(drafts("team|")["operators"]).toEqual(["team:", "-team:", "team:* ", "-team:* "]);
    expect(drafts("-team|")["operators"]).toEqual(["-team:", "-team:* "]);
    expect(drafts("security|")["operators"]).toEqual(["security:"]);
    expect(drafts("-tea|")["fields"]).toEqual(["-team:"]);
  });

  test("values are written so that they mean themselves", () => {
    expect(drafts("area:|", { area: [choice('a "b", (c)*')] })["values"]).toEqual(['area:"a \\"b\\", (c)*" ']);
    expect(drafts("area:x,b|", { area: [choice("b c")] })["values"]).toEqual(['area:x,"b c" ']);
    expect(drafts("sa|", { actor: [choice("sa x")] })["found"]).toEqual(['actor:"sa x" ']);
    expect(drafts("-sa|", { actor: [choice("sa x")] })["found"]).toEqual(['-actor:"sa x" ']);
  });

  test("what is written already is not suggested, and to search words no value without events is", () => {
    expect(drafts("area:users|", { area: [choice("users")] })).toEqual({});
    expect(drafts("us|", { area: [choice("users", 0)] })["found"]).toBeUndefined();
    expect(drafts("area:us|", { area: [choice("users", 0)] })["values"]).toEqual(["area:users "]);
  });

  test("an address is one, and its beginning is a beginning", () => {
    expect(drafts("203.0.113.9|")["found"]).toEqual(["ip:203.0.113.9 "]);
    expect(drafts("-203.0.|")["found"]).toEqual(["-ip:203.0.* "]);
    expect(drafts("2001:db8::|")["found"]).toEqual(["ip:2001:db8:: "]);
  });

  test("days are those of the zone", () => {
    expect(drafts("after:|")["values"]).toEqual(["after:2026-11-26 ", "after:2026-11-25 ", "after:2026-11-19 ", "after:2026-10-29 "]);
  });
});

test("whoever is signed in can ask for their own activity", () => {
  const asked = questions({ kind: "session", organization: "o", project: null, person: "Sarah", email: "sarah@o.example", isOperator: false });
  expect(asked.at(-1)).toEqual({ id: "my_activity", query: "actor:sarah@o.example" });
  expect(questions({ kind: "token", organization: "o", project: null, key: "k" }).map(({ id }) => id)).not.toContain("my_activity");
});
