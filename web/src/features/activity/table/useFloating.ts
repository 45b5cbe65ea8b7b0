import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { withoutField, withoutValue, withValue } from "../../../query/terms";
import { useAddress } from "../../../query/useAddress";
import type { CellActions } from "./actions";
import type { Value } from "./cells";

/** What stands over the list beside one of its values. */
export type Open = { key: number; anchor: HTMLElement } & ({ kind: "value"; value: Value } | { kind: "time"; instant: string; isEntered: boolean });

export type Narrowing = "for" | "out" | "only";

const HOVER_MS = 350;
/** Time to get from a value to what it opened. */
const LEAVE_MS = 200;

/** What is open over the list, and what its cells can ask for. */
export function useFloating() {
  const [{ query }, go] = useAddress();
  const [open, setOpen] = useState<Open | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const keys = useRef(0);
  const text = useRef(query);
  text.current = query;

  const after = useCallback((ms: number, what: () => void) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(what, ms);
  }, []);
  useEffect(() => () => clearTimeout(timer.current), []);

  const stay = useCallback(() => clearTimeout(timer.current), []);
  const close = useCallback(() => (stay(), setOpen(null)), [stay]);
  const ask = useCallback((value: Value, how: Narrowing) => go({ query: narrowed(text.current, value, how) }), [go]);
  const actions = useMemo<CellActions>(() => {
    const show = (next: { anchor: HTMLElement } & ({ kind: "value"; value: Value } | { kind: "time"; instant: string; isEntered: boolean })) => {
      stay();
      setOpen({ ...next, key: ++keys.current });
    };
    return {
      offer: (anchor, value) => show({ kind: "value", anchor, value }),
      exclude: (value) => ask(value, "out"),
      tellTime: (anchor, instant, how) => after(how === "later" ? HOVER_MS : 0, () => show({ kind: "time", anchor, instant, isEntered: how === "now" })),
      hushTime: () => after(LEAVE_MS, () => setOpen((now) => (now?.kind === "time" && !now.isEntered ? null : now))),
    };
  }, [after, ask, stay]);
  return { open, actions, ask, close, stay };
}

/** The query with a condition on a value: one more, its opposite, or the only one on its field. */
export function narrowed(query: string, { field, value }: Value, how: Narrowing): string {
  if (field === null) return query;
  const base = how === "only" ? withoutField(query, field) : withoutValue(query, field, value);
  return withValue(base, field, value, how === "out");
}
