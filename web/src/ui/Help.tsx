import { useRef } from "react";
import { Cross } from "./icons";
import { wordsOf } from "./words";
import en from "./words.en.json";

const say = wordsOf({ en });

const KEYS = [
  ["/", "key_search"],
  ["f", "key_filter"],
  ["j  k", "key_move"],
  ["←  →", "key_values"],
  ["Enter", "key_open"],
  ["x", "key_exclude"],
  ["Esc", "key_close"],
  ["?", "key_help"],
] as const;

export const HELP_BUTTON = "help-button";

/** The keyboard's keys, in a dialog behind a `?`. */
export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button type="button" id={HELP_BUTTON} className="icon-button pointer-only" aria-label={say("keyboard")} onClick={() => dialog.current?.showModal()}>
        <span className="kbd">?</span>
      </button>
      <dialog ref={dialog} className="help" aria-labelledby="help-title">
        <header>
          <h2 id="help-title">{say("keyboard")}</h2>
          <button type="button" className="icon-button" aria-label={say("close")} onClick={() => dialog.current?.close()}>
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
              <dd>{say(meaning)}</dd>
            </div>
          ))}
        </dl>
      </dialog>
    </>
  );
}
