import { expect, test } from "vitest";
import type { Event, Policy } from "../../api/contract";
import { createLabels } from "../../event/labels";
import { UTC } from "../../ui/zone";
import { csvRow, curl } from "./copy";

const labels = createLabels({ labels: { fields: {}, values: {}, screen: {} }, areas: [], action_types: [], actions: [] } as unknown as Policy, UTC);
const event = { description: '=cmd("x")', actor: { name: "Khan, Sarah" }, action: "-5" } as unknown as Event;
const columns = ["{description}", "{actor.name}", "{action}", "{area}"].map((value, place) => ({ id: String(place), label: "", value }));

test("a row quotes what it must and lets no spreadsheet run a cell", () => {
  expect(csvRow(event, columns, labels)).toBe(`"'=cmd(""x"")","Khan, Sarah",'-5,`);
});

test("a command has no credential in it and nothing breaks out of its quotes", () => {
  const access = { kind: "key", key: "secret", organization: "o", project: "it's" } as const;
  expect(curl("https://log.example/v1/organizations/o/events/1", access)).toBe(
    `curl -H "Authorization: Bearer $TRAILBOOK_KEY" -H 'Trailbook-Project: it'\\''s' 'https://log.example/v1/organizations/o/events/1'`,
  );
});
