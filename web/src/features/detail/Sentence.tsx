import { Fragment, type ReactNode } from "react";
import type { Event } from "../../api/contract";
import { clip } from "../../event/words";
import { printAddress, parseAddress } from "../../query/address";
import { ALL } from "../../query/range";
import { withValue } from "../../query/terms";
import { useScreen } from "../../screen";
import { Link } from "../../ui/Link";
import { wordsOf } from "../../ui/words";
import { sentenceOf, type Named } from "./sentence";
import en from "./words.en.json";

const say = wordsOf({ en });

const TARGETS_NAMED_MAX = 2;

/** What happened, first of all; whoever and whatever is named leads to its history. */
export function Sentence({ event }: { event: Event }) {
  const { pieces } = sentenceOf(event);
  return (
    <bdi>
      {pieces.map((piece, place) => (
        <Fragment key={place}>{typeof piece === "string" ? piece : <History of={piece} />}</Fragment>
      ))}
    </bdi>
  );
}

/** Who did it and to whom, as far as the sentence does not say it. */
export function Byline({ event }: { event: Event }) {
  const { actor, targets } = sentenceOf(event);
  if (actor === null && targets.length === 0) return null;
  return (
    <p className="byline">
      {actor !== null && say.nodes("by", { who: <History of={actor} /> })}
      {actor !== null && targets.length > 0 && " "}
      {targets.length > 0 && say.nodes("on", { targets: <Targets targets={targets} /> })}
    </p>
  );
}

function Targets({ targets }: { targets: Named[] }) {
  const names = targets.slice(0, TARGETS_NAMED_MAX).map((target, place) => (
    <Fragment key={place}>
      {place > 0 && ", "}
      <History of={target} />
    </Fragment>
  ));
  if (targets.length <= TARGETS_NAMED_MAX) return names;
  return say.nodes("more_targets", { targets: names, count: targets.length - TARGETS_NAMED_MAX });
}

function History({ of }: { of: Named }) {
  const to = useHistory(withValue("", of.field, of.value, false));
  const name = clip(of.name, 100);
  return (
    <Link to={to} className="history" title={say("history", { name })}>
      <bdi>{name}</bdi>
    </Link>
  );
}

/** The place of the list with everything that a query finds, as far back as the policy lets one ask at once. */
export function useHistory(query: string): string {
  const { policy } = useScreen();
  return `/${printAddress({ ...parseAddress(""), query, range: policy.max_range_days === null ? ALL : null })}`;
}

/** A link to that place. */
export function HistoryLink({ query, children }: { query: string; children: ReactNode }) {
  return <Link to={useHistory(query)}>{children}</Link>;
}
