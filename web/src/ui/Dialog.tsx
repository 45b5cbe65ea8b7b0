import { useEffect, useId, useRef, type ReactNode } from "react";
import { Cross } from "./icons";
import { wordsOf } from "./words";
import en from "./dialog.en.json";

const say = wordsOf({ en });

/** A dialog that stands before everything else as long as it is drawn; Escape and its cross ask to close it. */
export function Dialog({ title, onClose, children }: { title: ReactNode; onClose: () => void; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const opened = dialog.current;
    if (opened?.open === false) opened.showModal();
    // Closing gives the focus back to what had it.
    return () => opened?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className="dialog-head">
        <h2 id={id}>{title}</h2>
        <button type="button" className="icon-button" aria-label={say("close")} onClick={onClose}>
          <Cross />
        </button>
      </div>
      {children}
    </dialog>
  );
}
