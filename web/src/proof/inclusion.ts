// Checks in the browser that an event is in its ledger and is what the screen shows: parts → commitments → leaf record → root
// → signed checkpoint. The bytes are described in docs/formats/tree.md.
//
// A verifier key that comes from the same server as the proof says that the server stands by this tree, not that nobody else
// was shown another one. That takes a key from elsewhere: one that is pinned.
import { PART_NAMES, type Event, type Json, type PartName, type Proof } from "../api/contract";
import { fromBase64, sha256Of, textBytes } from "./bytes";
import { parseCheckpoint, projectOf, verifySignature } from "./checkpoint";
import { equal, hashLeaf, rootOf } from "./tree";

/** The first thing that does not hold. */
export type Fault =
  | "no_checkpoint"
  | "other_size"
  | "other_ledger"
  | "no_leaf"
  | "other_position"
  | "other_epoch"
  | "other_event"
  | "other_receipt"
  | "not_five_parts"
  | "not_committed"
  | "not_removed"
  | "altered"
  | "hidden"
  | "not_shown"
  | "other_root"
  | "other_key"
  | "unreadable";

/**
 * What was found out. `unsigned` leads to the checkpoint's root, but whether anybody stands by that was not checked: no key is known, or the
 * browser has no Ed25519. `withheld` are the parts of which there is only a commitment. `part` is the part of the event that a fault is of.
 */
export type Verdict = { kind: "holds" | "unsigned"; withheld: PartName[] } | { kind: "fails"; fault: Fault; part?: PartName };
type Failure = Extract<Verdict, { kind: "fails" }>;

const failure = (fault: Fault, part?: PartName): Failure => ({ kind: "fails", fault, ...(part === undefined ? {} : { part }) });

const LEAF_DOMAIN = textBytes("trailbook/leaf/v1\0");
const PART_DOMAIN = textBytes("trailbook/part/v1\0");
const LEAF_BYTES = 214;

/** Checks `proof` for `event` as displayed. `vkey` is the checkpoint's verifier key, null when it is not known. */
export async function check(event: Event, proof: Proof, vkey: string | null): Promise<Verdict> {
  const checkpoint = parseCheckpoint(proof.checkpoint);
  if (checkpoint === null) return failure("no_checkpoint");
  if (checkpoint.size !== proof.size) return failure("other_size");
  if (!isOf(checkpoint.origin, event)) return failure("other_ledger");
  const leaf = fromBase64(proof.leaf);
  const fault = leafFault(leaf, event, proof) ?? (await partsFault(leaf, event, proof));
  if (fault !== null) return fault;
  const root = await rootOf(proof.index, proof.size, await hashLeaf(leaf), proof.hashes.map(fromBase64));
  if (root === null || !equal(root, checkpoint.root)) return failure("other_root");
  const withheld = proof.parts.flatMap((part) => ("commitment" in part ? [part.name] : []));
  const signature = vkey === null ? "unchecked" : await verifySignature(checkpoint, vkey);
  if (signature === "wrong") return failure("other_key");
  return { kind: signature === "checked" ? "holds" : "unsigned", withheld };
}

/** Whether checkpoints of this origin are those of the event's ledger. */
function isOf(origin: string, event: Event): boolean {
  return event.organization == null || projectOf(origin, event.organization) === event.project;
}

/** The leaf record says which event it is. */
function leafFault(leaf: Uint8Array, event: Event, proof: Proof): Failure | null {
  if (leaf.length !== LEAF_BYTES || !equal(leaf.subarray(0, 18), LEAF_DOMAIN)) return failure("no_leaf");
  const view = new DataView(leaf.buffer, leaf.byteOffset, leaf.length);
  const id = [...leaf.subarray(38, 54)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (view.getBigUint64(22) !== BigInt(event.sequence) || proof.index !== event.sequence) return failure("other_position");
  if (view.getUint32(18) !== event.epoch) return failure("other_epoch");
  if (id !== event.id.replaceAll("-", "")) return failure("other_event");
  return view.getBigInt64(30) === BigInt(Date.parse(event.received_at)) ? null : failure("other_receipt");
}

/** The leaf commits to the parts, and the parts are what the screen shows. */
async function partsFault(leaf: Uint8Array, event: Event, proof: Proof): Promise<Failure | null> {
  if (proof.parts.map((part) => part.name).join() !== PART_NAMES.join()) return failure("not_five_parts");
  for (const [position, part] of proof.parts.entries()) {
    const committed = leaf.subarray(54 + 32 * position, 86 + 32 * position);
    if ("commitment" in part) {
      if (!equal(fromBase64(part.commitment), committed)) return failure("not_committed", part.name);
      if (!event.redacted.includes(part.name) || !isEmpty(shown(event, part.name, null))) return failure("not_removed", part.name);
      continue;
    }
    if (event.redacted.includes(part.name)) return failure("hidden", part.name);
    const bytes = fromBase64(part.bytes);
    const commitment = await sha256Of(PART_DOMAIN, new Uint8Array([position + 1]), fromBase64(part.salt), bytes);
    if (!equal(commitment, committed)) return failure("altered", part.name);
    const stored = JSON.parse(new TextDecoder().decode(bytes)) as Json;
    if (!same(stored, shown(event, part.name, stored))) return failure("not_shown", part.name);
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
