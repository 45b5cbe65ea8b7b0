// The list of events as a grid: its rows, the focus in them, and what keys and other parts of the screen do with it.
//
// Invariants
// - One row is in the tab order, and what has or had the focus is drawn wherever the view is.
// - The next page is asked for once for each length of the list.
//
// Not here: which rows are drawn (useRows.ts), which columns (useLayout.ts), what a cell says (Cell.tsx).
import { Fragment, lazy, Suspense, useCallback, useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState, type CSSProperties, type KeyboardEvent, type Ref, type RefObject } from "react";
import type { Event } from "../../../api/contract";
import { useAddress } from "../../../query/useAddress";
import { ago, dayHeading } from "../../../ui/time";
import { useZone } from "../../../ui/useZone";
import { wordsOf } from "../../../ui/words";
import { CellActionsContext } from "./actions";
import type { Shown } from "./Cell";
import type { Column } from "./columns";
import { Head } from "./Head";
import { gridColumns, widthMin, type Layout } from "./layout";
import { Row } from "./Row";
import { keyOf, linesByDay, type Line } from "./rows";
import { useFloating } from "./useFloating";
import { useLayout } from "./useLayout";
import { useRows } from "./useRows";
import en from "./words.en.json";

const say = wordsOf({ en });
const Floating = lazy(() => import("./Floating"));

/** What the keyboard's keys ask of the list from elsewhere. */
export interface TableHandle {
  /** Scrolls to an event and gives it the focus. */
  focus: (id: string) => void;
  /** Does so with the event after (1) or before (−1) the one that is open or has the focus, and says which it is. */
  move: (step: 1 | -1) => string | null;
  /** The event that has or had the focus. */
  current: () => string | null;
}

interface Props {
  events: Event[];
  fresh: ReadonlySet<string>;
  selected: string | null;
  isWaiting: boolean;
  more: "none" | "some" | "loading";
  now: Date;
  onOpen: (id: string) => void;
  onMore: () => void;
  handle: Ref<TableHandle>;
}

const HEIGHTS: Record<Layout["density"], Record<Line["kind"], number>> = { comfortable: { event: 52, day: 30 }, compact: { event: 34, day: 30 } };
const HEAD_HEIGHT = 36;
/** How many rows before the end the next page is asked for. */
const AHEAD_ROWS = 30;

/** The list, a heading for each day, in the columns that the reader or the policy has chosen. */
export function EventTable({ events, fresh, selected, isWaiting, more, now, onOpen, onMore, handle }: Props) {
  const zone = useZone();
  const [address] = useAddress();
  const { layout, columns } = useLayout();
  const lines = useMemo(() => linesByDay(events, zone), [events, zone]);
  const shown = useMemo(() => shownBy(columns), [columns]);
  const head = useRef<HTMLTableSectionElement>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const [current, setCurrent] = useState<string | null>(null);
  const covered = useCovered(head);
  const rows = useRows({ lines, body, heights: HEIGHTS[layout.density], covered, pinned: [current, selected] });
  useMore(rows.last, lines.length, more, onMore);
  const focus = useFocus(body, setCurrent);
  useImperativeHandle(handle, () => ({
    focus,
    move: (step) => {
      const at = events.findIndex((event) => event.id === (selected ?? current));
      const next = events[Math.min(Math.max(at + step, 0), events.length - 1)];
      if (next !== undefined) focus(next.id);
      return next?.id ?? null;
    },
    current: () => current,
  }));
  const floating = useFloating();
  const active = events.some((event) => event.id === current) ? current : (events[0]?.id ?? null);
  const style = { "--list-columns": gridColumns(columns, layout.widths), "--list-width": `${widthMin(columns, layout.widths)}px` } as CSSProperties;

  return (
    <div className="list">
      <table
        role="grid"
        part="list"
        className={`events ${isWaiting ? "waiting" : ""}`}
        style={style}
        data-density={layout.density}
        data-wrap={layout.isWrapped}
        data-frozen={layout.isFrozen}
        aria-label={say(address.order === "asc" ? "events_oldest_first" : "events_newest_first")}
        aria-busy={isWaiting}
        aria-rowcount={more === "none" ? lines.length + 1 : -1}
        aria-colcount={columns.length}
      >
        <Head ref={head} columns={columns} now={now} heading={rows.heading} />
        <tbody
          ref={body}
          role="rowgroup"
          onScroll={(scrolled) => head.current !== null && (head.current.scrollLeft = scrolled.currentTarget.scrollLeft)}
          onKeyDown={(pressed) => moveByArrow(pressed, lines, focus)}
          onFocus={(focused) => setCurrent(focused.target.closest("tr")?.dataset["id"] ?? null)}
        >
          <CellActionsContext value={floating.actions}>
            {rows.drawn.map(({ index, gap }) => {
              const line = lines[index]!;
              const row =
                line.kind === "day" ? (
                  <DayRow index={index} heading={dayHeading(line.day, now, zone)} columns={columns.length} />
                ) : (
                  <Row
                    event={line.event}
                    columns={columns}
                    shown={shown}
                    index={index}
                    isFresh={fresh.has(line.event.id)}
                    isSelected={line.event.id === selected}
                    isActive={line.event.id === active}
                    isWrapped={layout.isWrapped}
                    when={ago(line.event.occurred_at, now, zone)}
                    onOpen={onOpen}
                  />
                );
              return (
                <Fragment key={keyOf(line)}>
                  {gap > 0 && <Gap height={gap} />}
                  {row}
                </Fragment>
              );
            })}
            {rows.after > 0 && <Gap height={rows.after} />}
          </CellActionsContext>
        </tbody>
      </table>
      <Suspense>{floating.open !== null && <Floating key={floating.open.key} open={floating.open} now={now} onQuery={floating.ask} onClose={floating.close} onStay={floating.stay} />}</Suspense>
    </div>
  );
}

