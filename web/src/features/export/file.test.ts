import { expect, test } from "vitest";
import { chosenAtFirst, columnsOf, jobOf, requestOf, usualColumns, type Wish } from "./file";

const PRODUCT = { columns: [{ id: "when", label: "When", value: "{occurred_at}" }, { id: "user", label: "Who", value: "{actor.name}" }] };
const PLAIN = { columns: [] };
const FILTERS = { q: "type:delete", from: "2026-11-01T00:00:00.000Z", to: undefined };
const RANGE = { from: FILTERS.from };
const wish = (more: Partial<Wish>): Wish => ({ scope: "filtered", format: "csv", columns: "screen", chosen: [], zone: "UTC", isMailed: false, ...more });
const shown = (policy: Parameters<typeof usualColumns>[0]) => ({ filters: FILTERS, columns: usualColumns(policy) });

test("a filtered file has the query, the range and the columns of the screen", () => {
  const wanted = wish({ zone: "Europe/London" });
  expect(requestOf(wanted, shown(PRODUCT), PRODUCT)).toEqual({ path: "/events.csv", parameters: { ...FILTERS, labels: "true", columns: "when,user", time_zone: "Europe/London" } });
  expect(jobOf(wanted, shown(PRODUCT), PRODUCT)).toEqual({ format: "csv", scope: "filtered", filter: "type:delete", ...RANGE, labels: true, columns: ["when", "user"], time_zone: "Europe/London" });
});

test("a file of all has neither query nor range, and one of the dates no query", () => {
  const all = wish({ scope: "all", format: "jsonl" });
  expect(requestOf(all, shown(PRODUCT), PRODUCT)).toEqual({ path: "/events.jsonl", parameters: { scope: "all" } });
  expect(jobOf(all, shown(PRODUCT), PRODUCT)).toEqual({ format: "jsonl", scope: "all" });
  const dates = wish({ scope: "dates", format: "evidence" });
  expect(requestOf(dates, shown(PRODUCT), PRODUCT)).toEqual({ path: "/events.evidence", parameters: { from: FILTERS.from, to: undefined } });
  expect(jobOf(dates, shown(PRODUCT), PRODUCT)).toEqual({ format: "evidence", scope: "filtered", ...RANGE });
});

test("the built-in columns are paths in a file; a product's column of the same id is its own", () => {
  const columns = (policy: typeof PRODUCT | typeof PLAIN, ids: string[]) => requestOf(wish({}), { filters: {}, columns: ids }, policy).parameters["columns"];
  expect(columns(PLAIN, ["time", "user", "metadata.plan", "time"])).toBe("occurred_at,actor.name,actor.email,metadata.plan");
  expect(columns(PRODUCT, ["user"])).toBe("user");
});

test("every field is what the server writes by itself", () => {
  expect(requestOf(wish({ columns: "all" }), shown(PRODUCT), PRODUCT).parameters).toEqual(FILTERS);
  expect(jobOf(wish({ columns: "all" }), shown(PRODUCT), PRODUCT)).toEqual({ format: "csv", scope: "filtered", filter: "type:delete", ...RANGE });
});

test("fields that were chosen are columns of CSV, in the product's words, and of Parquet, as they are", () => {
  const chosen = ["actor.email", "action"];
  expect(jobOf(wish({ scope: "all", columns: "chosen", chosen }), shown(PLAIN), PLAIN)).toEqual({ format: "csv", scope: "all", columns: chosen, labels: true });
  expect(jobOf(wish({ scope: "all", format: "parquet", columns: "chosen", chosen, zone: "Asia/Kolkata" }), shown(PLAIN), PLAIN)).toEqual({ format: "parquet", scope: "all", columns: chosen });
});

test("a format without columns names none, whatever was chosen before", () => {
  for (const format of ["jsonl", "evidence"] as const) {
    expect(columnsOf(format)).toEqual([]);
    expect(jobOf(wish({ scope: "all", format, columns: "chosen", chosen: ["action"], zone: "Asia/Kolkata" }), shown(PLAIN), PLAIN)).toEqual({ format, scope: "all" });
  }
});

test("the fields of the screen are chosen at first", () => {
  expect(chosenAtFirst({ filters: {}, columns: ["time", "user", "trace_id"] })).toEqual(["occurred_at", "actor.name", "actor.email", "trace_id"]);
  expect(chosenAtFirst(shown(PRODUCT))).toEqual(["actor.name", "actor.email"]);
  expect(chosenAtFirst({ filters: {}, columns: ["when"] })).not.toEqual([]);
});

test("that a file is to be sent is said", () => expect(jobOf(wish({ scope: "all", format: "jsonl", isMailed: true }), shown(PLAIN), PLAIN)).toEqual({ format: "jsonl", scope: "all", email: true }));
