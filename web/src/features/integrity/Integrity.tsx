import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { parseCheckpoint } from "../../proof/checkpoint";
import { useScreen } from "../../screen";
import { Tick, Warning } from "../../ui/icons";
import { useTitle } from "../../ui/useTitle";
import { useZone } from "../../ui/useZone";
import { wordsOf } from "../../ui/words";
import { CheckpointCard } from "./CheckpointCard";
import { explain, titleOf } from "./explain";
import { KeyCard } from "./KeyCard";
import { useMemory, type Memory } from "./memory";
import { OfflineCard } from "./OfflineCard";
import { useLedger, type Look } from "./useLedger";
import { fullTime } from "../../ui/time";
import en from "./words.en.json";

const say = wordsOf({ en });

/** What the ledger is signed with, how far it has grown, and how anybody can check it. */
export default function Integrity() {
  const { access } = useScreen();
  const looked = useLedger();
  const memory = useMemory();
  useTitle(say("title"));
  return (
    <main className="page integrity-page">
      <div className="title">
        <h1>{say("title")}</h1>
        <span className="muted line">{say.nodes("ledger", { organization: <bdi>{access.organization}</bdi> })}</span>
      </div>
      <State look={looked.data} reason={looked.error?.message ?? null} isLoading={looked.isFetching} onLook={() => void looked.refetch()} />
      <div className="cards">
        {looked.data && <CheckpointCard look={looked.data} />}
        <KeyCard memory={memory} />
        <SinceCard memory={memory} look={looked.data} onForget={() => void looked.refetch()} />
        <EpochCard />
        <OfflineCard />
      </div>
    </main>
  );
}

/** A part of the screen under its own heading. */
export function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="plate" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function State({ look, reason, isLoading, onLook }: { look: Look | undefined; reason: string | null; isLoading: boolean; onLook: () => void }) {
  const zone = useZone();
  const kind = look?.finding.kind ?? (isLoading ? "checking" : "unknown");
  return (
    <div className="integrity-state" data-state={kind}>
      {kind === "verified" ? <Tick /> : <Warning />}
      <p role="status">
        <b>{look === undefined ? say(isLoading ? "checking" : "unknown") : titleOf(look)}</b> {kind !== "checking" && explain(look, reason, zone)} {look !== undefined && <span className="muted">{say("computed")}</span>}
      </p>
      <button type="button" className="button small" disabled={isLoading} onClick={onLook}>
        {say("look_again")}
      </button>
    </div>
  );
}

/** What this browser holds the ledger to. */
function SinceCard({ memory, look, onForget }: { memory: Memory; look: Look | undefined; onForget: () => void }) {
  const zone = useZone();
  // Forgetting changes what is kept without anything else on the screen changing.
  const [, again] = useState(0);
  const seen = memory.seen();
  const told = (size: number, at: number) => say("seen_at", { time: fullTime(new Date(at).toISOString(), zone), events: say("events", { count: size }) });
  const forget = () => {
    memory.remember(null);
    again((times) => times + 1);
    onForget();
  };
  return (
    <Card title={say("since")}>
      <p className="muted">{say(memory.isKept ? "since_about" : "not_kept")}</p>
      {seen === null && memory.isKept && <p>{say("never_seen")}</p>}
      {seen !== null && (
        <>
          <dl>
            <dt>{say("first_seen")}</dt>
            <dd className="number">{told(seen.first.size, seen.first.at)}</dd>
            <dt>{say("last_seen")}</dt>
            <dd className="number">{told(parseCheckpoint(seen.note)?.size ?? 0, seen.at)}</dd>
          </dl>
          {look?.finding.kind === "failed" && <p className="muted">{say("forget_about")}</p>}
          <button type="button" className="button small" onClick={forget}>
            {say("forget")}
          </button>
        </>
      )}
    </Card>
  );
}

/** Whether the ledger was ever restored, and what of it has expired. */
function EpochCard() {
  const { client } = useScreen();
  const asked = useQuery({ queryKey: ["checkpoint-key"], queryFn: ({ signal }) => client.checkpointKey(signal), staleTime: 60_000 });
  if (asked.data === undefined) return null;
  const { epoch, minimum_index } = asked.data;
  return (
    <Card title={say("epochs")}>
      <dl>
        <dt>{say("epoch")}</dt>
        <dd>
          <b className="number">{epoch}</b> <span className="muted">{epoch === 1 ? say("epoch_first") : say("epoch_later", { suffix: `/e${epoch}` })}</span>
        </dd>
        <dt>{say("minimum")}</dt>
        <dd>{minimum_index === 0 ? say("minimum_all") : say("minimum_from", { index: minimum_index })}</dd>
      </dl>
    </Card>
  );
}
