import { useEffect, useRef } from "react";
import { useScreen } from "../../screen";

interface Actions {
  search: () => void;
  filter: () => void;
  /** To the next row (1) or the one before (−1). */
  move: (step: 1 | -1) => void;
  open: () => void;
  close: () => void;
  help: () => void;
}

/** Single keys that work anywhere but in a field. What a popover or dialog has taken is left alone. */
export function useShortcuts(actions: Actions): void {
  const { mode, root } = useScreen();
  const current = useRef(actions);
  useEffect(() => {
    current.current = actions;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      // Inside of a shadow root, events seem to come from its host: the path has where they came from.
      const [origin] = event.composedPath();
      const element = origin instanceof Element ? origin : null;
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || element?.closest("dialog, .popover")) return;
      const inField = element?.matches("input, textarea, select") === true;
      if (event.key === "Escape") return inField ? (element as HTMLElement).blur() : current.current.close();
      if (inField) return;
      const action = actionOf(event.key, current.current, element);
      if (action === null) return;
      event.preventDefault();
      action();
    };
    // Another product's page keeps its keys: there only what is pressed inside of the screen counts.
    const heard: EventTarget = mode === "console" ? document : root;
    const listener = press as EventListener;
    heard.addEventListener("keydown", listener);
    return () => heard.removeEventListener("keydown", listener);
  }, [mode, root]);
}

function actionOf(key: string, actions: Actions, element: Element | null): (() => void) | null {
  switch (key) {
    case "/":
      return actions.search;
    case "f":
      return actions.filter;
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
