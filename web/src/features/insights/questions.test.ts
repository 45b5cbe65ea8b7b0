// Numbers and the queries behind them.
import { expect, test } from "vitest";
import type { QuerySetting } from "../../api/contract";
import { endOf, LISTS, queryOf, queryOfMetric, TILES } from "./questions";

test("a tile leads to the events that it counts", () => {
  for (const { metric, query } of TILES) if (metric.op === "count") expect(metric.filter ?? "").toBe(query);
});

test("an entry of a list leads to its events", () => {
  expect(queryOf(LISTS.find(({ name }) => name === "top_failures")!, "203.0.113.7")).toBe("type:login result:failure,denied ip:203.0.113.7");
});

test("a metric leads to the events of its filter within the question's, of its group", () => {
  const question = { aggregate: { filter: "action:a,b", metrics: [] } } as unknown as QuerySetting;
  expect(queryOfMetric(question, { name: "x", op: "count", filter: "action:a metadata.kind:k" }, { actor: "u 1", team: null })).toBe('action:a,b action:a metadata.kind:k actor:"u 1"');
});

test("a bar ends where the next begins, the last one with the range", () => {
  const starts = ["2026-11-01T00:00:00.000Z", "2026-11-02T00:00:00.000Z"];
  expect(endOf(starts, 0, "day", null)).toBe(starts[1]);
  expect(endOf(starts, 1, "day", null)).toBe("2026-11-03T00:00:00.000Z");
  expect(endOf(starts, 1, "day", "2026-11-02T09:00:00.000Z")).toBe("2026-11-02T09:00:00.000Z");
});
