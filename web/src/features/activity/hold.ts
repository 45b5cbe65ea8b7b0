// Holding the list still: while somebody reads further down, what arrives is counted and does not move what is read.
import { useEffect, useMemo, useRef, useState, type RefObject } from "react";
import type { Event } from "../../api/contract";

export interface Held {
  /** The arrivals that the list shows. */
  shown: Event[];
  /** How many wait. */
  waiting: number;
}

/** Of `arrivals`, in the order of their coming, those that were there when the list began to be held at `limit`; all when it is not. */
export function hold(arrivals: Event[], limit: number | null): Held {
  if (limit === null) return { shown: arrivals, waiting: 0 };
  const shown = arrivals.filter((event) => event.sequence <= limit);
  return { shown, waiting: arrivals.length - shown.length };
}

/** The newest sequence that is shown while `isHeld`; null while it is not. Another `key` (other filters) begins anew. */
export function useHold(arrivals: Event[], isHeld: boolean, key: unknown): Held {
  const newest = arrivals[arrivals.length - 1]?.sequence ?? -1;
  const last = useRef(newest);
  const [limit, setLimit] = useState<{ key: unknown; sequence: number } | null>(null);
  useEffect(() => {
    last.current = newest;
  });
  useEffect(() => setLimit(isHeld ? { key, sequence: last.current } : null), [isHeld, key]);
  const sequence = limit !== null && limit.key === key ? limit.sequence : null;
  return useMemo(() => hold(arrivals, sequence), [arrivals, sequence]);
}

/** Whether the list's beginning, where `mark` stands, has been scrolled out of sight. */
export function useScrolledAway(mark: RefObject<HTMLElement | null>): boolean {
  const [isAway, setAway] = useState(false);
  useEffect(() => {
    if (mark.current === null) return;
    const observer = new IntersectionObserver(([entry]) => entry && setAway(!entry.isIntersecting && entry.boundingClientRect.top < 0));
    observer.observe(mark.current);
    return () => observer.disconnect();
  }, [mark]);
  return isAway;
}
