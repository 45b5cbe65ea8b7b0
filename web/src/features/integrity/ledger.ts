// What a checkpoint says of a whole ledger: that its server stands by it, and that it continues the one that was seen before.
import { fromBase64 } from "../../proof/bytes";
import { parseCheckpoint, verifySignature, type Checkpoint } from "../../proof/checkpoint";
import { isConsistent } from "../../proof/tree";

/** What does not hold. `restored` is a new epoch, which may be right and must be explained. */
export type Fault = "unreadable" | "other_key" | "other_ledger" | "restored" | "changed_key" | "shrunk" | "rewritten";

/** Why no more can be said. `older` is a checkpoint smaller than the one seen: a server that is behind, or one that was set back. */
export type Limit = "older" | "filtered" | "no_ed25519" | "no_key";

export type Finding =
  /** Signed, and a continuation of `since`, never smaller; null when nothing was seen before. What was seen may be replaced by it. */
  | { kind: "verified"; checkpoint: Checkpoint; since: Checkpoint | null }
  /** As far as it could be checked it holds; it replaces nothing that was seen. */
  | { kind: "limited"; checkpoint: Checkpoint; since: Checkpoint | null; reason: Limit }
  | { kind: "failed"; checkpoint: Checkpoint | null; fault: Fault };

interface Asked {
  /** The ledger's newest, as the server gave it. */
  note: string;
  vkey: string | null;
  /** The note that was seen before. */
  seen: string | null;
  /** Hashes in base64; null when whoever asks gets none, `"shorter"` when the server has no tree so large. */
  consistency: (from: number, to: number) => Promise<string[] | null | "shorter">;
}

export async function examine({ note, vkey, seen, consistency }: Asked): Promise<Finding> {
  const checkpoint = parseCheckpoint(note);
  if (checkpoint === null) return { kind: "failed", checkpoint, fault: "unreadable" };
  const since = seen === null ? null : parseCheckpoint(seen);
  const limited = (reason: Limit): Finding => ({ kind: "limited", checkpoint, since, reason });
  if (vkey === null) return limited("no_key");
  const signature = await verifySignature(checkpoint, vkey);
  if (signature === "wrong") return { kind: "failed", checkpoint, fault: "other_key" };
  const fault = since === null ? null : await changeOf(since, checkpoint, vkey);
  if (fault !== null) return { kind: "failed", checkpoint, fault };
  const continued = await continuation(since ?? checkpoint, checkpoint, consistency);
  if (continued !== "holds" && continued !== "filtered") return { kind: "failed", checkpoint, fault: continued };
  if (since !== null && checkpoint.size < since.size) return limited("older");
  if (signature === "unchecked") return limited("no_ed25519");
  return continued === "filtered" ? limited("filtered") : { kind: "verified", checkpoint, since };
}

/** What makes two checkpoints incomparable. */
async function changeOf(since: Checkpoint, now: Checkpoint, vkey: string): Promise<Fault | null> {
  const ledger = ({ origin }: Checkpoint) => origin.replace(/\/e\d+$/, "");
  if (since.origin !== now.origin) return ledger(since) === ledger(now) ? "restored" : "other_ledger";
  return (await verifySignature(since, vkey)) === "wrong" ? "changed_key" : null;
}

async function continuation(since: Checkpoint, now: Checkpoint, consistency: Asked["consistency"]): Promise<"holds" | "filtered" | Fault> {
  // Of many servers one may be a second behind: then what it has must be the beginning of what was seen.
  const [older, newer] = since.size <= now.size ? [since, now] : [now, since];
  const hashes = await consistency(older.size, newer.size);
  if (hashes === "shorter") return "shrunk";
  if (hashes === null) return "filtered";
  return (await isConsistent(older, newer, hashes.map(fromBase64))) ? "holds" : "rewritten";
}
