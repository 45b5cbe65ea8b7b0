import { useState } from "react";
import { wordsOf } from "../../ui/words";
import en from "./sign-out.en.json";

const say = wordsOf({ en });

/** Signs out, and says so when that did not work: then the session is still there. */
export function SignOutButton({ onLeave, className }: { onLeave: () => Promise<void>; className: string }) {
  const [isLeaving, setLeaving] = useState(false);
  const [reason, setReason] = useState<string | null>(null);
  async function leave() {
    setLeaving(true);
    setReason(null);
    try {
      await onLeave();
    } catch (problem) {
      setReason(problem instanceof Error ? problem.message : String(problem));
    }
    setLeaving(false);
  }
  return (
    <>
      {reason !== null && (
        <span className="notice" role="alert">
          {say("still_signed_in", { reason })}
        </span>
      )}
      <button type="button" className={className} disabled={isLeaving} onClick={leave}>
        {say(isLeaving ? "signing_out" : "sign_out")}
      </button>
    </>
  );
}
