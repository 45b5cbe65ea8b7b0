// Checks in the browser that an event is in its ledger and is what the screen shows: parts → commitments → leaf record → root
// → signed checkpoint. The bytes are described in docs/formats/tree.md.
//
// The verifier key comes from the same server as the proof, so a checked signature says that the server stands by this tree,
// not that nobody else was shown another one. That takes a key from elsewhere: `trailbook verify`.
import { PART_NAMES, type Event, type Json, type Proof } from "../../api/contract";
import { concat, fromBase64, sha256, sha256Of, textBytes, toBase64 } from "./bytes";

export interface Checkpoint {
  origin: string;
  size: number;
  root: Uint8Array;
  /** What is signed. */
  text: string;
  signatures: { name: string; bytes: Uint8Array }[];
}

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
  const leaf = fromBase64(proof.leaf);
  const fault = leafFault(leaf, event, proof) ?? (await partsFault(leaf, event, proof));
  if (fault !== null) return fails(fault);
  const root = await rootOf(proof.index, proof.size, await hashLeaf(leaf), proof.hashes.map(fromBase64));
  if (root === null || !equal(root, checkpoint.root)) return fails("The proof does not lead to the checkpoint's root.");
  if (vkey === null) return { kind: "holds", signature: "unchecked" };
  const signature = await signatureOf(checkpoint, vkey);
  return signature === "wrong" ? fails("The checkpoint's signature is wrong.") : { kind: "holds", signature };
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
      continue;
    }
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

function same(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [ours, theirs] = [left as Record<string, Json>, right as Record<string, Json>];
  const names = Object.keys(ours);
  return names.length === Object.keys(theirs).length && names.every((name) => Object.hasOwn(theirs, name) && same(ours[name], theirs[name]));
}

export function hashLeaf(record: Uint8Array): Promise<Uint8Array> {
  return sha256Of(new Uint8Array([0]), record);
}

/** The root that an inclusion proof leads to, RFC 9162 section 2.1.3.2; null when the proof has the wrong length. */
export async function rootOf(index: number, size: number, leaf: Uint8Array, path: Uint8Array[]): Promise<Uint8Array | null> {
  if (!(index < size)) return null;
  let [node, last, hash] = [BigInt(index), BigInt(size) - 1n, leaf];
  for (const sibling of path) {
    if (last === 0n) return null;
    if ((node & 1n) === 1n || node === last) {
      hash = await sha256Of(new Uint8Array([1]), sibling, hash);
      while ((node & 1n) === 0n && node !== 0n) [node, last] = [node >> 1n, last >> 1n];
    } else {
      hash = await sha256Of(new Uint8Array([1]), hash, sibling);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  return last === 0n ? hash : null;
}

/** A C2SP signed note with a checkpoint in it; null when it is not one. */
export function parseCheckpoint(note: string): Checkpoint | null {
  const cut = note.indexOf("\n\n");
  if (cut < 0) return null;
  const text = note.slice(0, cut + 1);
  const [origin, size, root] = text.split("\n");
  if (!origin || !root || !/^(0|[1-9]\d{0,15})$/.test(size ?? "")) return null;
  const signatures = note.slice(cut + 2).split("\n").flatMap((line) => {
    const match = /^— (\S+) ([A-Za-z0-9+/]+=*)$/.exec(line);
    return match === null ? [] : [{ name: match[1]!, bytes: fromBase64(match[2]!) }];
  });
  return { origin, size: Number(size), root: fromBase64(root), text, signatures };
}

/** A verifier key is `name+hash+base64(0x01 ‖ Ed25519 key)`; the hash also names the key in the signature's first four bytes. */
async function signatureOf(checkpoint: Checkpoint, vkey: string): Promise<"checked" | "wrong" | "unchecked"> {
  const [name, hash, ...rest] = vkey.trim().split("+");
  const key = fromBase64(rest.join("+"));
  if (name !== checkpoint.origin || key[0] !== 1 || key.length !== 33) return "wrong";
  const id = (await sha256(concat(textBytes(`${name}\n`), key))).subarray(0, 4);
  const own = checkpoint.signatures.find((each) => each.name === name && equal(each.bytes.subarray(0, 4), id));
  if (own === undefined || hash !== [...id].map((byte) => byte.toString(16).padStart(2, "0")).join("")) return "wrong";
  let imported: CryptoKey;
  try {
    imported = await crypto.subtle.importKey("raw", key.slice(1), "Ed25519", false, ["verify"]);
  } catch {
    // A browser without Ed25519.
    return "unchecked";
  }
  const good = await crypto.subtle.verify("Ed25519", imported, own.bytes.slice(4), textBytes(checkpoint.text));
  return good ? "checked" : "wrong";
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return toBase64(left) === toBase64(right);
}
