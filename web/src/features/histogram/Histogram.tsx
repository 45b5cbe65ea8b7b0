import { useEffect, useRef, useState, type KeyboardEvent, type MouseEvent, type PointerEvent } from "react";
import type { Filters } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { customRange, rangeLabel, type Range } from "../../query/range";
import { useScreen } from "../../screen";
import { useZone } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import { axis, barLabel, height, isArriving, type Bar } from "./bars";
import { barAt, stepsTo, stretch, undone, type Brush, type Step } from "./brush";
import { STACKS, type StackName } from "./stacks";
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
  const [at, setAt] = useState(0);
  const [brush, setBrush] = useState<Brush | null>(null);
  const field = useRef<HTMLDivElement>(null);
  const current = Math.min(at, bars.length - 1);
  const tallest = Math.max(...bars.map((bar) => bar.count), 1);
  const taken = brush === null ? null : stretch(brush, bars.length);
  const isDragged = useRef(false);
  const isByKeys = useRef(false);

  // Bars that were narrowed to by the keyboard are other bars: the focus goes to the first of them.
  useEffect(() => {
    if (!isByKeys.current) return;
    isByKeys.current = false;
    setAt(0);
    (field.current?.children[0] as HTMLElement | undefined)?.focus();
  }, [bars]);

  const narrow = (stretched: Brush) => {
    const [first, last] = stretch(stretched, bars.length);
    setBrush(null);
    onNarrow(customRange(bars[first]!.from, bars[last]!.to));
  };
  const barUnder = (event: PointerEvent | MouseEvent) => {
    const { left, width } = field.current!.getBoundingClientRect();
    return barAt((event.clientX - left) / Math.max(1, width), bars.length);
  };
  const press = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0) return;
    isDragged.current = false;
    setBrush({ anchor: barUnder(event), head: barUnder(event) });
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (brush === null || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const head = barUnder(event);
    if (head !== brush.head) setBrush({ ...brush, head });
    isDragged.current ||= head !== brush.anchor;
  };
  const release = () => {
    if (brush !== null && isDragged.current) narrow(brush);
    else setBrush(null);
  };
  // The end of a drag is a click as well; of a double click, the first one narrows.
  const click = (event: MouseEvent<HTMLDivElement>) => {
    if (isDragged.current && event.detail > 0) return void (isDragged.current = false);
    if (event.detail > 1) return;
    const focused = event.detail === 0 ? [...field.current!.children].indexOf(event.target as Element) : barUnder(event);
    if (focused >= 0) narrow({ anchor: focused, head: focused });
  };
  const pressKey = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -bars.length, End: bars.length }[event.key];
    if (step !== undefined) {
      const next = Math.min(Math.max(current + step, 0), bars.length - 1);
      setBrush(event.shiftKey ? { anchor: brush?.anchor ?? current, head: next } : null);
      setAt(next);
      (field.current?.children[next] as HTMLElement | undefined)?.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      isByKeys.current = true;
      narrow(brush ?? { anchor: current, head: current });
    } else if (event.key === "Escape" && brush !== null) setBrush(null);
    else if (event.key !== "Escape" || !(isByKeys.current = onUndo(1))) return;
    event.preventDefault();
  };

  return (
    <>
      <div
        ref={field}
        className="histogram"
        role="group"
        aria-label={say("name")}
        onKeyDown={pressKey}
        onPointerDown={press}
        onPointerMove={drag}
        onPointerUp={release}
        onPointerCancel={() => setBrush(null)}
        onClick={click}
        onDoubleClick={() => onUndo(2)}
      >
        {bars.map((bar, index) => (
          <Column key={bar.from} bar={bar} stack={stack} tallest={tallest} isArriving={isArriving(bar, now)} isTaken={taken !== null && taken[0] <= index && index <= taken[1]} isCurrent={index === current} name={barLabel(bar.from, interval, zone)} onFocus={() => setAt(index)} />
        ))}
      </div>
      <div className="axis number" aria-hidden="true">
        {axis(bars, interval, zone).map((label) => (
          <span key={label}>{label}</span>
        ))}
      </div>
      <p className="histogram-taken number" role="status">
        {taken !== null && taken[0] !== taken[1] && say("taken", { first: barLabel(bars[taken[0]]!.from, interval, zone), last: barLabel(bars[taken[1]]!.from, interval, zone), count: total(bars.slice(taken[0], taken[1] + 1)) })}
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
