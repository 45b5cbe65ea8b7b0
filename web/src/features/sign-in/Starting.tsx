// The first moment of a page that nothing tells whose it is.
import { useEffect, useState } from "react";
import type { Auth } from "../../api/auth";
import type { SignedIn } from "../../api/contract";
import { Loading } from "../../ui/Loading";
import { wordsOf } from "../../ui/words";
import { Card } from "./Card";
import en from "./starting.en.json";

const say = wordsOf({ en });

interface Props {
  auth: Auth;
  /** Null when nobody is signed in. */
  onAnswer: (signedIn: SignedIn | null) => void;
}

/** Asks the server who is signed in; shows nothing of anybody meanwhile. */
export function Starting({ auth, onAnswer }: Props) {
  const [attempt, setAttempt] = useState(0);
  const [reason, setReason] = useState<string | null>(null);
  useEffect(() => {
    let isWanted = true;
    setReason(null);
    auth.session().then(
      (signedIn) => isWanted && onAnswer(signedIn),
      (problem: unknown) => isWanted && setReason(problem instanceof Error ? problem.message : String(problem)),
    );
    return () => {
      isWanted = false;
    };
    // Asked once for each attempt, not for each drawing.
  }, [auth, attempt]);

  if (reason === null) return <Loading />;
  return (
    <Card title={say("untold")}>
      <p role="alert">{reason}</p>
      <div className="choices">
        <button type="button" className="button primary" onClick={() => setAttempt(attempt + 1)}>
          {say("again")}
        </button>
      </div>
    </Card>
  );
}
