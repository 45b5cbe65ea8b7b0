// When an alert tells somebody: as it is typed, as it is sent, and in words.
import type { Alert, AlertRequest, Condition } from "../../api/alerts";
import { FIELDS } from "../../event/words";
import type { Typed } from "../../ui/Form";
import { linesOf, readHeaders } from "../../ui/lines";
import { duration } from "../../ui/time";
import { say } from "./words";

export const KINDS = ["any", "threshold", "first_seen", "digest"] as const satisfies readonly Condition["type"][];
export type Kind = Condition["type"];

export const GROUPS = ["", "actor", "ip", "target"] as const;
export const PERIODS = ["day", "week"] as const;

/** Fields whose values can be new; those of the people themselves are not among them. */
export const NEW_FIELDS = ["country", "ip", ...FIELDS.filter((field) => !["country", "ip", "actor", "team", "security", "result"].includes(field))] as const;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Spans of time that are offered, in seconds. */
export const WINDOWS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY];
export const QUIET = [0, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, DAY];
export const USUAL = { window_seconds: 15 * MINUTE, quiet_seconds: HOUR, count: 10 };

/** What is offered, and beside it what is set. */
export function spans(offered: readonly number[], set: number): number[] {
  return [...new Set([...offered, set])].sort((left, right) => left - right);
}

/** `15 min`, `24 h` */
export function spanWords(seconds: number): string {
  return duration(seconds * 1000);
}

export function readCondition(typed: Typed): Condition {
  const text = (name: string) => typed(`condition/${name}`) ?? "";
  switch (text("type") as Kind) {
    case "threshold":
      return { type: "threshold", count: Number(text("count")), window_seconds: Number(text("window_seconds")), by: (text("by") || null) as "actor" | null };
    case "first_seen":
      return { type: "first_seen", field: text("field") };
    case "digest":
      return { type: "digest", every: text("every") as "day" };
    default:
      return { type: "any" };
  }
}

/** What was typed. `removed` is whether the webhook's secret goes. */
export function readAlert(typed: Typed, hasWebhook: boolean, removed: boolean): AlertRequest {
  const condition = readCondition(typed);
  const secret = typed("secrets/secret");
  return {
    name: typed("name") ?? "",
    filter: typed("filter") ?? "",
    condition,
    quiet_seconds: Number(typed("quiet_seconds") ?? USUAL.quiet_seconds),
    emails: linesOf(typed("emails")),
    webhook: hasWebhook ? { url: typed("webhook/url") ?? "", headers: readHeaders("webhook/headers", typed("webhook/headers")) } : null,
    secrets: removed ? { secret: null } : secret === undefined ? {} : { secret },
    enabled: typed("enabled") !== undefined,
  };
}

/** When it tells, in one sentence; fields are called as `called` does. */
export function conditionWords(condition: Condition, called: (field: string) => string): string {
  switch (condition.type) {
    case "any":
      return say("when_any");
    case "threshold": {
      const { count, window_seconds, by } = condition;
      const window = spanWords(window_seconds);
      return by === null ? say("when_threshold", { count, window }) : say("when_threshold_by", { count, window, by: called(by) });
    }
    case "first_seen":
      return say("when_first_seen", { field: called(condition.field) });
    case "digest":
      return say(condition.every === "day" ? "when_daily" : "when_weekly");
  }
}

/** The place of its events, by the server's own link to them; a server that does not know its address has none. */
export function placeOfEvents({ link, filter }: Pick<Alert, "link" | "filter">): string {
  const own = `/?${new URLSearchParams({ q: filter })}`;
  if (link === null) return own;
  try {
    const { search } = new URL(link, "http://server");
    return search === "" ? own : `/${search}`;
  } catch {
    return own;
  }
}
