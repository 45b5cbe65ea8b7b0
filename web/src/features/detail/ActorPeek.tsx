import { useQuery } from "@tanstack/react-query";
import type { Event, Json } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { clip, countryName } from "../../event/words";
import { withValue } from "../../query/terms";
import { useScreen } from "../../screen";
import { Popover } from "../../ui/Popover";
import { ago, longDate } from "../../ui/time";
import { useZone } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import { linesOf } from "./metadata";
import { HistoryLink } from "./Sentence";
import { Fact, Text } from "./values";
import en from "./words.en.json";

const say = wordsOf({ en });

/** Of somebody's newest events, as many are looked at for addresses. */
const EVENTS_LOOKED_AT = 50;
const ADDRESSES_SHOWN_MAX = 3;

interface Props {
  event: Event;
  /** What the actor is known by in queries. */
  known: string;
  name: string;
  now: Date;
}

/** A name that tells, at a press, when and from where somebody was last seen, and leads to what else they did. */
export function ActorPeek({ event, known, name, now }: Props) {
  return (
    <Popover label={<Text>{name}</Text>} name={say("about", { name: clip(name, 100) })} className="link-button peek" boxClassName="peek-box">
      {() => <Peek event={event} known={known} name={name} now={now} />}
    </Popover>
  );
}

function Peek({ event, known, now }: Props) {
  const { client } = useScreen();
  const zone = useZone();
  const labels = useLabels();
  const query = withValue("", "actor", known, false);
  const asked = useQuery({
    queryKey: ["peek", known],
    queryFn: async ({ signal }) => {
      const [newest, count] = await Promise.all([client.events({ q: query, limit: EVENTS_LOOKED_AT }, signal), client.count({ q: query }, signal)]);
      return { events: newest.events, count };
    },
  });
  if (asked.isPending) return <p className="muted">{say("loading")}</p>;
  if (asked.isError) return <p className="muted">{say("peek_failed", { reason: asked.error.message })}</p>;
  const { events, count } = asked.data;
  const [last] = events;
  const since = count.range.from;
  const session = sessionOf(event);
  return (
    <>
      <dl>
        <Fact name={say("seen")}>{last === undefined ? say("seen_never") : ago(last.occurred_at, now, zone)}</Fact>
        <Fact name={say("address")}>
          {addressesOf(events).map(({ ip, country }) => (
            <div key={ip}>
              <span className="mono">{ip}</span>
              {country !== null && ` · ${countryName(country)}`}
            </div>
          ))}
        </Fact>
        <Fact name={say("events")}>
          <span className="number">{since === null ? say("events_ever", { count: count.count }) : say("events_since", { count: count.count, day: longDate(since, zone) })}</span>
        </Fact>
      </dl>
      <ul>
        <li>
          <HistoryLink query={query}>{say("all_of")}</HistoryLink>
        </li>
        {event.trace_id && (
          <li>
            <HistoryLink query={withValue("", "trace_id", event.trace_id, false)}>{say("same_trace")}</HistoryLink>
          </li>
        )}
        {session !== null && (
          <li>
            <HistoryLink query={withValue("", session.path, session.value, false)}>{say("same_session", { field: clip(labels.field(session.path), 60) })}</HistoryLink>
          </li>
        )}
      </ul>
    </>
  );
}

/** The last addresses that somebody came from, newest first, each once. */
function addressesOf(events: Event[]): { ip: string; country: string | null }[] {
  const found = new Map<string, string | null>();
  for (const { context, country } of events) if (context?.ip && !found.has(context.ip)) found.set(context.ip, country);
  return [...found].slice(0, ADDRESSES_SHOWN_MAX).map(([ip, country]) => ({ ip, country }));
}

/** What products call a session or a request, of which other events may be. */
const SESSION = /^metadata\.(session|request)([._-]?id)?$/i;

function sessionOf(event: Event): { path: string; value: string } | null {
  const isText = (value: Json) => typeof value === "string" || typeof value === "number";
  const line = linesOf(event.metadata ?? null).find(({ path, value }) => SESSION.test(path) && isText(value));
  return line === undefined ? null : { path: line.path, value: String(line.value) };
}
