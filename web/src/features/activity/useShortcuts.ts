import { useEffect, useRef } from "react";

interface Actions {
  search: () => void;
  /** To the next row (1) or the one before (−1). */
  move: (step: 1 | -1) => void;
  open: () => void;
  close: () => void;
  help: () => void;
}

/** Single keys that work anywhere but in a field. What a popover or dialog has taken is left alone. */
export function useShortcuts(actions: Actions): void {
  const current = useRef(actions);
  useEffect(() => {
    current.current = actions;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const element = event.target instanceof Element ? event.target : null;
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || element?.closest("dialog, .popover")) return;
      const inField = element?.matches("input, textarea, select") === true;
      if (event.key === "Escape") return inField ? (element as HTMLElement).blur() : current.current.close();
      if (inField) return;
      const action = actionOf(event.key, current.current, element);
      if (action === null) return;
      event.preventDefault();
      action();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}

function actionOf(key: string, actions: Actions, element: Element | null): (() => void) | null {
  switch (key) {
    case "/":
      return actions.search;
    case "j":
      return () => actions.move(1);
    case "k":
      return () => actions.move(-1);
    case "?":
      return actions.help;
    case "Enter":
      // A focused button or link has an Enter of its own.
      return element?.closest("button, a") ? null : actions.open;
    default:
      return null;
  }
}
