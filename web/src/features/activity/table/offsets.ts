// Where the lines of a long list begin, when only those in sight are drawn: heights are measured where a line was drawn, and
// guessed where it was not yet.

/** Where each line begins, in pixels; one more, which is where the last one ends. */
export function startsOf(count: number, heightOf: (index: number) => number): Float64Array {
  const starts = new Float64Array(count + 1);
  for (let index = 0; index < count; index++) starts[index + 1] = starts[index]! + heightOf(index);
  return starts;
}

/** The line that is at an offset; the first or last one where there is none. */
export function lineAt(starts: Float64Array, offset: number): number {
  let [low, high] = [0, Math.max(0, starts.length - 2)];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A line that is drawn, and the empty space before it, which stands for lines that are not. */
export interface Drawn {
  index: number;
  gap: number;
}

/** The lines from `first` to `last` and those that are always drawn; and the space after them. */
export function drawn(starts: Float64Array, first: number, last: number, always: readonly number[]): { lines: Drawn[]; after: number } {
  const count = starts.length - 1;
  const wanted = new Set(always.filter((index) => index >= 0 && index < count));
  for (let index = first; index <= last && index < count; index++) wanted.add(index);
  let end = 0;
  const lines = [...wanted]
    .sort((left, right) => left - right)
    .map((index) => {
      const gap = starts[index]! - end;
      end = starts[index + 1]!;
      return { index, gap };
    });
  return { lines, after: starts[count]! - end };
}
