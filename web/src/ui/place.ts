// Where the screen is: a path and a query string, in the browser's address bar or, inside of another product's page, in memory.
import { createContext, useCallback, useContext, useSyncExternalStore } from "react";

export type Step = "push" | "replace";

export interface Place {
  /** Path and query string, `/insights?range=7d`; without what stands before the screen's own paths. */
  read: () => string;
  /** `push` leaves a step to come back to; `replace` is for what changes while typing or moving. */
  go: (to: string, step: Step) => void;
  subscribe: (changed: () => void) => () => void;
  /** The address of a place as a link that others can open; null where there is none. */
  link: (to: string) => string | null;
  /** Gives the page its title, where the page is ours. */
  entitle: (title: string) => void;
}

const MOVED = "trailbook:moved";

/** The address bar; the screen's own paths begin after `base`, which has no slash at its end. */
export function browserPlace(base = ""): Place {
  return {
    read: () => (location.pathname.startsWith(base) ? location.pathname.slice(base.length) || "/" : "/") + location.search,
    go: (to, step) => {
      history[step === "push" ? "pushState" : "replaceState"](null, "", base + to);
      window.dispatchEvent(new globalThis.Event(MOVED));
    },
    subscribe: (changed) => {
      window.addEventListener("popstate", changed);
      window.addEventListener(MOVED, changed);
      return () => {
        window.removeEventListener("popstate", changed);
        window.removeEventListener(MOVED, changed);
      };
    },
    link: (to) => location.origin + base + to,
    entitle: (title) => void (document.title = title),
  };
}

/** A place that only this object knows; `onGo` hears of every step. */
export function memoryPlace(first = "/", onGo: (to: string) => void = () => undefined): Place {
  let at = first;
  const listeners = new Set<() => void>();
  return {
    read: () => at,
    go: (to) => {
      at = to;
      onGo(to);
      listeners.forEach((listener) => listener());
    },
    subscribe: (changed) => (listeners.add(changed), () => void listeners.delete(changed)),
    link: () => null,
    entitle: () => undefined,
  };
}

/** `place` whose addresses also carry these parameters, which nobody within sees and every step and link within keeps. */
export function keeping(place: Place, names: readonly string[]): Place {
  const carry = (to: string) => {
    const [path, search = ""] = to.split("?", 2);
    const [outer, inner] = [kept(place, names), new URLSearchParams(search)];
    for (const [name, value] of inner) if (!names.includes(name)) outer.append(name, value);
    const text = outer.toString();
    return text === "" ? path! : `${path}?${text}`;
  };
  return {
    ...place,
    read: () => {
      const [path, search = ""] = place.read().split("?", 2);
      const inner = new URLSearchParams(search);
      // What is kept only stays as it was written when nothing is taken out of it.
      if (!names.some((name) => inner.has(name))) return place.read();
      names.forEach((name) => inner.delete(name));
      const text = inner.toString();
      return text === "" ? path! : `${path}?${text}`;
    },
    go: (to, step) => place.go(carry(to), step),
    link: (to) => place.link(carry(to)),
  };
}

/** Those of the named parameters that the place has. */
export function kept(place: Place, names: readonly string[]): URLSearchParams {
  const search = new URLSearchParams(place.read().split("?", 2)[1]);
  const set = new URLSearchParams();
  for (const name of names) if (search.has(name)) set.set(name, search.get(name)!);
  return set;
}

export const PlaceContext = createContext<Place>(memoryPlace());

/** Where the screen is, and how to go elsewhere. Going to where one is does nothing. */
export function usePlace(): { path: string; search: string; go: (to: string, step?: Step) => void; link: (to: string) => string | null } {
  const place = useContext(PlaceContext);
  const at = useSyncExternalStore(place.subscribe, place.read);
  const go = useCallback((to: string, step: Step = "push") => void (to !== place.read() && place.go(to, step)), [place]);
  const cut = at.indexOf("?");
  return { path: cut < 0 ? at : at.slice(0, cut), search: cut < 0 ? "" : at.slice(cut), go, link: place.link };
}
