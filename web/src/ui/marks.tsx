// Small marks of an event or a person, drawn from plain values.
import { Shield } from "./icons";

/** A round mark for a person, a square one for a machine. */
export function Avatar({ letters, isMachine }: { letters: string; isMachine: boolean }) {
  return (
    <span className={isMachine ? "avatar machine" : "avatar"} aria-hidden="true">
      {letters}
    </span>
  );
}

export function SecurityBadge() {
  return (
    <span className="badge">
      <Shield />
      Security action
    </span>
  );
}

export function ResultBadge({ result }: { result: string }) {
  if (result === "success") return null;
  return <span className="badge danger">{result === "failure" ? "Failed" : result === "denied" ? "Denied" : result}</span>;
}
