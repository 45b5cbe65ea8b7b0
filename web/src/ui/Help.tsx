import { useRef } from "react";
import { Cross } from "./icons";

const KEYS = [
  ["/", "Search"],
  ["f", "Add a filter"],
  ["j  k", "Next and previous event"],
  ["Enter", "Open the event"],
  ["Esc", "Close"],
  ["?", "This list"],
] as const;

export const HELP_BUTTON = "help-button";

/** The keyboard's keys, in a dialog behind a `?`. */
export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button type="button" id={HELP_BUTTON} className="icon-button pointer-only" aria-label="Keyboard" onClick={() => dialog.current?.showModal()}>
        <span className="kbd">?</span>
      </button>
      <dialog ref={dialog} className="help" aria-labelledby="help-title">
        <header>
          <h2 id="help-title">Keyboard</h2>
          <button type="button" className="icon-button" aria-label="Close" onClick={() => dialog.current?.close()}>
            <Cross />
          </button>
        </header>
        <dl>
          {KEYS.map(([keys, meaning]) => (
            <div key={meaning} className="help-line">
              <dt>
                {keys.split("  ").map((key) => (
                  <kbd key={key} className="kbd">
                    {key}
                  </kbd>
                ))}
              </dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
      </dialog>
    </>
  );
}
