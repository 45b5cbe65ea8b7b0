// Small marks of an event or a person, drawn from plain values.
import { Shield } from "./icons";

export function Avatar({ letters }: { letters: string }) {
  return (
    <span className="avatar" aria-hidden="true">
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
