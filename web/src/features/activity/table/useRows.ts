// Which lines of the list are drawn: those in the window, some around them, and those that must stay.
//
// Invariants
// - Lines that are not drawn take the room that they are guessed or were measured to need, so the list is as long as all of it.
// - Heights that were measured hold for one width of the list only.
//
// Not here: the sums of heights (offsets.ts), days and lines (rows.ts).
import { useLayoutEffect, useMemo, useRef, useState, type RefObject } from "react";
import { useScreen } from "../../../screen";
import { drawn, lineAt, startsOf, type Drawn } from "./offsets";
import { headingOf, keyOf, type Line } from "./rows";

/** Rows that are drawn before and after those in sight, so that scrolling does not outrun them. */
const OVERSCAN_ROWS = 10;

interface Wanted {
  lines: Line[];
  /** What the rows stand in. */
  body: RefObject<HTMLElement | null>;
  /** Guesses of heights in pixels; what is drawn is measured. */
  heights: Record<Line["kind"], number>;
  /** Pixels at the top of the view that the head covers where it sticks. */
  covered: number;
  /** Events that stay drawn wherever the view is: one may have the focus. */
  pinned: readonly (string | null)[];
}

interface Rows {
  drawn: Drawn[];
  /** Pixels of what comes after the drawn lines. */
  after: number;
  /** The last line in sight. */
  last: number;
  /** The heading of the day at the top of the view, when the heading itself is above it. */
  heading: string | null;
}

/**
 * The lines that can be seen, of as many as there are. It asks only where the rows are in the window, so it does not matter
 * whether the page scrolls or something that the screen is drawn in. Rows flow, with empty space for those that are not
 * drawn: when one turns out higher than was guessed, the browser's own scroll anchoring keeps the view still.
 */
export function useRows({ lines, body, heights, covered, pinned }: Wanted): Rows {
  const [measured, setMeasured] = useState<ReadonlyMap<string, number>>(new Map());
  const starts = useMemo(() => startsOf(lines.length, (index) => measured.get(keyOf(lines[index]!)) ?? heights[lines[index]!.kind]), [lines, measured, heights]);
  const view = useView(body, starts, covered);
  useMeasuring(body, lines, heights, measured, setMeasured);
  const always = pinned.map((id) => lines.findIndex((line) => line.kind === "event" && line.event.id === id));
  const { lines: rows, after } = drawn(starts, Math.max(0, view.first - OVERSCAN_ROWS), view.last + OVERSCAN_ROWS, always);
  const heading = lines[headingOf(lines, view.top)];
  return { drawn: rows, after, last: view.last, heading: view.isBelowHeading && heading?.kind === "day" ? heading.day : null };
}

interface View {
  first: number;
  last: number;
  /** The first line that the head does not cover. */
  top: number;
  isBelowHeading: boolean;
}

/** Which lines are in the window, told anew when they change. */
function useView(body: RefObject<HTMLElement | null>, starts: Float64Array, covered: number): View {
  const { root } = useScreen();
  const [view, setView] = useState<View>({ first: 0, last: 0, top: 0, isBelowHeading: false });
  const look = useRef(() => undefined as void);
  look.current = () => {
    if (body.current === null) return;
    const above = -body.current.getBoundingClientRect().top;
    const next = { first: lineAt(starts, above), last: lineAt(starts, above + innerHeight), top: lineAt(starts, above + covered), isBelowHeading: above + covered > 0 };
    setView((now) => (Object.keys(next).every((key) => now[key as keyof View] === next[key as keyof View]) ? now : next));
  };
  useLayoutEffect(() => look.current(), [starts, covered]);
  useLayoutEffect(() => {
    const changed = () => look.current();
    const observer = new ResizeObserver(changed);
    observer.observe(root);
    window.addEventListener("resize", changed);
    // What scrolls inside of a shadow root is heard there only.
    for (const heard of [document, root]) heard.addEventListener("scroll", changed, { capture: true, passive: true });
    return () => {
      observer.disconnect();
      window.removeEventListener("resize", changed);
      for (const heard of [document, root]) heard.removeEventListener("scroll", changed, { capture: true });
    };
  }, [root]);
  return view;
}

/** Measures what is drawn before it is seen; another width of the list makes all heights guesses again. */
function useMeasuring(body: RefObject<HTMLElement | null>, lines: Line[], heights: Wanted["heights"], measured: ReadonlyMap<string, number>, setMeasured: (measured: ReadonlyMap<string, number>) => void) {
  useLayoutEffect(() => {
    const found = new Map<string, number>();
    for (const row of body.current?.querySelectorAll<HTMLElement>("tr[data-index]") ?? []) {
      const line = lines[Number(row.dataset["index"])];
      if (line === undefined) continue;
      const key = keyOf(line);
      if (row.offsetHeight !== (measured.get(key) ?? heights[line.kind])) found.set(key, row.offsetHeight);
    }
    if (found.size > 0) setMeasured(new Map([...measured, ...found]));
  });
  useLayoutEffect(() => {
    if (body.current === null) return;
    let width = body.current.clientWidth;
    const observer = new ResizeObserver(([entry]) => {
      const now = (entry?.target as HTMLElement).clientWidth;
      if (now !== width) setMeasured(new Map());
      width = now;
    });
    observer.observe(body.current);
    return () => observer.disconnect();
  }, [body, setMeasured]);
}
