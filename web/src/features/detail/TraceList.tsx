import { useQuery } from "@tanstack/react-query";
import type { Client } from "../../api/client";
import type { Event } from "../../api/contract";
import { clock, duration } from "../../ui/time";
import { useZone } from "../../ui/useZone";
import { activityOf, clip } from "../../event/words";

const SHOWN_MAX = 12;

interface Props {
  client: Client;
  event: Event;
  trace: string;
  onOpen: (id: string) => void;
  onTrace: (trace: string) => void;
}

/** The other events of the same trace, each at its place in the trace's time. */
export function TraceList({ client, event, trace, onOpen, onTrace }: Props) {
  const zone = useZone();
  const asked = useQuery({ queryKey: ["trace", trace], queryFn: ({ signal }) => client.trace(trace, signal) });
  const events = asked.data?.events ?? [];
  if (asked.isSuccess && events.length < 2) return null;
  const own = events.findIndex((each) => each.id === event.id);
  const first = Math.max(0, Math.min(own - SHOWN_MAX / 2, events.length - SHOWN_MAX));
  const begin = Date.parse(events[0]?.occurred_at ?? "");
  const length = Math.max(1, asked.data?.duration_ms ?? 1);
  return (
    <section aria-labelledby="trace">
      <h3 id="trace">
        <span>
          Same trace
          {asked.isSuccess && ` · ${events.length.toLocaleString("en")} events in ${duration(asked.data.duration_ms)}`}
        </span>
        <button type="button" className="link-button" onClick={() => onTrace(trace)}>
          Open trace
        </button>
      </h3>
      {asked.isPending && <p className="muted">Loading…</p>}
      {asked.isError && <p className="muted">{asked.error.message}</p>}
      <ol className="trace">
        {events.slice(first, first + SHOWN_MAX).map((each) => (
          <li key={each.id}>
            <button type="button" aria-current={each.id === event.id} onClick={() => onOpen(each.id)}>
              <time className="number" dateTime={each.occurred_at}>
                {clock(each.occurred_at, zone)}
              </time>
              <span className="line">
                <bdi>{clip(activityOf(each))}</bdi>
              </span>
              <span className="track" aria-hidden="true">
                <i style={{ marginLeft: `calc(${share(Date.parse(each.occurred_at) - begin, length)}% - ${share(Date.parse(each.occurred_at) - begin, length) * 0.06}px)` }} />
              </span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function share(passed: number, length: number): number {
  return Math.min(100, Math.max(0, (100 * passed) / length));
}
