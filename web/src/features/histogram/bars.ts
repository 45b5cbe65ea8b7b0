// The histogram's bars: which interval fits a span, which instants a bar stands for, which days the axis names.
import type { Interval } from "../../api/contract";
import type { Zone } from "../../ui/zone";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Most bars that stay readable; finer buckets are added up. */
const BARS_MAX = 120;

/** What a bar is made of: how many events of each kind there are, by the kind's name. */
export type Parts = Readonly<Record<string, number>>;

export interface Pile {
  start: string;
  count: number;
  parts: Parts;
}

export interface Bar {
  /** Included and excluded instants. */
  from: string;
  to: string;
  count: number;
  parts: Parts;
}

export interface Span {
  from: string;
  to: string;
}

/** The finest interval that a span can be drawn in. */
export function intervalFor(span: Span): Interval {
  const length = Date.parse(span.to) - Date.parse(span.from);
  if (length <= 3 * DAY) return "hour";
  if (length <= BARS_MAX * DAY) return "day";
  return length <= 2 * 365 * DAY ? "week" : "month";
}

/** Bars of `piles`, which follow on each other and end with the span. */
export function bars(piles: readonly Pile[], span: Span): Bar[] {
  const width = Math.ceil(piles.length / BARS_MAX);
  const found: Bar[] = [];
  for (let at = 0; at < piles.length; at += width) {
    const joined = piles.slice(at, at + width);
    // The first week or month may begin before the span, and then has only what is in the span.
    const from = at === 0 && Date.parse(joined[0]!.start) < Date.parse(span.from) ? span.from : joined[0]!.start;
    const to = piles[at + width]?.start ?? (span.to > from ? span.to : from);
    found.push({ from, to, count: joined.reduce((total, pile) => total + pile.count, 0), parts: sum(joined.map((pile) => pile.parts)) });
  }
  return found;
}

/** How much there is of each kind in all of them. */
export function sum(all: readonly Parts[]): Parts {
  const total: Record<string, number> = {};
  for (const parts of all) for (const [kind, count] of Object.entries(parts)) total[kind] = (total[kind] ?? 0) + count;
  return total;
}

/** The height of a piece in percent of the tallest bar; what is there at all can be seen. */
export function height(count: number, tallest: number): number {
  return count === 0 ? 0 : Math.max(3, (100 * count) / Math.max(1, tallest));
}

/** Whether events of a bar are still to come. */
export function isArriving(bar: Bar, now: Date): boolean {
  return Date.parse(bar.from) <= now.getTime() && now.getTime() < Date.parse(bar.to);
}

const DAY_LABEL = { day: "numeric", month: "short" } as const;
const MONTH_LABEL = { month: "short", year: "numeric" } as const;
const HOUR_LABEL = { ...DAY_LABEL, hour: "2-digit", minute: "2-digit" } as const;

/** When a bar begins, in words that suit its interval. */
export function barLabel(instant: string, interval: Interval, zone: Zone): string {
  const label = { hour: HOUR_LABEL, day: { ...DAY_LABEL, year: "numeric" }, week: { ...DAY_LABEL, year: "numeric" }, month: MONTH_LABEL } as const;
  return zone.format(new Date(instant), label[interval]);
}

/** Up to five labels, evenly spread from the first bar to the last. */
export function axis(found: readonly Bar[], interval: Interval, zone: Zone): string[] {
  const places = Math.min(5, found.length);
  const form = { hour: HOUR_LABEL, day: DAY_LABEL, week: MONTH_LABEL, month: MONTH_LABEL }[interval];
  const labels = Array.from({ length: places }, (_, place) => {
    const bar = found[places === 1 ? 0 : Math.round((place * (found.length - 1)) / (places - 1))]!;
    return zone.format(new Date(bar.from), form);
  });
  return labels.filter((text, place) => place === 0 || text !== labels[place - 1]);
}
