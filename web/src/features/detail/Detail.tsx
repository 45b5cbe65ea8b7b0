import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { Client } from "../../api/client";
import type { Event } from "../../api/contract";
import { CopyButton } from "../../ui/CopyButton";
import { Cross } from "../../ui/icons";
import { ResultBadge, SecurityBadge } from "../../ui/marks";
import { withValue } from "../../query/terms";
import { actionTypeLabel, activityOf, clip, sentenceCase } from "../../event/words";
import { Changes } from "./Changes";
import { Facts } from "./Facts";
import { Integrity } from "./Integrity";
import { JsonView } from "./JsonView";
import { TraceList } from "./TraceList";

interface Props {
  client: Client;
  id: string;
  /** The event when the list has it, so that the panel opens at once. */
  known: Event | null;
  now: Date;
  /** Whether the list already shows the line that country names ask for. */
  isCountryCredited: boolean;
  onClose: () => void;
  onOpen: (id: string) => void;
  onQuery: (change: (query: string) => string) => void;
  onTrace: (trace: string) => void;
}

/** Everything about one event, at the side of the list. */
export default function Detail(props: Props) {
  const { client, id, known, onClose } = props;
  const asked = useQuery({ queryKey: ["event", id], queryFn: ({ signal }) => client.event(id, signal), enabled: known === null });
  const event = known ?? asked.data ?? null;
  const panel = useRef<HTMLElement>(null);

  useEffect(() => {
    // Over a narrow page the panel covers the list, so the focus goes with it; beside the list it stays in the row.
    if (panel.current !== null && getComputedStyle(panel.current).position === "fixed") panel.current.focus();
  }, []);

  return (
    <aside className="detail" aria-label="Event" ref={panel} tabIndex={-1}>
      <header>
        <h2>
          <bdi>{event === null ? (asked.isError ? "This event cannot be shown" : "Loading…") : clip(activityOf(event), 600)}</bdi>
        </h2>
        {event !== null && <CopyButton text={() => location.href} label="Copy a link to this event" />}
        <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
          <Cross />
        </button>
      </header>
      {event === null && asked.isError && <p className="muted">{asked.error.message}</p>}
      {event !== null && <Content {...props} event={event} />}
    </aside>
  );
}

function Content({ client, event, now, isCountryCredited, onOpen, onQuery, onTrace }: Props & { event: Event }) {
  return (
    <>
      <p className="sub">
        <span>
          <span className="type" data-type={event.action_type}>
            {clip(actionTypeLabel(event.action_type), 60)}
          </span>
          {event.area !== null && (
            <>
              {" in "}
              <bdi>{clip(sentenceCase(event.area), 100)}</bdi>
            </>
          )}
        </span>
        <ResultBadge result={event.result} />
        {event.security && <SecurityBadge />}
      </p>
      <Facts event={event} now={now} onNarrow={(field, value, negated) => onQuery((query) => withValue(query, field, value, negated))} />
      {event.country !== null && !isCountryCredited && (
        <p className="footer">
          <a href="https://db-ip.com" rel="noreferrer" target="_blank">
            IP geolocation by DB-IP
          </a>
        </p>
      )}
      {event.changes && event.changes.length > 0 && <Changes changes={event.changes} />}
      {event.trace_id && <TraceList client={client} event={event} trace={event.trace_id} onOpen={onOpen} onTrace={onTrace} />}
      <JsonView event={event} />
      <Integrity client={client} event={event} />
    </>
  );
}
