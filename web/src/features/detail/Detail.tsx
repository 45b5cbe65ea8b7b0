import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { Event } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { clip } from "../../event/words";
import { withValue } from "../../query/terms";
import { useScreen } from "../../screen";
import { Cross } from "../../ui/icons";
import { ResultBadge, SecurityBadge } from "../../ui/marks";
import { wordsOf } from "../../ui/words";
import { Changes } from "./Changes";
import { CopyMenu } from "./CopyMenu";
import { Facts } from "./Facts";
import { Integrity } from "./Integrity";
import { JsonView } from "./JsonView";
import { Metadata } from "./Metadata";
import { Byline, Sentence } from "./Sentence";
import { TraceList } from "./TraceList";
import { Why } from "./Why";
import en from "./words.en.json";

const say = wordsOf({ en });

interface Props {
  id: string;
  /** The event when the list has it, so that the panel opens at once. */
  known: Event | null;
  now: Date;
  /** Whether the list already shows the line that country names ask for. */
  isCountryCredited: boolean;
  onClose: () => void;
  onOpen: (id: string) => void;
  onQuery: (change: (query: string) => string) => void;
}

/** Everything about one event, at the side of the list. */
export default function Detail(props: Props) {
  const { id, known, onClose } = props;
  const { client, policy } = useScreen();
  const labels = useLabels();
  const asked = useQuery({ queryKey: ["event", id], queryFn: ({ signal }) => client.event(id, signal), enabled: known === null });
  const event = known ?? asked.data ?? null;
  const panel = useRef<HTMLElement>(null);

  useEffect(() => {
    // Over a narrow page the panel covers the list, so the focus goes with it; beside the list it stays in the row.
    if (panel.current !== null && getComputedStyle(panel.current).zIndex !== "auto") panel.current.focus();
  }, []);

  const name = labels.screen("details", say("event"));
  return (
    <aside className="detail" part="detail" aria-label={name} ref={panel} tabIndex={-1}>
      {policy.labels.screen["details"] !== undefined && <p className="overline">{name}</p>}
      <header>
        <h2>{event === null ? say(asked.isError ? "cannot" : "loading") : <Sentence event={event} />}</h2>
        {event !== null && <CopyMenu event={event} />}
        <button type="button" className="icon-button" aria-label={say("close")} onClick={onClose}>
          <Cross />
        </button>
      </header>
      {event === null && asked.isError && <p className="muted">{asked.error.message}</p>}
      {event !== null && <Content {...props} event={event} />}
    </aside>
  );
}

function Content({ event, now, isCountryCredited, onOpen, onQuery }: Props & { event: Event }) {
  const narrow = (field: string, value: string, negated: boolean) => onQuery((query) => withValue(query, field, value, negated));
  return (
    <>
      <Byline event={event} />
      <Kind event={event} />
      <Facts event={event} now={now} onNarrow={narrow} />
      {event.country !== null && !isCountryCredited && (
        <p className="footer">
          <a href="https://db-ip.com" rel="noreferrer" target="_blank">
            {say("geolocation")}
          </a>
        </p>
      )}
      <Why event={event} />
      <Changes event={event} />
      <Metadata event={event} onNarrow={narrow} />
      {event.trace_id && <TraceList event={event} trace={event.trace_id} onOpen={onOpen} />}
      <JsonView event={event} />
      <Integrity event={event} />
    </>
  );
}

/** What kind of activity it is, where, and what should be noticed of it. */
function Kind({ event }: { event: Event }) {
  const { policy } = useScreen();
  const labels = useLabels();
  const type = (
    <span className="type" data-type={event.action_type}>
      {clip(labels.at("action_type", event.action_type ?? ""), 60)}
    </span>
  );
  const area = event.area && <bdi>{clip(labels.at("area", event.area), 100)}</bdi>;
  return (
    <p className="sub">
      <span>{area ? say.nodes("type_in_area", { type, area }) : type}</span>
      <ResultBadge result={event.result} />
      {event.security && <SecurityBadge />}
      {policy.unknown_actions === "mark" && event.action && !labels.isKnown(event.action) && <span className="badge quiet">{say("unknown_action")}</span>}
    </p>
  );
}
