// What this browser's reader has chosen, kept by the browser (localStorage) for the next visit and for its other tabs.
//
// Invariants
// - Nothing throws: where storage is forbidden or full, what was written is known to this page alone, until it is left.
//
// Not here: keys and viewer tokens (features/sign-in/session.ts), which no browser keeps for another visit.

/** What was written and could not be kept. */
const unkept = new Map<string, string>();
const listeners = new Set<() => void>();

/** What was last written under this name; null where nothing was. */
export function read(name: string): string | null {
  try {
    return unkept.get(name) ?? localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Keeps a text under this name, and tells whoever listens. */
export function write(name: string, text: string): void {
  try {
    localStorage.setItem(name, text);
    unkept.delete(name);
  } catch {
    unkept.set(name, text);
  }
  listeners.forEach((changed) => changed());
}

/** Hears of every change, those of other tabs too; what it answers ends that. */
export function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  window.addEventListener("storage", changed);
  return () => {
    listeners.delete(changed);
    window.removeEventListener("storage", changed);
  };
}
