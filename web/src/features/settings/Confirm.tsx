import type { ReactNode } from "react";
import { Dialog } from "../../ui/Dialog";
import { useDeed } from "./useAdministration";
import { say } from "./words";

interface Props {
  title: ReactNode;
  /** What comes of it. */
  children: ReactNode;
  button: string;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before something that cannot be undone. */
export function Confirm({ title, children, button, onConfirm, onClose }: Props) {
  const { run, isPending, reason } = useDeed();
  const confirm = () => run(onConfirm).then(onClose, () => undefined);
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{children}</p>
      {reason !== null && (
        <p className="notice" role="alert">
          {reason}
        </p>
      )}
      <div className="form-end">
        <button type="button" className="button danger" disabled={isPending} onClick={() => void confirm()}>
          {button}
        </button>
        <button type="button" className="button" onClick={onClose}>
          {say("cancel")}
        </button>
      </div>
    </Dialog>
  );
}
