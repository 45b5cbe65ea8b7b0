import { useState } from "react";
import type { Replay, Stream } from "../../api/streams";
import { Dialog } from "../../ui/Dialog";
import { Choice, Field, Form, type Typed } from "../../ui/Form";
import { useZone } from "../../ui/useZone";
import { instantOf } from "./start";
import { useStreams } from "./useStreams";
import { say } from "./words";

const FROM = ["time", "sequence"] as const;

/** Asks from where on a stream is to be sent once more, and says what comes of that. */
export function ReplayDialog({ stream, onClose }: { stream: Stream; onClose: () => void }) {
  const { streams, again } = useStreams();
  const zone = useZone();
  const [from, setFrom] = useState<string>("time");
  async function replay(typed: Typed) {
    const where: Replay = from === "time" ? { from: instantOf(typed("from") ?? "", zone) } : { from_sequence: Number(typed("from_sequence")) };
    const organization = typed("organization");
    await streams.replay(stream.id, organization === undefined ? where : { ...where, organization });
    await again();
    onClose();
  }
  return (
    <Dialog title={say.nodes("replay_title", { name: <bdi>{stream.name}</bdi> })} onClose={onClose}>
      <p className="notice calm">{say("replay_what")}</p>
      <Form button={say("replay_do")} sending={say("working")} onSend={replay}>
        {stream.organization === null && <Organizations stream={stream} />}
        <Choice label={say("replay_from")} name="kind" value={from} onChange={({ currentTarget }) => setFrom(currentTarget.value)} options={FROM.map((each) => [each, say(`from_${each}`)])} />
        {from === "time" ? (
          <Field key="time" label={say("from_time")} name="from" type="datetime-local" required hint={say("time_hint", { zone: zone.id })} />
        ) : (
          <Field key="sequence" label={say("from_sequence")} name="from_sequence" type="number" min={0} required hint={say("sequence_hint")} />
        )}
      </Form>
    </Dialog>
  );
}

/** Of the project's streams each organization has a place of its own. */
function Organizations({ stream }: { stream: Stream }) {
  return (
    <>
      <Field label={say("organization")} name="organization" required list="replay-organizations" autoComplete="off" />
      <datalist id="replay-organizations">
        {stream.positions.map(({ organization }) => (
          <option key={organization} value={organization} />
        ))}
      </datalist>
    </>
  );
}
