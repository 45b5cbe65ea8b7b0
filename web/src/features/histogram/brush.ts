// Brushing: a stretch of bars between where it began and where it is, and the ranges that brushing has left behind.
import { printRange, type Range } from "../../query/range";

export interface Brush {
  anchor: number;
  head: number;
}

/** The first and the last bar of a stretch, among `count` bars. */
export function stretch({ anchor, head }: Brush, count: number): [first: number, last: number] {
  const within = (at: number) => Math.min(Math.max(at, 0), count - 1);
  const [one, other] = [within(anchor), within(head)];
  return [Math.min(one, other), Math.max(one, other)];
}

/** The bar under a point that is `share` of the way from the first bar's beginning to the last one's end. */
export function barAt(share: number, count: number): number {
  return Math.min(Math.max(Math.floor(share * count), 0), count - 1);
}

/** A range that brushing led away from, and the one that it led to. */
export interface Step {
  before: Range | null;
  after: Range;
}

/** The steps that lead to `range`; none once it was chosen otherwise. */
export function stepsTo(range: Range | null, steps: readonly Step[]): readonly Step[] {
  const last = steps[steps.length - 1];
  return last !== undefined && range !== null && printRange(range) === printRange(last.after) ? steps : [];
}

/** The steps without the last `count` of them, and the range that was shown before those; null when there are none. */
export function undone(steps: readonly Step[], count: number): { range: Range | null; steps: readonly Step[] } | null {
  const kept = Math.max(0, steps.length - count);
  const first = steps[kept];
  return first === undefined ? null : { range: first.before, steps: steps.slice(0, kept) };
}
