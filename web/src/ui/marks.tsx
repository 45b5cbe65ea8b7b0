// Small marks of an event or a person, drawn from plain values.
import { Shield } from "./icons";
import { wordsOf } from "./words";
import en from "./words.en.json";

const say = wordsOf({ en });

/** A round mark for a person, a square one for a machine. */
export function Avatar({ letters, isMachine }: { letters: string; isMachine: boolean }) {
  return (
    <span className={isMachine ? "avatar machine" : "avatar"} aria-hidden="true">
      {letters}
    </span>
  );
}

export function SecurityBadge({ label = say("security_action") }: { label?: string }) {
  return (
    <span className="badge">
      <Shield />
      {label}
    </span>
  );
}

export function ResultBadge({ result }: { result: string }) {
  if (result === "success") return null;
  return <span className="badge danger">{result === "failure" || result === "denied" ? say(result) : result}</span>;
}
