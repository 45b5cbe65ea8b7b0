// Events that arrive while somebody looks: one stream, kept up, resumed where it broke off.
//
// Invariants
// - There is no stream while the page is hidden, nobody wants one, or the list that it continues is on its way.
// - It begins where the list ends, and after a short pause where it ended itself: nothing is missed, and nothing is read again for it.
// - After a long pause the list is read anew instead: a busy log has had more meanwhile than anybody wants to see arrive.
// - At most twice ARRIVALS_MAX events are held; the oldest give way.
//
// Not here: how the stream is read (api/sse.ts), where arrivals go in the list (timeline.ts).
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Client } from "../../api/client";
import type { Event, Filters } from "../../api/contract";
import { Problem } from "../../api/problem";
import { pause } from "../../ui/pause";

export type LiveState = "off" | "waiting" | "live";

/** Most arrivals that are kept beside the pages; then the list is read anew and takes them over. */
export const ARRIVALS_MAX = 500;

const NONE: Event[] = [];

/** A pause after which what came meanwhile is still followed one by one. */
const PAUSE_MS_MAX = 60_000;

const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

/** Arrivals come to the screen together, at most this often. */
const FLUSH_MS = 60;

/** Where a list ends: the stream begins after it. Null where that is not known, as of a list without events. */
export type Mark = Pick<Event, "epoch" | "sequence"> | null;

interface Callbacks {
  /** The stream has begun where nothing was known before: what is on the screen may miss events. */
  onOpen: () => void;
}

/**
 * Events as they are stored, newest last, from a stream that is kept up while `isOn`, the list of `filters` is there (`isReady`)
 * and somebody can see the page: browsers allow few connections to a server, and a hidden tab must not hold one. Other filters
 * begin a new list, which the stream continues after `mark`.
 */
export function useLive(client: Client, filters: Filters, { isOn, isReady, mark }: { isOn: boolean; isReady: boolean; mark: Mark }, { onOpen }: Callbacks): { state: LiveState; arrivals: Event[] } {
  const [state, setState] = useState<LiveState>("off");
  const { q, from, to } = filters;
  const of = JSON.stringify([q, from, to]);
  const [kept, setKept] = useState<{ of: string; events: Event[] }>({ of, events: NONE });
  // What came for other filters is none of this list's.
  const arrivals = kept.of === of ? kept.events : NONE;
  const opened = useRef(onOpen);
  opened.current = onOpen;
  const end = useRef<Mark>(null);
  end.current = arrivals[arrivals.length - 1] ?? mark;
  const endedAt = useRef<number | null>(null);
  const isSeen = useSyncExternalStore(onVisibility, () => document.visibilityState === "visible");

  useEffect(() => {
    if (!isOn || !isSeen) return setState("off");
    setState("waiting");
    if (!isReady) return;
    const ended = new AbortController();
    const isNear = endedAt.current === null || Date.now() - endedAt.current < PAUSE_MS_MAX;
    void follow(client, { q, from, to }, isNear ? end.current : null, ended.signal, {
      onState: setState,
      onOpen: () => opened.current(),
      onEvents: (events) => setKept((known) => ({ of, events: [...(known.of === of ? known.events : NONE), ...events].slice(-2 * ARRIVALS_MAX) })),
    });
    return () => {
      ended.abort();
      endedAt.current = Date.now();
    };
  }, [client, of, isOn, isReady, isSeen]);

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

/** Reads the stream after `mark`, and again and again from where it broke off, until `signal` or an answer that repeating cannot change. */
async function follow(client: Client, filters: Filters, mark: Mark, signal: AbortSignal, listener: Listener): Promise<void> {
  let last: string | null = mark === null ? null : `${mark.epoch}-${mark.sequence}`;
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
