// What pointer and keys do with the bars: move among them, take a stretch of them, narrow the range to it.
//
// Invariants
// - One bar is in the tab order; a stretch always lies among the bars that are drawn.
// - A press that moved is a drag, and the click that ends it narrows nothing more.
//
// Not here: what a stretch is (brush.ts), and the ranges to come back to (Histogram.tsx).
import { useEffect, useRef, useState, type DOMAttributes, type KeyboardEvent, type MouseEvent, type PointerEvent, type RefObject } from "react";
import { customRange, type Range } from "../../query/range";
import type { Bar } from "./bars";
import { barAt, stretch, type Brush } from "./brush";

interface Wanted {
  onNarrow: (range: Range) => void;
  /** Whether there was something to undo. */
  onUndo: (count: number) => boolean;
}

interface Brushing {
  /** What the bars stand in. */
  field: RefObject<HTMLDivElement | null>;
  /** The bar that the keyboard is at. */
  current: number;
  setCurrent: (bar: number) => void;
  /** The first and the last bar of the stretch; null while there is none. */
  taken: [first: number, last: number] | null;
  handlers: DOMAttributes<HTMLDivElement>;
}

/** Brushing over `bars`, whose elements are the children of `field`. */
export function useBrush(bars: readonly Bar[], { onNarrow, onUndo }: Wanted): Brushing {
  const [at, setAt] = useState(0);
  const [brush, setBrush] = useState<Brush | null>(null);
  const field = useRef<HTMLDivElement>(null);
  const isByKeys = useRef(false);
  const current = Math.min(at, bars.length - 1);
  const focus = (bar: number) => (field.current?.children[bar] as HTMLElement | undefined)?.focus();

  // Bars that were narrowed to by the keyboard are other bars: the focus goes to the first of them.
  useEffect(() => {
    if (!isByKeys.current) return;
    isByKeys.current = false;
    setAt(0);
    focus(0);
  }, [bars]);

  const narrow = (stretched: Brush) => {
    const [first, last] = stretch(stretched, bars.length);
    setBrush(null);
    onNarrow(customRange(bars[first]!.from, bars[last]!.to));
  };
  const pointing = usePointing(field, bars.length, brush, setBrush, narrow);
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -bars.length, End: bars.length }[event.key];
    if (step !== undefined) {
      const next = Math.min(Math.max(current + step, 0), bars.length - 1);
      setBrush(event.shiftKey ? { anchor: brush?.anchor ?? current, head: next } : null);
      setAt(next);
      focus(next);
    } else if (event.key === "Enter" || event.key === " ") {
      isByKeys.current = true;
      narrow(brush ?? { anchor: current, head: current });
    } else if (event.key === "Escape" && brush !== null) setBrush(null);
    else if (event.key !== "Escape" || !(isByKeys.current = onUndo(1))) return;
    event.preventDefault();
  };
  const taken = brush === null ? null : stretch(brush, bars.length);
  return { field, current, setCurrent: setAt, taken, handlers: { ...pointing, onKeyDown, onDoubleClick: () => void onUndo(2) } };
}

/** Dragging over `count` bars, and clicking on one. */
function usePointing(field: RefObject<HTMLElement | null>, count: number, brush: Brush | null, setBrush: (brush: Brush | null) => void, narrow: (brush: Brush) => void): DOMAttributes<HTMLDivElement> {
  const isDragged = useRef(false);
  const barUnder = (event: PointerEvent | MouseEvent) => {
    const { left, width } = field.current!.getBoundingClientRect();
    return barAt((event.clientX - left) / Math.max(1, width), count);
  };
  return {
    onPointerDown: (event) => {
      if (event.button !== 0) return;
      isDragged.current = false;
      setBrush({ anchor: barUnder(event), head: barUnder(event) });
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event) => {
      if (brush === null || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
      const head = barUnder(event);
      if (head !== brush.head) setBrush({ ...brush, head });
      isDragged.current ||= head !== brush.anchor;
    },
    onPointerUp: () => {
      if (brush !== null && isDragged.current) narrow(brush);
      else setBrush(null);
    },
    onPointerCancel: () => setBrush(null),
    // The end of a drag is a click as well; of a double click, the first one narrows.
    onClick: (event) => {
      if (isDragged.current && event.detail > 0) return void (isDragged.current = false);
      if (event.detail > 1) return;
      const focused = event.detail === 0 ? [...field.current!.children].indexOf(event.target as Element) : barUnder(event);
      if (focused >= 0) narrow({ anchor: focused, head: focused });
    },
  };
}
