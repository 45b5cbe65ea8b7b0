import { useRef, type KeyboardEvent, type PointerEvent, type Ref } from "react";
import { clip } from "../../../event/words";
import { useAddress } from "../../../query/useAddress";
import { ArrowDown } from "../../../ui/icons";
import { dayHeading } from "../../../ui/time";
import { useZone } from "../../../ui/useZone";
import { wordsOf } from "../../../ui/words";
import type { Column } from "./columns";
import { clampWidth, gridColumns, WIDTH_MAX, WIDTH_MIN, WIDTH_STEP } from "./layout";
import { useLayout } from "./useLayout";
import en from "./words.en.json";

const say = wordsOf({ en });

interface Props {
  ref: Ref<HTMLTableSectionElement>;
  columns: Column[];
  now: Date;
  /** The day whose rows are at the top of the view, while its own heading is above it. */
  heading: string | null;
}

/** The names of the columns, which stay in sight; the column of times sorts, and every edge can be moved. */
export function Head({ ref, columns, now, heading }: Props) {
  const zone = useZone();
  return (
    <thead ref={ref} role="rowgroup">
      <tr role="row" aria-rowindex={1}>
        {columns.map((column) => (
          <ColumnHead key={column.id} column={column} columns={columns} now={now} />
        ))}
      </tr>
      {heading !== null && (
        <tr className="day-now" aria-hidden="true">
          <td>{dayHeading(heading, now, zone)}</td>
        </tr>
      )}
    </thead>
  );
}

function ColumnHead({ column, columns, now }: { column: Column; columns: Column[]; now: Date }) {
  const zone = useZone();
  const [{ order }, go] = useAddress();
  const label = clip(column.label, 100);
  const isSorted = column.template === "{occurred_at}";
  return (
    <th role="columnheader" scope="col" data-kind={column.kind} data-sorted={isSorted} aria-sort={isSorted ? (order === "asc" ? "ascending" : "descending") : undefined}>
      {isSorted ? (
        <button type="button" className="sort" title={`${zone.id}. ${say(order === "asc" ? "oldest_first" : "newest_first")}`} onClick={() => go({ order: order === "asc" ? "desc" : "asc" })}>
          <bdi className="line">{label}</bdi> <span>{zone.nameAt(now)}</span>
          <ArrowDown />
        </button>
      ) : (
        <bdi className="line" title={label}>
          {label}
        </bdi>
      )}
      <Edge column={column} columns={columns} label={label} />
    </th>
  );
}

/** The end of a column, which is dragged or moved by arrow keys; a double click gives the column its own width back. */
function Edge({ column, columns, label }: { column: Column; columns: Column[]; label: string }) {
  const { layout, change } = useLayout();
  const drag = useRef<{ from: number; width: number; now: number } | null>(null);
  const width = layout.widths[column.id];
  const set = (pixels: number) => change({ widths: { ...layout.widths, [column.id]: clampWidth(pixels) } });
  const reset = () => {
    const { [column.id]: _, ...widths } = layout.widths;
    change({ widths });
  };
  const begin = (event: PointerEvent<HTMLElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    const own = event.currentTarget.parentElement!.offsetWidth;
    drag.current = { from: event.clientX, width: own, now: own };
  };
  // While it is dragged only the grid's columns change; the layout is kept once it is let go.
  const move = (event: PointerEvent<HTMLElement>) => {
    if (drag.current === null) return;
    drag.current.now = clampWidth(drag.current.width + event.clientX - drag.current.from);
    event.currentTarget.closest("table")?.style.setProperty("--list-columns", gridColumns(columns, { ...layout.widths, [column.id]: drag.current.now }));
  };
  const end = () => {
    if (drag.current !== null && drag.current.now !== drag.current.width) set(drag.current.now);
    drag.current = null;
  };
  const press = (event: KeyboardEvent<HTMLElement>) => {
    const step = { ArrowLeft: -WIDTH_STEP, ArrowRight: WIDTH_STEP }[event.key];
    if (step === undefined) return event.key === "Delete" ? reset() : undefined;
    event.preventDefault();
    set((width ?? event.currentTarget.parentElement!.offsetWidth) + step);
  };
  return (
    <span
      role="separator"
      tabIndex={0}
      className="edge"
      aria-orientation="vertical"
      aria-label={say("width_of", { column: label })}
      aria-valuemin={WIDTH_MIN}
      aria-valuemax={WIDTH_MAX}
      aria-valuenow={width ?? column.width}
      onPointerDown={begin}
      onPointerMove={move}
      onPointerUp={end}
      onPointerCancel={end}
      onDoubleClick={reset}
      onKeyDown={press}
    />
  );
}
