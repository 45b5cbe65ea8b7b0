import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Filters } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { clip } from "../../event/words";
import type { Address } from "../../query/address";
import { ALL, customRange, rangeLabel, resolve } from "../../query/range";
import { terms, without, type Term } from "../../query/terms";
import { useScreen } from "../../screen";
import { CopyButton } from "../../ui/CopyButton";
import { longDate } from "../../ui/time";
import { useZone } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import { firstEventCommand } from "../organization/first-event";
import { keptSince, type List } from "./useActivity";
import en from "./words.en.json";

const say = wordsOf({ en });

/** Rows of the skeleton: about as many as a screen has. */
const SKELETON_ROWS = 12;
/** Conditions that are tried without; each is a question to the server. */
const TRIED_MAX = 6;

interface Props {
  list: Exclude<List, { kind: "ready" }>;
  address: Address;
  /** What was asked for. */
  filters: Filters;
  now: Date;
  onAddress: (change: Partial<Address>) => void;
  onRetry: () => void;
}

/** What stands in the list's place while there is none. */
export default function ListState(props: Props) {
  const { list, onAddress, onRetry } = props;
  if (list.kind === "loading") return <Skeleton />;
  if (list.kind === "failed") {
    return (
      <State title={say("failed")} role="alert">
        <p>{list.problem.message}</p>
        <Act words={say("again")} onAct={onRetry} />
      </State>
    );
  }
  if (list.kind === "faulty") {
    return (
      <State title={say("faulty")}>
        <Act words={say("everything")} onAct={() => onAddress({ query: "", range: ALL })} />
      </State>
    );
  }
  const Empty = { ledger: NothingYet, filters: NothingMatches, retention: Gone }[list.of];
  return <Empty {...props} />;
}

/** Rows without words, in sight only when the answer is not there at once. */
function Skeleton() {
  return (
    <div className="skeleton" role="status" aria-label={say("loading")}>
      {Array.from({ length: SKELETON_ROWS }, (_, row) => (
        <div key={row} aria-hidden="true">
          <i />
          <i />
          <i />
        </div>
      ))}
    </div>
  );
}

/** A ledger without events: how the first one gets there, for whom that may concern. */
function NothingYet() {
  const { access, mode } = useScreen();
  if (mode === "embedded" || access.kind === "token") {
    return (
      <State title={say("nothing_yet")}>
        <p>{say("first_event_here")}</p>
      </State>
    );
  }
  const command = firstEventCommand(location.origin, access, { variable: "TRAILBOOK_KEY" });
  const copied = access.kind === "key" ? firstEventCommand(location.origin, access, { value: access.key }) : command;
  return (
    <State title={say("nothing_yet")}>
      <p>{say("first_event")}</p>
      <div className="command">
        <pre className="mono" tabIndex={0}>
          {command}
        </pre>
        <CopyButton text={() => copied} label={say(access.kind === "key" ? "copy_command_key" : "copy_command")} words={say("copy")} />
      </div>
    </State>
  );
}

/** Nothing matches: each condition that can be dropped, with how many events there are without it. */
function NothingMatches({ address, filters, now, onAddress }: Props) {
  const { policy } = useScreen();
  const zone = useZone();
  const { q = "", ...range } = filters;
  const conditions = terms(address.query).slice(0, TRIED_MAX);
  const whole = resolve(ALL, now, zone, policy);
  const isWhole = range.from === whole.from && range.to === undefined;
  const wholeName = policy.max_range_days === null ? say("whole_time") : rangeLabel(ALL, zone, policy);
  return (
    <State title={say("nothing_matches")}>
      <ul className="drop">
        {conditions.map((term) => {
          const left = without(address.query, term);
          return <Drop key={term.start} name={<Condition term={term} />} filters={{ ...range, q: withoutTerm(q, address.query, left) }} onDrop={() => onAddress({ query: left })} />;
        })}
        {!isWhole && <Drop name={wholeName} filters={{ ...whole, q }} onDrop={() => onAddress({ range: ALL })} />}
      </ul>
      {(conditions.length > 0 || !isWhole) && <Act words={say("everything")} onAct={() => onAddress({ query: "", range: ALL })} />}
    </State>
  );
}

/** What is asked for where the reader's own query is `left`; what the policy adds stays. */
function withoutTerm(asked: string, own: string, left: string): string {
  return asked.startsWith(own.trim()) ? `${left}${asked.slice(own.trim().length)}`.trim() : left;
}

function Condition({ term }: { term: Term }) {
  const labels = useLabels();
  const text = term.kind === "field" ? `${labels.field(term.field)}: ${term.values.map((value) => labels.value(term.field, value.text)).join(", ")}` : term.text;
  return (
    <>
      {say("without")} <bdi>{clip(text, 80)}</bdi>
    </>
  );
}

function Drop({ name, filters, onDrop }: { name: ReactNode; filters: Filters; onDrop: () => void }) {
  const { client } = useScreen();
  const asked = useQuery({ queryKey: ["count", filters], queryFn: ({ signal }) => client.count(filters, signal) });
  return (
    <li>
      <button type="button" className="button small" onClick={onDrop}>
        {name}
      </button>
      <span className="muted number">{asked.data !== undefined && say("found_without", { count: asked.data.count })}</span>
    </li>
  );
}

/** The range lies before what is kept. */
function Gone({ now, onAddress }: Props) {
  const { policy } = useScreen();
  const zone = useZone();
  const since = keptSince(policy, now);
  if (since === null) return null;
  const day = zone.dayOf(since);
  return (
    <State title={say("gone")}>
      <p>{say("kept_days", { count: policy.retention_days ?? 0, day: longDate(since.toISOString(), zone) })}</p>
      <Act words={say("oldest")} onAct={() => onAddress({ range: customRange(day, lastDay(day, policy.max_range_days)) })} />
    </State>
  );
}

/** The last day of the widest range that begins with `day`. */
function lastDay(day: string, days_max: number | null): string {
  if (days_max === null) return "";
  return new Date(Date.parse(`${day}T00:00:00Z`) + (days_max - 1) * 86_400_000).toISOString().slice(0, 10);
}

function State({ title, role, children }: { title: string; role?: "alert"; children: ReactNode }) {
  return (
    <div className="state" role={role ?? "status"}>
      <strong>{title}</strong>
      {children}
    </div>
  );
}

function Act({ words, onAct }: { words: string; onAct: () => void }) {
  return (
    <button type="button" className="button" onClick={onAct}>
      {words}
    </button>
  );
}
