import { useSyncExternalStore } from "react";
import { subscribe } from "../../ui/kept";
import { wordsOf } from "../../ui/words";
import { readTheme, saveTheme, type Theme } from "./theme";
import en from "./words.en.json";

const say = wordsOf({ en });
const THEMES: readonly Theme[] = ["light", "dark", "system"];

/** Light, dark, or as the system has it; this browser keeps it. */
export function ThemeSwitch() {
  const theme = useSyncExternalStore(subscribe, readTheme);
  return (
    <fieldset className="segmented" aria-label={say("theme")}>
      {THEMES.map((each) => (
        <label key={each}>
          <input type="radio" name="theme" checked={theme === each} onChange={() => saveTheme(each)} />
          {say(each as "light")}
        </label>
      ))}
    </fieldset>
  );
}