function DayRow({ index, heading, columns }: { index: number; heading: string; columns: number }) {
  return (
    <tr role="row" className="day-row" data-index={index} aria-rowindex={index + 2}>
      <th role="gridcell" className="day" aria-colspan={columns}>
        <span>{heading}</span>
      </th>
    </tr>
  );
}

/** The space of rows that are not drawn. */
function Gap({ height }: { height: number }) {
  return <tr className="gap" role="presentation" style={{ height }} />;
}

function shownBy(columns: Column[]): Shown {
  const has = (path: string) => columns.some((column) => column.kind !== "activity" && column.template.includes(path));
  const opener = columns.find((column) => column.kind === "activity") ?? columns.find((column) => /\{(description|action)[|}]/.test(column.template)) ?? columns[0];
  return { opener: opener?.id ?? "", hasType: has("{action_type}"), hasSecurity: has("{security}"), hasCountry: has("{country}"), hasResult: has("{result}") };
}

/** How much of the view's top the head covers where it sticks. */
function useCovered(head: RefObject<HTMLElement | null>): number {
  const [covered, setCovered] = useState(HEAD_HEIGHT);
  useLayoutEffect(() => {
    const top = head.current === null ? 0 : Number.parseFloat(getComputedStyle(head.current).top) || 0;
    setCovered(top + HEAD_HEIGHT);
  }, [head]);
  return covered;
}

/** Asks for the next page before the end comes into sight; once for each length, so that a failure is not repeated endlessly. */
function useMore(last: number, count: number, more: Props["more"], onMore: () => void): void {
  const asked = useRef(-1);
  useEffect(() => {
    if (more !== "some" || last < count - AHEAD_ROWS || asked.current === count) return;
    asked.current = count;
    onMore();
  }, [last, count, more, onMore]);
}

/** Moves the focus to an event's row, at a place in it, and the row into view. What has the focus is drawn wherever it is, so the row is there after the next drawing. */
function useFocus(body: RefObject<HTMLElement | null>, setCurrent: (id: string) => void) {
  const wanted = useRef<{ id: string; place: number | null } | null>(null);
  const [, draw] = useState(0);
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    const { id, place } = wanted.current;
    const row = body.current?.querySelector<HTMLElement>(`tr[data-id="${CSS.escape(id)}"]`);
    if (!row) return;
    wanted.current = null;
    const button = place === null ? null : [...row.querySelectorAll<HTMLElement>("button")][place];
    (button ?? row.querySelector<HTMLElement>("[data-event]"))?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  });
  return useCallback(
    (id: string, place: number | null = null) => {
      wanted.current = { id, place };
      setCurrent(id);
      draw((count) => count + 1);
    },
    [setCurrent],
  );
}

/** Arrow keys: up and down between rows at the same place, left and right through a row's values. */
function moveByArrow(pressed: KeyboardEvent<HTMLElement>, lines: Line[], focus: (id: string, place: number | null) => void): void {
  const step = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -1, ArrowRight: 1 }[pressed.key];
  const row = (pressed.target as HTMLElement).closest("tr");
  if (step === undefined || row === null || pressed.altKey || pressed.ctrlKey || pressed.metaKey) return;
  pressed.preventDefault();
  const buttons = [...row.querySelectorAll<HTMLElement>("button")];
  const place = buttons.indexOf(pressed.target as HTMLElement);
  if (pressed.key === "ArrowLeft" || pressed.key === "ArrowRight") return buttons[place + step]?.focus();
  for (let at = Number(row.dataset["index"]) + step; at >= 0 && at < lines.length; at += step) {
    const line = lines[at]!;
    if (line.kind === "event") return focus(line.event.id, place);
  }
}
