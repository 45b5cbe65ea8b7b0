// What the page asks, and the query behind each number: whoever follows a number sees the very events that were counted.
import type { Aggregation, Interval, Json, Metric, QuerySetting } from "../../api/contract";
import { both, withValue } from "../../query/terms";

export interface Tile {
  name: "events" | "people" | "security_actions" | "failed_sign_ins" | "exports";
  /** The events behind the number. */
  query: string;
  metric: Metric;
}

const FAILED_SIGN_INS = "type:login result:failure,denied";
const EXPORTS = "type:export";

export const TILES: readonly Tile[] = [
  { name: "events", query: "", metric: { name: "events", op: "count" } },
  { name: "people", query: "", metric: { name: "people", op: "distinct", field: "actor" } },
  counted("security_actions", "security:true"),
  counted("failed_sign_ins", FAILED_SIGN_INS),
  counted("exports", EXPORTS),
];

function counted(name: Tile["name"], query: string): Tile {
  return { name, query, metric: { name, op: "count", filter: query } };
}

export interface TopList {
  name: "top_actors" | "top_actions" | "top_areas" | "top_countries" | "top_failures" | "top_exporters";
  field: string;
  /** The events that are listed by their field's value. */
  query: string;
}

export const LISTS: readonly TopList[] = [
  { name: "top_actors", field: "actor", query: "" },
  { name: "top_actions", field: "action", query: "" },
  { name: "top_areas", field: "area", query: "" },
  { name: "top_countries", field: "country", query: "" },
  { name: "top_failures", field: "ip", query: FAILED_SIGN_INS },
  { name: "top_exporters", field: "actor", query: EXPORTS },
];

/** The events of one entry of a list. */
export function queryOf(list: TopList, value: string): string {
  return withValue(list.query, list.field, value);
}

/** A product's question as an aggregation over a range. */
export function aggregationOf(question: QuerySetting, range: { from?: string; to?: string }): Aggregation {
  return { ...question.aggregate, ...range };
}

/**
 * The events behind a metric of a product's question. That an event's trace must have another event, no query says: such a metric
 * leads to all that it is drawn from. An expression leads to all events of its question.
 */
export function queryOfMetric(question: QuerySetting, metric: Metric, group: Record<string, Json> = {}): string {
  const base = both(question.aggregate.filter ?? "", metric.filter ?? "");
  return Object.entries(group).reduce((query, [field, value]) => (value === null ? query : withValue(query, field, String(value))), base);
}

/** The end of an interval that begins at `start`, for the range behind a bar; intervals are those of the rows. */
export function endOf(starts: readonly string[], at: number, interval: Interval, to: string | null): string | null {
  const next = starts[at + 1];
  if (next !== undefined) return next;
  const hours: Record<Interval, number> = { hour: 1, day: 24, week: 168, month: 31 * 24 };
  const end = new Date(Date.parse(starts[at]!) + hours[interval] * 3_600_000).toISOString();
  return to !== null && to < end ? to : end;
}
