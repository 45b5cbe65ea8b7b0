// The list as lines one below the other: a heading where the day changes, then that day's events.
import type { Event } from "../../../api/contract";
import type { Zone } from "../../../ui/zone";

export type Line = { kind: "day"; day: string } | { kind: "event"; event: Event };

/** No zone's day begins inside of a quarter of an hour. */
const QUARTER_MS = 900_000;

/** A sorted list with a heading before each day. */
export function linesByDay(events: readonly Event[], zone: Zone): Line[] {
  const lines: Line[] = [];
  let day: string | null = null;
  // A zone takes its time to name a day, and most events share their quarter of an hour with others.
  let quarter: number | null = null;
  let own = "";
  for (const event of events) {
    const at = Math.floor(Date.parse(event.occurred_at) / QUARTER_MS);
    if (at !== quarter) own = zone.dayOf(new Date(at * QUARTER_MS));
    quarter = at;
    if (own !== day) lines.push({ kind: "day", day: own });
    day = own;
    lines.push({ kind: "event", event });
  }
  return lines;
}

export function keyOf(line: Line): string {
  return line.kind === "day" ? line.day : line.event.id;
}

/** Where the heading of a line's day is. */
export function headingOf(lines: readonly Line[], index: number): number {
  for (let at = Math.min(index, lines.length - 1); at > 0; at--) if (lines[at]?.kind === "day") return at;
  return 0;
}
