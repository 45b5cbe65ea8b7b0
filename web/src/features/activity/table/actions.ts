import { createContext, useContext } from "react";
import type { Value } from "./cells";

/** What cells ask of the list that they stand in. */
export interface CellActions {
  /** Offers what can be done with a value, beside the element that shows it. */
  offer: (anchor: HTMLElement, value: Value) => void;
  /** Leaves events with the value out. */
  exclude: (value: Value) => void;
  /** Tells an instant in full beside the element that shows it; `now` moves the focus there. */
  tellTime: (anchor: HTMLElement, instant: string, how: "later" | "soon" | "now") => void;
  hushTime: () => void;
}

/** Given by the list (useFloating.ts) to all of its cells. */
export const CellActionsContext = createContext<CellActions | null>(null);

/** What the list does for this cell; outside of a list no cell is drawn. */
export function useCellActions(): CellActions {
  const actions = useContext(CellActionsContext);
  if (actions === null) throw new Error("a cell is drawn outside of the list");
  return actions;
}
