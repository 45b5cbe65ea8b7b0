// Events that arrive while somebody looks: one stream, kept up, resumed where it broke off.
//
// Invariants
// - There is no stream while the page is hidden or nobody wants one.
// - At most twice ARRIVALS_MAX events are held; the oldest give way.
//
// Not here: how the stream is read (api/sse.ts), where arrivals go in the list (timeline.ts).
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Client } from "../../api/client";
import type { Event, Filters } from "../../api/contract";
import { Problem } from "../../api/problem";

export type LiveState = "off" | "waiting" | "live";

/** Most arrivals that are kept beside the pages; then the list is read anew and takes them over. */
export const ARRIVALS_MAX = 500;

const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

/** Arrivals come to the screen together, at most this often. */
const FLUSH_MS = 60;

interface Callbacks {
  /** The stream has begun where nothing was known before: what is on the screen may miss events. */
  onOpen: () => void;
}

/**
 * Events as they are stored, newest last, from a stream that is kept up while `isOn` and somebody can see the page: browsers
 * allow few connections to a server, and a hidden tab must not hold one. Other filters begin a new list.
 */
export function useLive(client: Client, filters: Filters, isOn: boolean, { onOpen }: Callbacks): { state: LiveState; arrivals: Event[] } {
  const [state, setState] = useState<LiveState>("off");
  const [arrivals, setArrivals] = useState<Event[]>([]);
  const opened = useRef(onOpen);
  opened.current = onOpen;
  const { q, from, to } = filters;
  const isSeen = useSyncExternalStore(onVisibility, () => document.visibilityState === "visible");

  useEffect(() => setArrivals([]), [client, q, from, to]);
  useEffect(() => {
    if (!isOn || !isSeen) return setState("off");
    const ended = new AbortController();
    setState("waiting");
    void follow(client, { q, from, to }, ended.signal, {
      onState: setState,
      onOpen: () => opened.current(),
      onEvents: (events) => setArrivals((known) => [...known, ...events].slice(-2 * ARRIVALS_MAX)),
    });
    return () => ended.abort();
  }, [client, q, from, to, isOn, isSeen]);

  return { state, arrivals };
}

function onVisibility(changed: () => void): () => void {
  document.addEventListener("visibilitychange", changed);
  return () => document.removeEventListener("visibilitychange", changed);
}

interface Listener extends Callbacks {
  onState: (state: LiveState) => void;
  onEvents: (events: Event[]) => void;
}

/** Reads the stream, again and again, from where it broke off, until `signal` or an answer that repeating cannot change. */
async function follow(client: Client, filters: Filters, signal: AbortSignal, listener: Listener): Promise<void> {
  let last: string | null = null;
  let failures = 0;
  const batch = createBatch(listener.onEvents, signal);
  while (!signal.aborted) {
    try {
      const opened = () => {
        failures = 0;
        listener.onState("live");
        if (last === null) listener.onOpen();
      };
      for await (const { id, value } of client.live(filters, last, signal, opened)) {
        last = id ?? last;
        batch(value);
      }
    } catch (problem) {
      if (signal.aborted) return;
      const isRefused = problem instanceof Problem && !problem.passing;
      // What was refused may be the place to resume from, which an older epoch of the ledger had: then begin anew.
      if (isRefused && last === null) return listener.onState("off");
      if (isRefused) last = null;
    }
    if (signal.aborted) return;
    listener.onState("waiting");
    await pause(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]!, signal);
  }
}

function createBatch(flush: (events: Event[]) => void, signal: AbortSignal): (event: Event) => void {
  let waiting: Event[] = [];
  return (event) => {
    waiting.push(event);
    if (waiting.length > 1) return;
    setTimeout(() => {
      if (!signal.aborted) flush(waiting);
      waiting = [];
    }, FLUSH_MS);
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
