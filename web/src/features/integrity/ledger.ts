// What a checkpoint says of a whole ledger: that its server stands by it, and that it continues the one that was seen before.
import { fromBase64 } from "../../proof/bytes";
import { parseCheckpoint, verifySignature, type Checkpoint } from "../../proof/checkpoint";
import { equal, isConsistent } from "../../proof/tree";
import type { Consistency } from "./consistency";

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
  consistency: Consistency;
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

/** How the tree of a proof stands to the one that was verified: `unseen` when none was, `unknown` when it could not be asked for. */
export type Relation = "unseen" | "continuous" | "unknown" | "contradicts";

/** Whether one of two signed trees continues the other. Without this a server could show a true checkpoint, and prove an event in another tree that it signed. */
export async function relate(note: string, seen: string | null, consistency: Consistency): Promise<Relation> {
  const [now, since] = [parseCheckpoint(note), seen === null ? null : parseCheckpoint(seen)];
  if (since === null) return "unseen";
  if (now === null || now.origin !== since.origin) return "contradicts";
  if (now.size === since.size) return equal(now.root, since.root) ? "continuous" : "contradicts";
  const continued = await continuation(since, now, consistency);
  if (continued === "filtered") return "unknown";
  return continued === "holds" ? "continuous" : "contradicts";
}

/** What makes two checkpoints incomparable. */
async function changeOf(since: Checkpoint, now: Checkpoint, vkey: string): Promise<Fault | null> {
  const ledger = ({ origin }: Checkpoint) => origin.replace(/\/e\d+$/, "");
  if (since.origin !== now.origin) return ledger(since) === ledger(now) ? "restored" : "other_ledger";
  return (await verifySignature(since, vkey)) === "wrong" ? "changed_key" : null;
}

async function continuation(since: Checkpoint, now: Checkpoint, consistency: Consistency): Promise<"holds" | "filtered" | Fault> {
  // Of many servers one may be a second behind: then what it has must be the beginning of what was seen.
  const [older, newer] = since.size <= now.size ? [since, now] : [now, since];
  const hashes = await consistency(older.size, newer.size);
  if (hashes === "shorter") return "shrunk";
  if (hashes === null) return "filtered";
  return (await isConsistent(older, newer, hashes.map(fromBase64))) ? "holds" : "rewritten";
}
