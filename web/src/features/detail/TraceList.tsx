import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import type { Event } from "../../api/contract";
import { printRoute } from "../../route";
import { useScreen } from "../../screen";
import { Link } from "../../ui/Link";
import { duration } from "../../ui/time";
import { wordsOf } from "../../ui/words";
import { Waterfall } from "../trace/Waterfall";
import en from "./words.en.json";

const say = wordsOf({ en });

const SHOWN_MAX = 12;

/** The other events of the same trace, each at its place in the trace's time. */
export function TraceList({ event, trace, onOpen }: { event: Event; trace: string; onOpen: (id: string) => void }) {
  const { client } = useScreen();
  const id = useId();
  const asked = useQuery({ queryKey: ["trace", trace], queryFn: ({ signal }) => client.trace(trace, signal) });
  const events = asked.data?.events ?? [];
  if (asked.isSuccess && events.length < 2) return null;
  const own = events.findIndex((each) => each.id === event.id);
  const first = Math.max(0, Math.min(own - SHOWN_MAX / 2, events.length - SHOWN_MAX));
  return (
    <section aria-labelledby={id}>
      <h3>
        <span id={id}>{asked.isSuccess ? say("same_trace_in", { count: events.length, time: duration(asked.data.duration_ms) }) : say("trace")}</span>
        <Link to={printRoute({ screen: "trace", id: trace })} className="link-button">
          {say("open_trace")}
        </Link>
      </h3>
      {asked.isPending && <p className="muted">{say("loading")}</p>}
      {asked.isError && <p className="muted">{asked.error.message}</p>}
      <Waterfall events={events} shown={[first, first + SHOWN_MAX]} selected={event.id} onOpen={onOpen} />
    </section>
  );
}
