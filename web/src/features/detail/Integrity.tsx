import { useQuery } from "@tanstack/react-query";
import type { Client } from "../../api/client";
import type { Event, Proof } from "../../api/contract";
import { download, fileName } from "../../ui/download";
import { Tick, Warning } from "../../ui/icons";
import { check, parseCheckpoint, type Verdict } from "./proof";

type Finding = Verdict | { kind: "unchecked"; reason: string };

/** The event's proof: fetched from the server, checked here. Nothing is called unaltered that was not computed. */
export function Integrity({ client, event }: { client: Client; event: Event }) {
  const asked = useQuery({
    queryKey: ["proof", event.id],
    queryFn: async ({ signal }) => {
      const [proof, key] = await Promise.all([client.proof(event.id, signal), client.checkpointKey(signal).catch(() => null)]);
      return { proof, finding: await judge(event, proof, key?.vkey ?? null) };
    },
    staleTime: Number.POSITIVE_INFINITY,
    // A checkpoint is signed at most once a second: for an event this young the next one may have to be awaited.
    retry: 2,
    retryDelay: 1_000,
  });
  return (
    <section aria-labelledby="integrity">
      <h3 id="integrity">Integrity</h3>
      {asked.isPending && (
        <p className="muted" role="status">
          Checking…
        </p>
      )}
      {asked.isError && <p className="muted">There is no proof to check: {asked.error.message}</p>}
      {asked.isSuccess && <Outcome event={event} {...asked.data} />}
    </section>
  );
}

async function judge(event: Event, proof: Proof, vkey: string | null): Promise<Finding> {
  if (!globalThis.isSecureContext) return { kind: "unchecked", reason: "Browsers compute hashes only on pages that came by HTTPS or from this machine." };
  try {
    return await check(event, proof, vkey);
  } catch {
    return { kind: "fails", fault: "The proof cannot be read." };
  }
}

function Outcome({ event, proof, finding }: { event: Event; proof: Proof; finding: Finding }) {
  const save = () => download(new Blob([JSON.stringify(proof, null, 2)], { type: "application/json" }), fileName(["proof", event.id], "json"));
  return (
    <div className="proof" data-verdict={finding.kind}>
      {finding.kind === "holds" ? <Tick /> : <Warning />}
      <div>
        <p role="status">
          <b>{headline(finding)}</b> {explanation(finding, proof)}
        </p>
        <button type="button" className="link-button" onClick={save}>
          Download proof
        </button>
      </div>
    </div>
  );
}

function headline(finding: Finding): string {
  if (finding.kind === "holds") return "Included and unaltered.";
  return finding.kind === "fails" ? "The proof does not hold." : "Not checked here.";
}

function explanation(finding: Finding, proof: Proof): string {
  const place = `Entry ${(proof.index + 1).toLocaleString("en")} of ${proof.size.toLocaleString("en")}`;
  const checkpoint = `under the checkpoint of ${parseCheckpoint(proof.checkpoint)?.origin ?? "this ledger"}`;
  if (finding.kind === "fails") return `${finding.fault} ${place}.`;
  if (finding.kind === "unchecked") return `${place} ${checkpoint}. ${finding.reason}`;
  const signature = finding.signature === "checked" ? "signed with this server’s key" : "whose signature was not checked";
  return `${place} ${checkpoint}, ${signature}; computed in this browser.`;
}
