// The theme that this browser's reader has chosen for the console.

export type Theme = "light" | "dark" | "system";

const NAME = "trailbook.theme";
const CHANGED = "trailbook:theme";

export function readTheme(): Theme {
  const kept = localStorage.getItem(NAME);
  return kept === "light" || kept === "dark" ? kept : "system";
}

export function saveTheme(theme: Theme): void {
  localStorage.setItem(NAME, theme);
  window.dispatchEvent(new globalThis.Event(CHANGED));
}

/** Hears of changes, those of other tabs too. */
export function onTheme(changed: () => void): () => void {
  window.addEventListener(CHANGED, changed);
  window.addEventListener("storage", changed);
  return () => {
    window.removeEventListener(CHANGED, changed);
    window.removeEventListener("storage", changed);
  };
}
