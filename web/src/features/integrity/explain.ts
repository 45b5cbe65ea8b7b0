// A look at the ledger in a sentence.
import { fullTime } from "../../ui/time";
import type { Zone } from "../../ui/zone";
import { wordsOf } from "../../ui/words";
import type { Look } from "./useLedger";
import en from "./words.en.json";

const say = wordsOf({ en });

/** What a look came to in a word or two: why it is limited, where it is. */
export function titleOf({ finding }: Look): string {
  return say(finding.kind === "limited" ? finding.reason : finding.kind);
}

/** What was found out; without a look, why there is none. */
export function explain(look: Look | undefined, reason: string | null, zone: Zone): string {
  if (look === undefined) return !globalThis.isSecureContext ? say("insecure") : reason === null ? say("checking") : say("unreachable", { reason });
  const { finding, before } = look;
  if (finding.kind === "failed") return say(`fault_${finding.fault}`);
  const seen = { size: finding.since?.size ?? 0, time: before === null ? "" : fullTime(new Date(before).toISOString(), zone) };
  if (finding.kind === "limited") return say(`limited_${finding.reason}`, seen);
  return say(finding.since === null ? "verified_first" : "verified_since", seen);
}
