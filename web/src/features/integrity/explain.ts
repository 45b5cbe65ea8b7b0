// A look at the ledger in a sentence.
import { fullTime } from "../../ui/time";
import type { Zone } from "../../ui/zone";
import { wordsOf } from "../../ui/words";
import type { Look } from "./useLedger";
import en from "./words.en.json";

const say = wordsOf({ en });

/** What was found out; without a look, why there is none. */
export function explain(look: Look | undefined, reason: string | null, zone: Zone): string {
  if (look === undefined) return !globalThis.isSecureContext ? say("insecure") : reason === null ? say("checking") : say("unreachable", { reason });
  const { finding, before } = look;
  if (finding.kind === "failed") return say(`fault_${finding.fault}`);
  if (finding.kind === "limited") return say(`limited_${finding.reason}`);
  if (finding.since === null || before === null) return say("verified_first");
  return say("verified_since", { size: finding.since.size, time: fullTime(new Date(before).toISOString(), zone) });
}
