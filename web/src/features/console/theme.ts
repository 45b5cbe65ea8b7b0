// The theme that this browser's reader has chosen for the console.
import { read, write } from "../../ui/kept";

export type Theme = "light" | "dark" | "system";

const NAME = "trailbook.theme";

/** The theme that was chosen; the system's where none was. */
export function readTheme(): Theme {
  const kept = read(NAME);
  return kept === "light" || kept === "dark" ? kept : "system";
}

/** Chooses a theme for this browser. */
export function saveTheme(theme: Theme): void {
  write(NAME, theme);
}
