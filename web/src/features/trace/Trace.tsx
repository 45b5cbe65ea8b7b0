import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Problem } from "../../api/problem";
import type { Trace as Found } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { clip, personOf } from "../../event/words";
import { both, withValue } from "../../query/terms";
import { parseAddress, printAddress } from "../../query/address";
import { useAddress } from "../../query/useAddress";
import { useScreen } from "../../screen";
import { CopyButton } from "../../ui/CopyButton";
import { Link } from "../../ui/Link";
import { usePlace } from "../../ui/place";
import { duration, fullTime } from "../../ui/time";
import { useNow } from "../../ui/useNow";
import { useTitle } from "../../ui/useTitle";
import { useZone } from "../../ui/useZone";
import { number, wordsOf } from "../../ui/words";
import { Waterfall } from "./Waterfall";
import en from "./words.en.json";

const say = wordsOf({ en });

const Detail = lazy(() => import("../detail/Detail"));

/** One operation: all its events over their time, whoever logged them, and the one that was picked. */
export default function Trace({ id }: { id: string }) {
  const { client } = useScreen();
  const { go } = usePlace();
  const [address, change] = useAddress();
  const now = useNow();
  useTitle(say("title", { id: clip(id, 40) }));
  const asked = useQuery({ queryKey: ["trace", id], queryFn: ({ signal }) => client.trace(id, signal) });
  const events = asked.data?.events ?? [];
  const inList = (query: string) => `/${printAddress({ ...parseAddress(""), query })}`;
  const own = withValue("", "trace_id", id, false);
  return (
    <div className={`columns ${address.event === null ? "" : "with-detail"}`}>
      <main className="page trace-page">
        <nav className="crumbs" aria-label={say("activity")}>
          <Link to="/">{say("activity")}</Link>
        </nav>
        <div className="title">
          <h1>{say("trace")}</h1>
          <span className="mono muted line">
            <bdi>{clip(id, 100)}</bdi>
          </span>
          <CopyButton text={() => id} label={say("copy_id")} />
          <div className="title-end">
            <Link to={inList(own)} className="button">
              {say("in_list")}
            </Link>
          </div>
        </div>
        {asked.isPending && <p className="muted">{say("loading")}</p>}
        {asked.isError && <p className="notice">{asked.error instanceof Problem && asked.error.status === 404 ? say("none") : asked.error.message}</p>}
        {asked.isSuccess && (events.length === 0 ? <p className="muted">{say("none")}</p> : <Summary trace={asked.data} />)}
        {events.length > 0 && (
          <section aria-label={say("steps")} className="plate">
            <Waterfall events={events} selected={address.event} isWide onOpen={(event) => change({ event })} />
          </section>
        )}
      </main>
      {address.event !== null && (
        <Suspense fallback={<aside className="detail" aria-busy="true" />}>
          <Detail
            key={address.event}
            id={address.event}
            known={events.find((event) => event.id === address.event) ?? null}
            now={now}
            isCountryCredited={false}
            onClose={() => change({ event: null })}
            onOpen={(event) => change({ event })}
            onQuery={(query) => go(inList(both(own, query(""))))}
          />
        </Suspense>
      )}
    </div>
  );
}

function Summary({ trace }: { trace: Found }) {
  const zone = useZone();
  const labels = useLabels();
  const people = trace.actors.map((actor) => clip(personOf(actor).name, 100));
  const began = trace.events[0]?.occurred_at;
  return (
    <div className="trace-facts">
      <p>
        <b className="number">{say("facts", { count: trace.events.length, time: duration(trace.duration_ms) })}</b>
        {began !== undefined && <span className="muted number">{say("began", { time: fullTime(began, zone) })}</span>}
        {people.length > 0 && <span className="muted">{say.nodes("by", { people: <bdi>{people.join(", ")}</bdi> })}</span>}
      </p>
      <ul aria-label={say("counts")}>
        {Object.entries(trace.actions).map(([action, count]) => (
          <li key={action} className="badge quiet">
            <bdi>{clip(labels.at("action", action), 100)}</bdi> {number(count)}
          </li>
        ))}
      </ul>
    </div>
  );
}
