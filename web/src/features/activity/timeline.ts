// The list of events: newest first, each once, under the day on which it happened.
import type { Event } from "../../api/contract";
import type { Zone } from "../../ui/zone";

/** Pages and later arrivals as one list in the order of pages: by `occurred_at`, then `sequence`, newest first. */
export function merge(pages: readonly Event[][], arrivals: readonly Event[]): Event[] {
  const paged = pages.flat();
  if (arrivals.length === 0) return paged;
  const known = new Set(paged.map((event) => event.id));
  const fresh = arrivals.filter((event) => !known.has(event.id) && known.add(event.id));
  return [...paged, ...fresh].sort(newestFirst);
}

/** Times are RFC 3339 in UTC with milliseconds, so that their texts compare as they do. */
export function newestFirst(left: Event, right: Event): number {
  if (left.occurred_at !== right.occurred_at) return left.occurred_at < right.occurred_at ? 1 : -1;
  return right.sequence - left.sequence;
}

export interface Day {
  day: string;
  events: Event[];
}

/** A sorted list cut where the day changes. */
export function byDay(events: readonly Event[], zone: Zone): Day[] {
  const days: Day[] = [];
  for (const event of events) {
    const day = zone.dayOf(new Date(event.occurred_at));
    const last = days[days.length - 1];
    if (last?.day === day) last.events.push(event);
    else days.push({ day, events: [event] });
  }
  return days;
}
