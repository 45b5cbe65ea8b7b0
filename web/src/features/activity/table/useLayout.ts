import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";
import type { Access } from "../../../api/client";
import { useLabels } from "../../../event/labels";
import { useAddress } from "../../../query/useAddress";
import { useScreen } from "../../../screen";
import { read, subscribe, write } from "../../../ui/kept";
import { columnOf, defaultColumns, type Column } from "./columns";
import { DEFAULT_LAYOUT, parseLayout, type Layout } from "./layout";

export interface LayoutState {
  layout: Layout;
  /** The columns on the screen, in their order. */
  columns: Column[];
  defaults: Column[];
  isDefault: boolean;
  change: (change: Partial<Layout>) => void;
  reset: () => void;
}

/** The reader's layout of this list, and changes to it. The address goes before what is kept. */
export function useLayout(): LayoutState {
  const { access, policy } = useScreen();
  const labels = useLabels();
  const [address, go] = useAddress();
  const name = nameOf(access, address.view);
  const text = useSyncExternalStore(subscribe, () => read(name));
  const kept = useMemo(() => parseLayout(text), [text]);
  const defaults = useMemo(() => defaultColumns(policy, labels), [policy, labels]);

  // A link that is copied shows what is on the screen: kept columns go into the address.
  useEffect(() => {
    if (address.columns === null && kept.columns !== null) go({ columns: kept.columns }, "replace");
  }, [address.columns, kept.columns, go]);

  const columns = useMemo(() => {
    const found = (address.columns ?? kept.columns ?? []).flatMap((id) => columnOf(id, defaults, labels) ?? []);
    return found.length === 0 ? defaults : found;
  }, [address.columns, kept.columns, defaults, labels]);

  const change = useCallback(
    (wanted: Partial<Layout>) => {
      const next = { ...parseLayout(read(name)), ...wanted };
      write(name, JSON.stringify(next));
      if ("columns" in wanted) go({ columns: wanted.columns ?? null }, "replace");
    },
    [name, go],
  );
  const reset = useCallback(() => change(DEFAULT_LAYOUT), [change]);
  const isDefault = JSON.stringify({ ...kept, columns: null }) === JSON.stringify(DEFAULT_LAYOUT) && address.columns === null && kept.columns === null;
  return { layout: kept, columns, defaults, isDefault, change, reset };
}

/** Under which name a reader's layout is kept. Nothing is known here of who holds a key or a viewer token: all of them share one. */
function nameOf(access: Access, view: string | null): string {
  const person = access.kind === "session" ? access.email : access.kind;
  return ["trailbook.list", access.project ?? "", access.organization, person, view ?? ""].map(encodeURIComponent).join("/");
}
