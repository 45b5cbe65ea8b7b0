import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import type { Event, PartName, Proof } from "../../api/contract";
import { useLabels } from "../../event/labels";
import { parseCheckpoint } from "../../proof/checkpoint";
import { check, outside, type Verdict } from "../../proof/inclusion";
import { printRoute } from "../../route";
import { useScreen } from "../../screen";
import { download, fileName } from "../../ui/download";
import { Tick, Warning } from "../../ui/icons";
import { Link } from "../../ui/Link";
import { wordsOf } from "../../ui/words";
import { useKey, type Key } from "../integrity/useKey";
import { useRelation } from "../integrity/useRelation";
import en from "./words.en.json";

const say = wordsOf({ en });

type Finding = Verdict | { kind: "fails"; fault: "other_history"; part?: undefined } | { kind: "unchecked"; reason: string };

/** The event's proof: fetched from the server, checked here. Nothing is called unaltered that was not computed. */
export function Integrity({ event }: { event: Event }) {
  const { client } = useScreen();
  const key = useKey();
  const id = useId();
  const asked = useQuery({
    queryKey: ["proof", event.id],
    queryFn: ({ signal }) => client.proof(event.id, signal),
    staleTime: Number.POSITIVE_INFINITY,
    // A checkpoint is signed at most once a second: for an event this young the next one may have to be awaited.
    retry: 2,
    retryDelay: 1_000,
  });
  // What is judged is the very event that is drawn, and no other that had its id before.
  const judged = useQuery({
    queryKey: ["verdict", key.data?.vkey ?? null, asked.dataUpdatedAt, JSON.stringify(event)],
    queryFn: () => judge(event, asked.data!, key.data?.vkey ?? null),
    enabled: asked.isSuccess && !key.isPending,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const hasPath = judged.data?.kind === "holds" || judged.data?.kind === "unsigned";
  const relation = useRelation(hasPath ? asked.data!.checkpoint : null);
  const isPending = judged.isPending || (hasPath && relation === null);
  const finding: Finding | undefined = hasPath && relation === "contradicts" ? { kind: "fails", fault: "other_history" } : judged.data;
  return (
    <section aria-labelledby={id}>
      <h3 id={id}>{say("integrity")}</h3>
      {isPending && !asked.isError && (
        <p className="muted" role="status">
          {say("checking")}
        </p>
      )}
      {asked.isError && <p className="muted">{say("no_proof", { reason: asked.error.message })}</p>}
      {asked.isSuccess && !isPending && finding && <Outcome event={event} proof={asked.data} finding={finding} isCompared={relation !== "unknown"} trust={key.data?.trust ?? null} />}
    </section>
  );
}

async function judge(event: Event, proof: Proof, vkey: string | null): Promise<Finding> {
  if (!globalThis.isSecureContext) return { kind: "unchecked", reason: say("insecure") };
  try {
    return await check(event, proof, vkey);
  } catch {
    return { kind: "fails", fault: "unreadable" };
  }
}

interface OutcomeProps {
  event: Event;
  proof: Proof;
  finding: Finding;
  /** Whether the proof's tree was compared with the ledger that this browser verified, where it has verified one. */
  isCompared: boolean;
  trust: Key["trust"] | null;
}

function Outcome({ event, proof, finding, isCompared, trust }: OutcomeProps) {
  const { mode, policy } = useScreen();
  const labels = useLabels();
  const save = () => download(new Blob([JSON.stringify(proof, null, 2)], { type: "application/json" }), fileName(["proof", event.id], "json"));
  const unproven = outside(event).map((name) => (name === "expires_at" ? (policy.labels.fields[name] ?? say("kept_until")) : labels.field(name)));
  const hasPath = finding.kind === "holds" || finding.kind === "unsigned";
  return (
    <div className="proof" data-verdict={finding.kind}>
      {finding.kind === "holds" ? <Tick /> : <Warning />}
      <div>
        <p role="status">
          <b>{say(finding.kind === "holds" && finding.withheld.length > 0 ? "holds_rest" : finding.kind)}</b> {hasPath && withheldOf(finding)} {explanation(finding, proof, trust)}
        </p>
        {hasPath && (
          <>
            {labels.rename(event) && <p className="muted">{say("own_words", { record: labels.screen("record", say("record")) })}</p>}
            {!isCompared && <p className="muted">{say("not_compared")}</p>}
            {unproven.length > 0 && <p className="muted">{say("outside", { fields: unproven.join(", ") })}</p>}
          </>
        )}
        <p className="links">
          <button type="button" className="link-button" onClick={save}>
            {say("download_proof")}
          </button>
          {mode === "console" && <Link to={printRoute({ screen: "integrity" })}>{say("about_integrity")}</Link>}
        </p>
      </div>
    </div>
  );
}

/** What is not proven of an event whose parts were redacted; empty where none was. */
function withheldOf({ kind, withheld }: Extract<Finding, { withheld: PartName[] }>): string {
  const parts = withheld.map((part) => say(`part_${part}`)).join(", ");
  return parts === "" ? "" : say(`withheld_${kind}`, { parts });
}

function explanation(finding: Finding, proof: Proof, trust: Key["trust"] | null): string {
  const place = say("place", { place: proof.index + 1, size: proof.size });
  const origin = parseCheckpoint(proof.checkpoint)?.origin ?? "";
  if (finding.kind === "fails") return `${say(`fault_${finding.fault}`, { part: finding.part ?? "" })} ${place}.`;
  if (finding.kind === "unchecked") return `${say("not_checked", { place, origin })} ${finding.reason}`;
  if (finding.kind === "unsigned" || trust === null) return say(trust === null ? "unsigned_no_key" : "unsigned_no_ed25519", { place, origin });
  return say(`holds_${trust}`, { place, origin });
}
