import { useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import type { Event } from "../../../api/contract";
import { useLabels } from "../../../event/labels";
import { clip } from "../../../event/words";
import { Grip } from "../../../ui/icons";
import { wordsOf } from "../../../ui/words";
import { choosableColumns } from "./choosable";
import { columnOf, type Column } from "./columns";
import { moved, type Layout } from "./layout";
import { useLayout } from "./useLayout";
import en from "./chooser.en.json";

const say = wordsOf({ en });

/** Which columns the list has, in which order, and how densely it is written. */
export default function ColumnChooser({ events }: { events: readonly Event[] }) {
  const labels = useLabels();
  const { layout, columns, defaults, isDefault, change, reset } = useLayout();
  const [text, setText] = useState("");
  const all = useMemo(() => choosableColumns(defaults, events, labels), [defaults, events, labels]);
  const wanted = text.trim().toLowerCase();
  const matches = ({ label, id }: Column) => label.toLowerCase().includes(wanted) || id.toLowerCase().includes(wanted);
  const further = all.filter((column) => !columns.some(({ id }) => id === column.id) && matches(column));
  const typed = columnOf(text.trim(), defaults, labels);
  const isNew = typed !== null && ![...columns, ...further].some(({ id }) => id === typed.id);
  const show = (next: Column[]) => change({ columns: sameIds(next, defaults) ? null : next.map(({ id }) => id) });
  return (
    <>
      <input className="input" type="search" value={text} onChange={(event) => setText(event.target.value)} placeholder={say("search_columns")} aria-label={say("search_columns")} spellCheck={false} />
      <div className="column-lists">
        {wanted === "" && <h2>{say("shown")}</h2>}
        <Shown columns={columns} isListed={matches} onColumns={show} />
        {(further.length > 0 || isNew) && <h2>{say("further")}</h2>}
        <ul>
          {isNew && <Choice column={typed} label={say("add_path", { path: clip(typed.id, 60) })} isOn={false} onToggle={() => (show([...columns, typed]), setText(""))} />}
          {further.map((column) => (
            <Choice key={column.id} column={column} isOn={false} onToggle={() => show([...columns, column])} />
          ))}
        </ul>
      </div>
      <Looks layout={layout} onChange={change} isDefault={isDefault} onReset={reset} />
    </>
  );
}

function sameIds(left: Column[], right: Column[]): boolean {
  return left.length === right.length && left.every(({ id }, place) => id === right[place]?.id);
}

/** The columns on the screen, to be taken away, or moved by their grips: with the pointer or with arrow keys. */
function Shown({ columns, isListed, onColumns }: { columns: Column[]; isListed: (column: Column) => boolean; onColumns: (columns: Column[]) => void }) {
  const list = useRef<HTMLUListElement>(null);
  const [dragged, setDragged] = useState<string | null>(null);
  const [said, setSaid] = useState("");
  const move = (from: number, to: number) => {
    const place = Math.min(Math.max(to, 0), columns.length - 1);
    if (place === from) return;
    onColumns(moved(columns, from, place));
    setSaid(say("moved_to", { column: columns[from]!.label, place: place + 1, count: columns.length }));
  };
  const drag = (event: PointerEvent<HTMLElement>, from: number) => {
    if (dragged === null) return;
    const rows = [...(list.current?.children ?? [])].map((row) => row.getBoundingClientRect());
    const over = rows.findIndex((row) => event.clientY >= row.top && event.clientY < row.bottom);
    if (over >= 0 && rows.length === columns.length) move(from, over);
  };
  const press = (event: KeyboardEvent<HTMLElement>, from: number) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    move(from, from + step);
  };
  return (
    <>
      <ul ref={list}>
        {columns.map((column, place) =>
          isListed(column) ? (
            <Choice key={column.id} column={column} isOn isDragged={dragged === column.id} isOnly={columns.length === 1} onToggle={() => onColumns(columns.filter(({ id }) => id !== column.id))}>
              <button
                type="button"
                className="grip icon-button"
                aria-label={say("drag", { column: clip(column.label, 100) })}
                onKeyDown={(event) => press(event, place)}
                onPointerDown={(event) => (event.currentTarget.setPointerCapture(event.pointerId), setDragged(column.id))}
                onPointerMove={(event) => drag(event, place)}
                onPointerUp={() => setDragged(null)}
                onPointerCancel={() => setDragged(null)}
              >
                <Grip />
              </button>
            </Choice>
          ) : null,
        )}
      </ul>
      <span className="unseen" role="status">
        {said}
      </span>
    </>
  );
}

interface ChoiceProps {
  column: Column;
  label?: string;
  isOn: boolean;
  isDragged?: boolean;
  /** The last column cannot be taken away. */
  isOnly?: boolean;
  onToggle: () => void;
  children?: React.ReactNode;
}

function Choice({ column, label = column.label, isOn, isDragged = false, isOnly = false, onToggle, children }: ChoiceProps) {
  return (
    <li data-dragged={isDragged}>
      <label className="choice">
        <input type="checkbox" checked={isOn} disabled={isOnly} onChange={onToggle} />
        <bdi className="line">{clip(label, 100)}</bdi>
        {!isOn && <span className="mono muted line">{clip(column.id, 60)}</span>}
      </label>
      {children}
    </li>
  );
}

function Looks({ layout, onChange, isDefault, onReset }: { layout: Layout; onChange: (change: Partial<Layout>) => void; isDefault: boolean; onReset: () => void }) {
  return (
    <div className="looks">
      <fieldset className="segmented" aria-label={say("density")}>
        {(["comfortable", "compact"] as const).map((density) => (
          <label key={density}>
            <input type="radio" name="density" checked={layout.density === density} onChange={() => onChange({ density })} />
            {say(density)}
          </label>
        ))}
      </fieldset>
      <button type="button" className="button ghost small" disabled={isDefault} onClick={onReset}>
        {say("reset")}
      </button>
      <label className="choice">
        <input type="checkbox" checked={layout.isWrapped} onChange={() => onChange({ isWrapped: !layout.isWrapped })} />
        {say("wrap")}
      </label>
      <label className="choice">
        <input type="checkbox" checked={layout.isFrozen} onChange={() => onChange({ isFrozen: !layout.isFrozen })} />
        {say("freeze")}
      </label>
    </div>
  );
}
