// The time of a trace: where in it each event stands.
import type { Event } from "../../api/contract";

export interface Step {
  event: Event;
  /** Milliseconds since the trace began. */
  after_ms: number;
  /** Milliseconds until the next event; null for the last. */
  lasts_ms: number | null;
  /** Both as shares of the whole, 0 to 1. */
  begin: number;
  length: number;
}

/** The steps of events that are given oldest first. */
export function stepsOf(events: Event[]): Step[] {
  const at = events.map((event) => Date.parse(event.occurred_at));
  const begin = at[0] ?? 0;
  const whole = Math.max(1, (at[at.length - 1] ?? begin) - begin);
  return events.map((event, place) => {
    const next = at[place + 1];
    const [after_ms, lasts_ms] = [at[place]! - begin, next === undefined ? null : next - at[place]!];
    return { event, after_ms, lasts_ms, begin: after_ms / whole, length: (lasts_ms ?? 0) / whole };
  });
}
