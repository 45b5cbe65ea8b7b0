import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { ParkedRecord, ParkedRetried, Stream } from "../../api/streams";
import { clip } from "../../event/words";
import { parseAddress, printAddress } from "../../query/address";
import { useScreen } from "../../screen";
import { Confirm } from "../../ui/Confirm";
import { Dialog } from "../../ui/Dialog";
import { Link } from "../../ui/Link";
import { Ready } from "../../ui/Ready";
import { fullTime } from "../../ui/time";
import { useDeed } from "../../ui/useDeed";
import { useZone } from "../../ui/useZone";
import { number } from "../../ui/words";
import { useStreams } from "./useStreams";
import { say } from "./words";

/** The events that a destination has refused, and why: they are sent again, or given up. */
export function Parked({ stream, onClose }: { stream: Stream; onClose: () => void }) {
  const { streams, again } = useStreams();
  const read = useQuery({ queryKey: ["parked", stream.id], queryFn: ({ signal }) => streams.parked(stream.id, signal) });
  const { run, isPending, reason } = useDeed();
  const [isDropping, setDropping] = useState(false);
  const [sent, setSent] = useState<ParkedRetried | null>(null);
  const renew = () => Promise.all([read.refetch(), again()]);
  const retry = async () => {
    setSent(await streams.retryParked(stream.id));
    await renew();
  };
  const drop = async () => {
    await streams.dropParked(stream.id);
    await renew();
  };
  if (isDropping) {
    return (
      <Confirm title={say("drop_title")} button={say("drop_do")} onConfirm={drop} onClose={onClose}>
        {say("drop_what", { count: read.data?.total ?? stream.health.parked })}
      </Confirm>
    );
  }
  return (
    <Dialog title={say.nodes("parked_title", { name: <bdi>{stream.name}</bdi> })} onClose={onClose}>
      <p className="muted">{say("parked_about")}</p>
      <Ready of={read}>{({ parked, total }) => <Records records={parked} total={total} />}</Ready>
      <p role="status" className="tested">
        {isPending ? say("working") : sent === null ? "" : say("sent_again", { count: sent.delivered, parked: number(sent.parked) })}
      </p>
      {sent?.detail != null && <p className="notice">{say("not_tried", { reason: sent.detail })}</p>}
      {reason !== null && (
        <p className="notice" role="alert">
          {reason}
        </p>
      )}
      {(read.data?.total ?? 0) > 0 && (
        <div className="form-end">
          <button type="button" className="button primary" disabled={isPending} onClick={() => void run(retry).catch(() => undefined)}>
            {say("send_again")}
          </button>
          <button type="button" className="button danger" disabled={isPending} onClick={() => setDropping(true)}>
            {say("give_up")}
          </button>
        </div>
      )}
    </Dialog>
  );
}

function Records({ records, total }: { records: ParkedRecord[]; total: number }) {
  const { access } = useScreen();
  const zone = useZone();
  if (total === 0) return <p>{say("none_parked")}</p>;
  return (
    <>
      <ul className="parked">
        {[...records].sort(byPlace).map(({ organization, sequence, event, reason, parked_at }) => (
          <li key={`${organization} ${sequence}`}>
            <span className="parked-head">
              {organization === access.organization ? (
                <Link to={`/${printAddress({ ...parseAddress(""), event })}`}>{say("event_number", { sequence: number(sequence) })}</Link>
              ) : (
                <span>
                  <bdi>{organization}</bdi> · {say("event_number", { sequence: number(sequence) })}
                </span>
              )}
              <span className="muted">{fullTime(parked_at, zone)}</span>
            </span>
            <bdi>{clip(reason, 500)}</bdi>
          </li>
        ))}
      </ul>
      {total > records.length && <p className="muted">{say("more_parked", { count: total - records.length })}</p>}
    </>
  );
}

function byPlace(left: ParkedRecord, right: ParkedRecord): number {
  return left.organization.localeCompare(right.organization) || left.sequence - right.sequence;
}
