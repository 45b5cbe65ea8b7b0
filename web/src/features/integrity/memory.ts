// What this browser keeps about a ledger between visits: the key that its reader trusts, and the last checkpoint that held.
import { useMemo, useSyncExternalStore } from "react";
import { useScreen } from "../../screen";
import { useProject } from "./useProject";

export interface Seen {
  /** The signed note. */
  note: string;
  /** When it was seen, milliseconds since 1970. */
  at: number;
  /** The size and time of the first one of which everything since is a continuation. */
  first: { size: number; at: number };
}

/** Both for one ledger. Without storage nothing is kept, and nothing fails. */
export interface Memory {
  /** Whether anything stays. */
  isKept: boolean;
  pinned: () => string | null;
  /** False when it could not be kept. */
  pin: (vkey: string | null) => boolean;
  seen: () => Seen | null;
  remember: (seen: Seen | null) => void;
}

const CHANGED = "trailbook:memory";

export function createMemory(storage: Storage | null, ledger: string): Memory {
  const names = { key: `trailbook.key ${ledger}`, seen: `trailbook.seen ${ledger}` };
  const put = (name: string, value: string | null): boolean => {
    if (storage === null) return false;
    try {
      if (value === null) storage.removeItem(name);
      else storage.setItem(name, value);
    } catch {
      // Full or forbidden.
      return false;
    }
    globalThis.dispatchEvent?.(new globalThis.Event(CHANGED));
    return true;
  };
  return {
    isKept: storage !== null,
    pinned: () => storage?.getItem(names.key) ?? null,
    pin: (vkey) => put(names.key, vkey),
    seen: () => parseSeen(storage?.getItem(names.seen) ?? null),
    remember: (seen) => void put(names.seen, seen === null ? null : JSON.stringify(seen)),
  };
}

function parseSeen(text: string | null): Seen | null {
  if (text === null) return null;
  try {
    const kept = JSON.parse(text) as Partial<Seen>;
    const isWhole = typeof kept.note === "string" && typeof kept.at === "number" && typeof kept.first?.size === "number" && typeof kept.first.at === "number";
    return isWhole ? (kept as Seen) : null;
  } catch {
    return null;
  }
}

/** The browser's storage; null where pages may not have it, as in some frames. */
function openStorage(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

/** What is kept about the ledger on the screen, the same by every way to it; of one that is in no known project nothing is. */
export function useMemory(): Memory {
  const { client, access } = useScreen();
  const { data: project } = useProject();
  return useMemo(() => createMemory(project === null ? null : openStorage(), [client.serverAddress(), project ?? "", access.organization].join(" ")), [client, access, project]);
}

/** The key that the reader pinned, as it is now, in whatever tab. */
export function usePinned(memory: Memory): string | null {
  return useSyncExternalStore(subscribe, memory.pinned);
}

/** The note that was last seen, as it is now. */
export function useSeenNote(memory: Memory): string | null {
  return useSyncExternalStore(subscribe, () => memory.seen()?.note ?? null);
}

function subscribe(changed: () => void): () => void {
  window.addEventListener(CHANGED, changed);
  window.addEventListener("storage", changed);
  return () => {
    window.removeEventListener(CHANGED, changed);
    window.removeEventListener("storage", changed);
  };
}
