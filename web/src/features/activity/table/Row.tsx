import { memo, useCallback } from "react";
import type { Event } from "../../../api/contract";
import { Cell, type Shown } from "./Cell";
import type { Column } from "./columns";

const CHARACTERS_MAX = 300;
const WRAPPED_CHARACTERS_MAX = 2_000;

interface Props {
  event: Event;
  columns: Column[];
  shown: Shown;
  /** The line's place in the list. */
  index: number;
  isFresh: boolean;
  isSelected: boolean;
  /** Whether Tab leads to this row. */
  isActive: boolean;
  isWrapped: boolean;
  when: string;
  onOpen: (id: string) => void;
}

/** One event. The row takes the pointer; its buttons are what the keyboard and screen readers find. */
export const Row = memo(function Row({ event, columns, shown, index, isFresh, isSelected, isActive, isWrapped, when, onOpen }: Props) {
  // Whoever marks text with the pointer does not mean to open the event.
  const open = useCallback(() => (getSelection()?.isCollapsed === false ? undefined : onOpen(event.id)), [onOpen, event.id]);
  return (
    <tr
      role="row"
      className="event"
      data-id={event.id}
      data-index={index}
      data-action={event.action}
      data-selected={isSelected}
      data-fresh={isFresh}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      onClick={open}
    >
      {columns.map((column) => (
        <td key={column.id} role="gridcell" data-kind={column.kind} data-column={column.id} data-opens={column.id === shown.opener} data-label={column.label}>
          <Cell column={column} event={event} shown={shown} when={when} isSelected={isSelected} tabIndex={isActive ? 0 : -1} charactersMax={isWrapped ? WRAPPED_CHARACTERS_MAX : CHARACTERS_MAX} />
        </td>
      ))}
    </tr>
  );
});
