import type { Policy } from "../../api/contract";
import { clip } from "../../event/words";
import { longDate } from "../../ui/time";
import { useZone } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import en from "./words.en.json";

const say = wordsOf({ en });

/** Where the product has put this log. */
export function Breadcrumb({ names }: { names: string[] }) {
  if (names.length === 0) return null;
  return (
    <ol className="breadcrumb" aria-label={say("breadcrumb")}>
      {names.map((name, place) => (
        <li key={place}>
          <bdi>{clip(name, 100)}</bdi>
        </li>
      ))}
    </ol>
  );
}

/** What the log covers, since when, and where to say something about it. */
export function About({ policy: { coverage_note, recorded_since, feedback_url } }: { policy: Policy }) {
  const zone = useZone();
  if (coverage_note === null && recorded_since === null && feedback_url === null) return null;
  return (
    <p className="about">
      {coverage_note !== null && <bdi>{clip(coverage_note, 2_000)}</bdi>}
      {recorded_since !== null && <span>{say.nodes("recorded_since", { day: <time dateTime={recorded_since}>{longDate(recorded_since, zone)}</time> })}</span>}
      {feedback_url !== null && (
        <a href={feedback_url} rel="noreferrer" target="_blank">
          {say("feedback")}
        </a>
      )}
    </p>
  );
}
