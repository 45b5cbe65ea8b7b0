import { useState, type ReactNode } from "react";
import { Dialog } from "./Dialog";
import { wordsOf } from "./words";
import en from "./dialog.en.json";

const say = wordsOf({ en });

interface Props {
  title: ReactNode;
  /** What comes of it. */
  children: ReactNode;
  button: string;
  /** Rejects with what is to be said. */
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before something that cannot be undone. */
export function Confirm({ title, children, button, onConfirm, onClose }: Props) {
  const [isBusy, setBusy] = useState(false);
  const [reason, setReason] = useState<string | null>(null);
  async function confirm() {
    setBusy(true);
    try {
      await onConfirm();
    } catch (failure) {
      setBusy(false);
      setReason(failure instanceof Error ? failure.message : String(failure));
      return;
    }
    onClose();
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{children}</p>
      {reason !== null && (
        <p className="notice" role="alert">
          {reason}
        </p>
      )}
      <div className="form-end">
        <button type="button" className="button danger" disabled={isBusy} onClick={() => void confirm()}>
          {button}
        </button>
        <button type="button" className="button" onClick={onClose}>
          {say("cancel")}
        </button>
      </div>
    </Dialog>
  );
}
