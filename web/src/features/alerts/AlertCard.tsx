import { useState } from "react";
import type { Alert, AlertTested } from "../../api/alerts";
import { useLabels } from "../../event/labels";
import { clip } from "../../event/words";
import { Link } from "../../ui/Link";
import { ago, fullTime } from "../../ui/time";
import { useDeed } from "../../ui/useDeed";
import { useNow } from "../../ui/useNow";
import { useZone } from "../../ui/useZone";
import { number } from "../../ui/words";
import { conditionWords, placeOfEvents, spanWords } from "./condition";
import { pathTo, useAlerts } from "./useAlerts";
import { say } from "./words";

/** An alert: when it tells whom, when it did so last, and what can be done with it. */
export function AlertCard({ alert, onDelete }: { alert: Alert; onDelete: () => void }) {
  const labels = useLabels();
  const { condition } = alert;
  return (
    <li className="delivery-card" aria-label={alert.name}>
      <div className="delivery-head">
        <h2>
          <bdi>{clip(alert.name, 200)}</bdi>
        </h2>
        <span className="badge plain" data-state={alert.enabled ? "active" : "paused"}>
          {say(alert.enabled ? "is_on" : "is_off")}
        </span>
      </div>
      <p className="delivery-about">
        {conditionWords(condition, labels.field)}
        {alert.filter !== "" && (
          <>
            {" · "}
            <bdi className="mono">{clip(alert.filter)}</bdi>
          </>
        )}
        {condition.type !== "digest" && alert.quiet_seconds > 0 && ` · ${say("quiet_for", { time: spanWords(alert.quiet_seconds) })}`}
      </p>
      <Fired alert={alert} />
      {alert.last_error !== null && (
        <p className="notice">
          <bdi>{clip(alert.last_error)}</bdi>
        </p>
      )}
      <Deeds alert={alert} onDelete={onDelete} />
    </li>
  );
}

function Fired({ alert }: { alert: Alert }) {
  const zone = useZone();
  const now = useNow();
  const whom = [...alert.emails, ...(alert.webhook === null ? [] : [alert.webhook.url])];
  return (
    <dl className="health number">
      <div>
        <dt>{say("last_fired")}</dt>
        <dd>
          {alert.last_fired_at === null ? (
            say("never")
          ) : (
            <time dateTime={alert.last_fired_at} title={fullTime(alert.last_fired_at, zone)}>
              {ago(alert.last_fired_at, now, zone)}
            </time>
          )}
        </dd>
      </div>
      <div>
        <dt>{say("fired")}</dt>
        <dd>{number(alert.fired)}</dd>
      </div>
      <div className="whom">
        <dt>{say("tells")}</dt>
        <dd>
          <bdi title={whom.join(", ")}>{whomWords(whom)}</bdi>
        </dd>
      </div>
    </dl>
  );
}

/** As many as are read at a glance. */
const NAMED = 3;

function whomWords(whom: readonly string[]): string {
  if (whom.length === 0) return say("nobody");
  const named = whom.slice(0, NAMED).map((each) => clip(each)).join(", ");
  return whom.length > NAMED ? say("whom_more", { whom: named, count: whom.length - NAMED }) : named;
}

function Deeds({ alert, onDelete }: { alert: Alert; onDelete: () => void }) {
  const { alerts } = useAlerts();
  const { run, isPending, reason } = useDeed();
  const [tested, setTested] = useState<AlertTested | null>(null);
  const test = async () => {
    setTested(null);
    setTested(await alerts.test(alert.id));
  };
  const { name } = alert;
  return (
    <>
      <p role="status" className="tested">
        {isPending ? say("working") : tested?.delivered === true ? say("test_delivered", { detail: tested.detail }) : ""}
      </p>
      {(reason !== null || tested?.delivered === false) && (
        <p className="notice" role="alert">
          {reason ?? say("test_failed", { detail: tested?.detail ?? "" })}
        </p>
      )}
      <div className="form-end">
        <Link to={placeOfEvents(alert)} className="button small" aria-label={say("events_which", { name })}>
          {say("show_events")}
        </Link>
        <button type="button" className="button small" disabled={isPending} aria-label={say("test_which", { name })} onClick={() => void run(test).catch(() => undefined)}>
          {say("test")}
        </button>
        <Link to={pathTo(alert.id)} className="button small" aria-label={say("change_which", { name })}>
          {say("change")}
        </Link>
        <button type="button" className="button small danger" aria-label={say("delete_name", { name })} onClick={onDelete}>
          {say("delete")}
        </button>
      </div>
    </>
  );
}
