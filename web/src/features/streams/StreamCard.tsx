import { useState, type ReactNode } from "react";
import type { Stream, TestResult } from "../../api/streams";
import { clip } from "../../event/words";
import { Link } from "../../ui/Link";
import { ago, duration, fullTime, wholeDuration } from "../../ui/time";
import { useDeed } from "../../ui/useDeed";
import { useNow } from "../../ui/useNow";
import { useZone } from "../../ui/useZone";
import { number } from "../../ui/words";
import { placeOf } from "./destinations";
import type { Ask } from "./StreamList";
import { useStreams } from "./useStreams";
import { say } from "./words";

/** A stream: where it goes, how it does, and what can be done with it. */
export function StreamCard({ stream, onAsk }: { stream: Stream; onAsk: (ask: Ask) => void }) {
  const { health } = stream;
  return (
    <li className="delivery-card" aria-label={stream.name}>
      <div className="delivery-head">
        <h2>
          <bdi>{clip(stream.name, 200)}</bdi>
        </h2>
        <span className="badge plain" data-state={stream.state}>
          {say(`state_${stream.state}`)}
        </span>
      </div>
      <p className="delivery-about">
        {say(`type_${stream.destination.type}`)} · <bdi className="mono">{clip(placeOf(stream.destination))}</bdi> · {mappingWords(stream.mapping)}
        {stream.filter !== "" && (
          <>
            {" · "}
            <bdi className="mono">{clip(stream.filter)}</bdi>
          </>
        )}
      </p>
      <Health stream={stream} onParked={() => onAsk("parked")} />
      {health.last_error !== null && <Trouble stream={stream} />}
      <Deeds stream={stream} onAsk={onAsk} />
    </li>
  );
}

function mappingWords(mapping: string): string {
  const [kind = "", name = ""] = mapping.split(":", 2);
  return kind === "catalog" ? say("mapping_of", { name }) : say(`mapping_${kind}` as "mapping_native");
}

/** Intervals after which events that wait are no longer a matter of course. */
const LATE_INTERVALS = 10;

function Health({ stream: { health, interval_seconds }, onParked }: { stream: Stream; onParked: () => void }) {
  const zone = useZone();
  const now = useNow();
  return (
    <dl className="health number">
      <Figure name={say("lag")} isBad={health.lag_seconds > LATE_INTERVALS * interval_seconds}>
        {health.lag_events > 0 ? say("lag_of", { count: health.lag_events, time: wholeDuration(health.lag_seconds) }) : say("up_to_date")}
      </Figure>
      <Figure name={say("last_success")}>
        {health.last_success_at === null ? (
          say("never")
        ) : (
          <time dateTime={health.last_success_at} title={fullTime(health.last_success_at, zone)}>
            {ago(health.last_success_at, now, zone)}
          </time>
        )}
      </Figure>
      <Figure name={say("delivered")}>{number(health.delivered)}</Figure>
      <Figure name={say("parked")} isBad={health.parked > 0}>
        {health.parked === 0 ? (
          number(0)
        ) : (
          <button type="button" className="link-button" aria-label={say("show_parked", { count: health.parked })} onClick={onParked}>
            {number(health.parked)}
          </button>
        )}
      </Figure>
      {health.expired > 0 && (
        <Figure name={say("expired")} isBad>
          {number(health.expired)}
        </Figure>
      )}
    </dl>
  );
}

function Figure({ name, isBad = false, children }: { name: string; isBad?: boolean; children: ReactNode }) {
  return (
    <div data-bad={isBad}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What the destination said last, since when it fails, and when it is tried again. */
function Trouble({ stream: { health } }: { stream: Stream }) {
  const zone = useZone();
  const time = (instant: string) => zone.format(new Date(instant), TIME);
  return (
    <p className={health.failing_since === null ? "notice calm" : "notice"}>
      <bdi>{clip(health.last_error ?? "")}</bdi>
      {health.failing_since !== null && <span>{say("failing_since", { time: time(health.failing_since), count: health.failures })}</span>}
      {health.retry_at !== null && <span>{say("retry_at", { time: time(health.retry_at) })}</span>}
    </p>
  );
}

const TIME = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;

function Deeds({ stream, onAsk }: { stream: Stream; onAsk: (ask: Ask) => void }) {
  const { streams, pathTo, again } = useStreams();
  const { run, isPending, reason } = useDeed();
  const [tested, setTested] = useState<TestResult | null>(null);
  const does = (deed: () => Promise<unknown>) => void run(deed).catch(() => undefined);
  const test = async () => {
    setTested(null);
    setTested(await streams.test(stream.id));
  };
  const turn = async () => {
    await (stream.state === "paused" ? streams.resume(stream.id) : streams.pause(stream.id));
    await again();
  };
  const { name } = stream;
  return (
    <>
      <p role="status" className="tested">
        {isPending ? say("working") : tested?.delivered === true ? say("test_delivered", { time: duration(tested.took_ms), detail: tested.detail }) : ""}
      </p>
      {(reason !== null || tested?.delivered === false) && (
        <p className="notice" role="alert">
          {reason ?? say("test_failed", { detail: tested?.detail ?? "" })}
        </p>
      )}
      <div className="form-end">
        <button type="button" className="button small" disabled={isPending} aria-label={say("test_which", { name })} onClick={() => does(test)}>
          {say("test")}
        </button>
        <button type="button" className="button small" disabled={isPending} aria-label={say(stream.state === "paused" ? "resume_which" : "pause_which", { name })} onClick={() => does(turn)}>
          {say(stream.state === "paused" ? "resume" : "pause")}
        </button>
        <button type="button" className="button small" aria-label={say("replay_which", { name })} onClick={() => onAsk("replay")}>
          {say("replay")}
        </button>
        <Link to={pathTo(stream.id)} className="button small" aria-label={say("change_which", { name })}>
          {say("change")}
        </Link>
        <button type="button" className="button small danger" aria-label={say("delete_name", { name })} onClick={() => onAsk("delete")}>
          {say("delete")}
        </button>
      </div>
    </>
  );
}
