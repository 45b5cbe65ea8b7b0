import { expect, test } from "vitest";
import { requestOf, usualColumns, type Wish } from "./file";

const PRODUCT = { columns: [{ id: "when", label: "When", value: "{occurred_at}" }, { id: "user", label: "Who", value: "{actor.name}" }] };
const PLAIN = { columns: [] };
const FILTERS = { q: "type:delete", from: "2026-11-01T00:00:00.000Z", to: undefined };
const wish = (more: Partial<Wish>): Wish => ({ scope: "filtered", format: "csv", isOfScreen: true, zone: "UTC", ...more });
const shown = (policy: Parameters<typeof usualColumns>[0]) => ({ filters: FILTERS, columns: usualColumns(policy) });

test("a filtered file has the query, the range and the columns of the screen", () => {
  expect(requestOf(wish({ zone: "Europe/London" }), shown(PRODUCT), PRODUCT)).toEqual({
    path: "/events.csv",
    parameters: { ...FILTERS, labels: "true", columns: "when,user", time_zone: "Europe/London" },
  });
});

test("a file of all has neither query nor range, and one of the dates no query", () => {
  expect(requestOf(wish({ scope: "all", format: "jsonl" }), shown(PRODUCT), PRODUCT)).toEqual({ path: "/events.jsonl", parameters: { scope: "all" } });
  expect(requestOf(wish({ scope: "dates", format: "evidence" }), shown(PRODUCT), PRODUCT)).toEqual({ path: "/events.evidence", parameters: { from: FILTERS.from, to: undefined } });
});

test("the built-in columns are paths in a file; a product's column of the same id is its own", () => {
  const columns = (policy: typeof PRODUCT | typeof PLAIN, ids: string[]) => requestOf(wish({}), { filters: {}, columns: ids }, policy).parameters["columns"];
  expect(columns(PLAIN, ["time", "user", "metadata.plan", "time"])).toBe("occurred_at,actor.name,actor.email,metadata.plan");
  expect(columns(PRODUCT, ["user"])).toBe("user");
});

test("every field is what the server writes by itself", () => {
  expect(requestOf(wish({ isOfScreen: false }), shown(PRODUCT), PRODUCT).parameters).toEqual(FILTERS);
});
