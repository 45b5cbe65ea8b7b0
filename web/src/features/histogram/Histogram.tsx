// How many events happened when: bars of the range that is shown, which is narrowed by brushing over them.
//
// Invariants
// - Every step of brushing can be taken back, until the range is chosen otherwise.
//
// Not here: what is counted (useHistogram.ts), how a stretch is taken (useBrush.ts), what bars are made of (bars.ts, stacks.ts).
import { useState } from "react";
import type { Filters } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { rangeLabel, type Range } from "../../query/range";
import { useScreen } from "../../screen";
import { useZone } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import { axis, barLabel, height, isArriving, type Bar } from "./bars";
import { stepsTo, undone, type Step } from "./brush";
import { STACKS, type StackName } from "./stacks";
import { useBrush } from "./useBrush";
import { useHistogram, type Drawn } from "./useHistogram";
import en from "./words.en.json";

const say = wordsOf({ en });

interface Props {
  filters: Filters;
  range: Range | null;
  now: Date;
  /** How many events came since the list was read. */
  arrived: number;
  onRange: (range: Range | null) => void;
}

/** How many events happened when. Dragging over bars, or Shift with the arrow keys, narrows the range to them; a double click or Escape undoes that. */
export default function Histogram({ filters, range, now, arrived, onRange }: Props) {
  const { policy } = useScreen();
  const zone = useZone();
  const [stack, setStack] = useState<StackName>("security");
  const drawn = useHistogram(filters, now, arrived, stack);
  const [steps, setSteps] = useState<readonly Step[]>([]);
  const past = stepsTo(range, steps);
  const narrow = (next: Range) => {
    setSteps([...past, { before: range, after: next }]);
    onRange(next);
  };
  const undo = (count: number) => {
    const back = undone(past, count);
    if (back === null) return false;
    setSteps(back.steps);
    onRange(back.range);
    return true;
  };
  const before = past[past.length - 1];
  return (
    <div className="histogram-place">
      {drawn !== null && <Bars drawn={drawn} now={now} onNarrow={narrow} onUndo={undo} />}
      {drawn !== null && (
        <div className="histogram-foot">
          <Legend drawn={drawn} stack={stack} onStack={setStack} />
          {before !== undefined && (
            <button type="button" className="link-button" onClick={() => undo(1)}>
              {say("undo", { range: rangeLabel(before.before, zone, policy) })}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

interface BarsProps {
  drawn: Drawn;
  now: Date;
  onNarrow: (range: Range) => void;
  /** Whether there was something to undo. */
  onUndo: (count: number) => boolean;
}

function Bars({ drawn: { bars, interval, stack }, now, onNarrow, onUndo }: BarsProps) {
  const zone = useZone();
  const { field, current, setCurrent, taken, handlers } = useBrush(bars, { onNarrow, onUndo });
  const tallest = Math.max(...bars.map((bar) => bar.count), 1);
  const name = (bar: Bar) => barLabel(bar.from, interval, zone);
  return (
    <>
      <div ref={field} className="histogram" role="group" aria-label={say("name")} {...handlers}>
        {bars.map((bar, index) => (
          <Column
            key={bar.from}
            bar={bar}
            stack={stack}
            tallest={tallest}
            isArriving={isArriving(bar, now)}
            isTaken={taken !== null && taken[0] <= index && index <= taken[1]}
            isCurrent={index === current}
            name={name(bar)}
            onFocus={() => setCurrent(index)}
          />
        ))}
      </div>
      <div className="axis number" aria-hidden="true">
        {axis(bars, interval, zone).map((label) => (
          <span key={label}>{label}</span>
        ))}
      </div>
      <p className="histogram-taken number" role="status">
        {taken !== null && taken[0] !== taken[1] && say("taken", { first: name(bars[taken[0]]!), last: name(bars[taken[1]]!), count: total(bars.slice(taken[0], taken[1] + 1)) })}
      </p>
    </>
  );
}

interface ColumnProps {
  bar: Bar;
  stack: StackName;
  tallest: number;
  /** When the bar begins, in words. */
  name: string;
  isArriving: boolean;
  isTaken: boolean;
  isCurrent: boolean;
  onFocus: () => void;
}

function Column({ bar, stack, tallest, name, isArriving: arriving, isTaken, isCurrent, onFocus }: ColumnProps) {
  const kindName = useKindName(stack);
  const kinds = STACKS[stack].kinds.filter((kind) => (bar.parts[kind] ?? 0) > 0);
  const parts = kinds.length < 2 && kinds[0] === "rest" ? [] : kinds.map((kind) => say("part", { kind: kindName(kind), count: bar.parts[kind] ?? 0 }));
  const label = [say("bar", { when: name, count: bar.count }), ...parts, ...(arriving ? [say("arriving")] : [])].join(", ");
  return (
    <button type="button" tabIndex={isCurrent ? 0 : -1} aria-label={label} title={label} data-arriving={arriving || undefined} data-taken={isTaken || undefined} onFocus={onFocus}>
      {kinds.map((kind) => (
        <i key={kind} data-kind={kind} style={{ height: `${height(bar.parts[kind] ?? 0, tallest)}%` }} />
      ))}
    </button>
  );
}

function Legend({ drawn, stack, onStack }: { drawn: Drawn; stack: StackName; onStack: (stack: StackName) => void }) {
  const kindName = useKindName(drawn.stack);
  const found = STACKS[drawn.stack].kinds.filter((kind) => drawn.bars.some((bar) => (bar.parts[kind] ?? 0) > 0));
  return (
    <>
      <label className="histogram-stack">
        {say("stack")}
        <select value={stack} onChange={(event) => onStack(event.target.value as StackName)}>
          {(Object.keys(STACKS) as StackName[]).map((name) => (
            <option key={name} value={name}>
              {say(`by_${name}`)}
            </option>
          ))}
        </select>
      </label>
      <ul className="histogram-legend">
        {found.map((kind) => (
          <li key={kind}>
            <i data-kind={kind} />
            {kindName(kind)}
          </li>
        ))}
      </ul>
    </>
  );
}

/** What the kinds of a stack are called. */
function useKindName(stack: StackName): (kind: string) => string {
  const labels = useLabels();
  const { field } = STACKS[stack];
  return (kind) => {
    if (kind === "rest") return say("rest");
    return field === null ? say("security") : labels.value(field, kind);
  };
}

function total(bars: readonly Bar[]): number {
  return bars.reduce((count, bar) => count + bar.count, 0);
}
