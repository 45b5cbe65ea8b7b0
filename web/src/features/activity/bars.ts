// The histogram's bars: which interval fits a span, which instants a bar stands for, which days the axis names.
import type { Bucket, Interval } from "../../api/contract";
import type { Zone } from "../../ui/zone";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Most bars that stay readable; finer buckets are added up. */
const BARS_MAX = 120;

export interface Bar {
  /** Included and excluded instants. */
  from: string;
  to: string;
  count: number;
  security: number;
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

/** Bars of `buckets`, which follow on each other and end with the span. */
export function bars(buckets: readonly Bucket[], span: Span): Bar[] {
  const width = Math.ceil(buckets.length / BARS_MAX);
  const found: Bar[] = [];
  for (let at = 0; at < buckets.length; at += width) {
    const joined = buckets.slice(at, at + width);
    // The first week or month may begin before the span, and then has only what is in the span.
    const from = at === 0 && Date.parse(joined[0]!.start) < Date.parse(span.from) ? span.from : joined[0]!.start;
    const to = buckets[at + width]?.start ?? (span.to > from ? span.to : from);
    const sum = (of: (bucket: Bucket) => number) => joined.reduce((total, bucket) => total + of(bucket), 0);
    found.push({ from, to, count: sum((bucket) => bucket.count), security: sum((bucket) => bucket.security) });
  }
  return found;
}

/** The heights of a bar's two pieces in percent of the tallest bar; what is there at all can be seen. */
export function heights(bar: Bar, tallest: number): { rest: number; security: number } {
  const share = (count: number) => (count === 0 ? 0 : Math.max(3, (100 * count) / Math.max(1, tallest)));
  return { rest: share(bar.count - bar.security), security: share(bar.security) };
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
