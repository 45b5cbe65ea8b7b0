import { useCallback, useMemo, useSyncExternalStore } from "react";
import { parseAddress, printAddress, type Address } from "./address";

const CHANGED = "trailbook:address";

function subscribe(changed: () => void): () => void {
  window.addEventListener("popstate", changed);
  window.addEventListener(CHANGED, changed);
  return () => {
    window.removeEventListener("popstate", changed);
    window.removeEventListener(CHANGED, changed);
  };
}

/** The address bar as state. `push` leaves a step to come back to; `replace` is for what changes while typing or moving. */
export function useAddress(): [Address, (change: Partial<Address>, step?: "push" | "replace") => void] {
  const search = useSyncExternalStore(subscribe, () => location.search);
  const address = useMemo(() => parseAddress(search), [search]);
  const go = useCallback((change: Partial<Address>, step: "push" | "replace" = "push") => {
    const text = printAddress({ ...parseAddress(location.search), ...change }, location.search);
    if (text === location.search) return;
    history[step === "push" ? "pushState" : "replaceState"](null, "", location.pathname + text);
    window.dispatchEvent(new globalThis.Event(CHANGED));
  }, []);
  return [address, go];
}
