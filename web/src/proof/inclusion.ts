// Checks in the browser that an event is in its ledger and is what the screen shows: parts → commitments → leaf record → root
// → signed checkpoint. The bytes are described in docs/formats/tree.md.
//
// A verifier key that comes from the same server as the proof says that the server stands by this tree, not that nobody else
// was shown another one. That takes a key from elsewhere: one that is pinned.
import { PART_NAMES, type Event, type Json, type Proof } from "../api/contract";
import { fromBase64, sha256Of, textBytes } from "./bytes";
import { parseCheckpoint, verifySignature } from "./checkpoint";
import { equal, hashLeaf, rootOf } from "./tree";

/** What was found out. `fault` names the first thing that does not hold. */
export type Verdict = { kind: "holds"; signature: "checked" | "unchecked" } | { kind: "fails"; fault: string };

const LEAF_DOMAIN = textBytes("trailbook/leaf/v1\0");
const PART_DOMAIN = textBytes("trailbook/part/v1\0");
const LEAF_BYTES = 214;

/** Checks `proof` for `event` as displayed. `vkey` is the checkpoint's verifier key, null when it is not known. */
export async function check(event: Event, proof: Proof, vkey: string | null): Promise<Verdict> {
  const fails = (fault: string): Verdict => ({ kind: "fails", fault });
  const checkpoint = parseCheckpoint(proof.checkpoint);
  if (checkpoint === null) return fails("The checkpoint cannot be read.");
  if (checkpoint.size !== proof.size) return fails("The checkpoint speaks of another size.");
  if (!isOf(checkpoint.origin, event)) return fails("The checkpoint is that of another ledger.");
  const leaf = fromBase64(proof.leaf);
  const fault = leafFault(leaf, event, proof) ?? (await partsFault(leaf, event, proof));
  if (fault !== null) return fails(fault);
  const root = await rootOf(proof.index, proof.size, await hashLeaf(leaf), proof.hashes.map(fromBase64));
  if (root === null || !equal(root, checkpoint.root)) return fails("The proof does not lead to the checkpoint's root.");
  if (vkey === null) return { kind: "holds", signature: "unchecked" };
  const signature = await verifySignature(checkpoint, vkey);
  return signature === "wrong" ? fails("The checkpoint is not signed with the key that it is checked with.") : { kind: "holds", signature };
}

/** Whether checkpoints of this origin are those of the event's ledger: it ends in project and organization, and after a restoration in its epoch. */
function isOf(origin: string, event: Event): boolean {
  const ledger = origin.replace(/\/e\d+$/, "");
  return event.organization == null || ledger.endsWith(`/${event.project}/${event.organization}`);
}

/** The leaf record says which event it is. */
function leafFault(leaf: Uint8Array, event: Event, proof: Proof): string | null {
  if (leaf.length !== LEAF_BYTES || !equal(leaf.subarray(0, 18), LEAF_DOMAIN)) return "The leaf record cannot be read.";
  const view = new DataView(leaf.buffer, leaf.byteOffset, leaf.length);
  const id = [...leaf.subarray(38, 54)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (view.getBigUint64(22) !== BigInt(event.sequence) || proof.index !== event.sequence) return "The leaf is that of another position.";
  if (view.getUint32(18) !== event.epoch) return "The leaf is that of another epoch.";
  if (id !== event.id.replaceAll("-", "")) return "The leaf is that of another event.";
  return view.getBigInt64(30) === BigInt(Date.parse(event.received_at)) ? null : "The leaf has another time of receipt.";
}

/** The leaf commits to the parts, and the parts are what the screen shows. */
async function partsFault(leaf: Uint8Array, event: Event, proof: Proof): Promise<string | null> {
  if (proof.parts.map((part) => part.name).join() !== PART_NAMES.join()) return "The proof does not have the five parts.";
  for (const [position, part] of proof.parts.entries()) {
    const committed = leaf.subarray(54 + 32 * position, 86 + 32 * position);
    if ("commitment" in part) {
      if (!equal(fromBase64(part.commitment), committed)) return `The leaf does not commit to the part “${part.name}”.`;
      if (!event.redacted.includes(part.name) || !isEmpty(shown(event, part.name, null))) return `The screen shows a part “${part.name}” that is not proven.`;
      continue;
    }
    if (event.redacted.includes(part.name)) return `The screen hides the part “${part.name}”.`;
    const bytes = fromBase64(part.bytes);
    const commitment = await sha256Of(PART_DOMAIN, new Uint8Array([position + 1]), fromBase64(part.salt), bytes);
    if (!equal(commitment, committed)) return `The part “${part.name}” has been altered.`;
    const stored = JSON.parse(new TextDecoder().decode(bytes)) as Json;
    if (!same(stored, shown(event, part.name, stored))) return `The screen shows something else than the part “${part.name}”.`;
  }
  return null;
}

/** The members of the two parts that lie open in a returned event; the other parts are members themselves. */
const OPEN_MEMBERS: Partial<Record<string, string[]>> = {
  core: ["action", "action_type", "area", "client_id", "description", "occurred_at", "organization", "product", "result", "security", "trace_id"],
  details: ["changes", "message", "metadata"],
};

/** What the returned event has of a part. */
function shown(event: Event, part: string, stored: Json): Json | undefined {
  const members = event as unknown as Record<string, Json | undefined>;
  const open = OPEN_MEMBERS[part];
  if (open === undefined) return members[part];
  const names = new Set([...open, ...Object.keys(stored ?? {})]);
  return Object.fromEntries([...names].flatMap((name) => (name in members ? [[name, members[name] ?? null]] : [])));
}

/** Whether nothing of a removed part is shown. */
function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === "object" && Object.values(value).every((member) => member === null || (Array.isArray(member) && member.length === 0));
}

/** What a leaf record or its checkpoint says, and the parts that are members themselves. */
const ENVELOPE = ["id", "project", "sequence", "epoch", "received_at", "redacted", "actor", "targets", "context"];

/** The members of a returned event that no proof speaks of: what the server computes anew for each answer. */
export function outside(event: Event): string[] {
  const proven = new Set<string>([...ENVELOPE, ...Object.values(OPEN_MEMBERS).flatMap((names) => names ?? [])]);
  return Object.entries(event).flatMap(([name, value]) => (proven.has(name) || value === null ? [] : [name]));
}

function same(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [ours, theirs] = [left as Record<string, Json>, right as Record<string, Json>];
  const names = Object.keys(ours);
  return names.length === Object.keys(theirs).length && names.every((name) => Object.hasOwn(theirs, name) && same(ours[name], theirs[name]));
}
