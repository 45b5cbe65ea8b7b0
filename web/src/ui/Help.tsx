import { lazy, Suspense, useState } from "react";
import { HELP_BUTTON } from "./helpButton";
import { wordsOf } from "./words";
import en from "./words.en.json";

const Keys = lazy(() => import("./Keys"));

const say = wordsOf({ en });

/** The keyboard's keys behind a `?`. */
export function Help() {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" id={HELP_BUTTON} className="icon-button pointer-only" aria-label={say("keyboard")} onClick={() => setOpen(true)}>
        <span className="kbd">?</span>
      </button>
      {isOpen && (
        <Suspense>
          <Keys onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
