import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { PART_NAMES, type Event, type Proof } from "../api/contract";
import { check, outside } from "./inclusion";
import { isConsistent, rootOf } from "./tree";

// The tree is built here by plain recursion (RFC 9162 section 2.1.1 and 2.1.3.1), not by the code under test.
const sha = (...pieces: Uint8Array[]) => createHash("sha256").update(Buffer.concat(pieces)).digest();
const node = (left: Uint8Array, right: Uint8Array) => sha(Buffer.of(1), left, right);
const split = (count: number) => 2 ** Math.floor(Math.log2(count - 1));
function treeHash(leaves: Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0]!;
  const cut = split(leaves.length);
  return node(treeHash(leaves.slice(0, cut)), treeHash(leaves.slice(cut)));
}
function path(index: number, leaves: Uint8Array[]): Uint8Array[] {
  if (leaves.length === 1) return [];
  const cut = split(leaves.length);
  return index < cut
    ? [...path(index, leaves.slice(0, cut)), treeHash(leaves.slice(cut))]
    : [...path(index - cut, leaves.slice(cut)), treeHash(leaves.slice(0, cut))];
}

const leavesOf = (count: number) => Array.from({ length: count }, (_, at) => sha(Buffer.from(`leaf ${at}`)));

test("every path of every small tree leads to its root, and no other does", async () => {
  for (let size = 1; size <= 17; size++) {
    const leaves = leavesOf(size);
    const root = Buffer.from(treeHash(leaves)).toString("hex");
    for (let index = 0; index < size; index++) {
      const proof = path(index, leaves);
      const found = await rootOf(index, size, leaves[index]!, proof);
      expect(Buffer.from(found!).toString("hex")).toBe(root);
      expect(await rootOf(index, size, leaves[index]!, [...proof, leaves[0]!])).toBeNull();
      if (proof.length > 0) expect(await rootOf(index, size, leaves[index]!, proof.slice(1))).toBeNull();
    }
    expect(await rootOf(size, size, leaves[0]!, path(0, leaves))).toBeNull();
  }
});

/** RFC 9162 section 2.1.4.1: the proof that the tree of all leaves continues that of the first `older`. */
function continuation(older: number, leaves: Uint8Array[], isWhole = true): Uint8Array[] {
  if (older === leaves.length) return isWhole ? [] : [treeHash(leaves)];
  const cut = split(leaves.length);
  return older <= cut
    ? [...continuation(older, leaves.slice(0, cut), isWhole), treeHash(leaves.slice(cut))]
    : [...continuation(older - cut, leaves.slice(cut), false), treeHash(leaves.slice(0, cut))];
}

test("every small tree is proven to continue every smaller one, and no other", async () => {
  for (let size = 1; size <= 17; size++) {
    const leaves = leavesOf(size);
    const newer = { size, root: treeHash(leaves) };
    for (let count = 1; count <= size; count++) {
      const older = { size: count, root: treeHash(leaves.slice(0, count)) };
      const proof = continuation(count, leaves);
      expect(await isConsistent(older, newer, proof)).toBe(true);
      expect(await isConsistent({ size: count, root: sha(older.root) }, newer, proof)).toBe(false);
      expect(await isConsistent(older, { size, root: sha(newer.root) }, proof)).toBe(false);
      expect(await isConsistent(older, newer, [...proof, leaves[0]!])).toBe(false);
      if (proof.length > 0) expect(await isConsistent(older, newer, proof.slice(1))).toBe(false);
      if (count < size) expect(await isConsistent(newer, older, proof)).toBe(false);
    }
  }
});

const PARTS = {
  core: { action: "user.role.updated", occurred_at: "2026-11-20T09:14:07.482Z", organization: "fashion" },
  actor: { email: null, id: "u_81", name: "Sarah Khan", team: null, type: "user" },
  targets: [{ email: null, id: "u_92", name: "Bill Hart", type: "user" }],
  context: { ip: null, referrer: null, url: null, user_agent: null },
  details: { changes: [{ after: "owner", field: "role" }], message: null, metadata: { n: [1, { deep: true }] } },
};

/** An event at position 3 of 7 with its proof and verifier key, made from the formats' description. */
function sample() {
  const event = {
    id: "01936f3a-7c1e-7d02-9f4b-2a7c1f00b6de",
    project: "default",
    sequence: 3,
    epoch: 1,
    received_at: "2026-11-20T09:14:07.500Z",
    redacted: [],
    ...PARTS.core,
    actor: PARTS.actor,
    targets: PARTS.targets,
    context: PARTS.context,
    ...structuredClone(PARTS.details),
  } as unknown as Event;
  const parts = PART_NAMES.map((name, position) => {
    const bytes = Buffer.from(JSON.stringify(PARTS[name]));
    const salt = sha(Buffer.from(`salt ${position}`));
    return { name, bytes, salt, commitment: sha(Buffer.from("trailbook/part/v1\0"), Buffer.of(position + 1), salt, bytes) };
  });
  const head = Buffer.alloc(20);
  head.writeUInt32BE(1, 0);
  head.writeBigUInt64BE(3n, 4);
  head.writeBigInt64BE(BigInt(Date.parse(event.received_at)), 12);
  const id = Buffer.from(event.id.replaceAll("-", ""), "hex");
  const leaf = Buffer.concat([Buffer.from("trailbook/leaf/v1\0"), head, id, ...parts.map((part) => part.commitment)]);
  const leaves = leavesOf(7);
  leaves[3] = sha(Buffer.of(0), leaf);

  const origin = "trailbook.example/default/fashion";
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = Buffer.concat([Buffer.of(1), publicKey.export({ format: "der", type: "spki" }).subarray(-32)]);
  const keyId = sha(Buffer.from(`${origin}\n`), raw).subarray(0, 4);
  const text = `${origin}\n7\n${Buffer.from(treeHash(leaves)).toString("base64")}\n`;
  const signature = Buffer.concat([keyId, sign(null, Buffer.from(text), privateKey)]).toString("base64");
  const proof: Proof = {
    index: 3,
    size: 7,
    epoch: 1,
    leaf: leaf.toString("base64"),
    hashes: path(3, leaves).map((hash) => Buffer.from(hash).toString("base64")),
    checkpoint: `${text}\n— ${origin} ${signature}\n`,
    parts: parts.map(({ name, bytes, salt }) => ({ name, bytes: bytes.toString("base64"), salt: salt.toString("base64") })),
  };
  const commitments = parts.map((part) => part.commitment.toString("base64"));
  return { event, proof, vkey: `${origin}+${keyId.toString("hex")}+${raw.toString("base64")}`, commitments };
}

describe("check", () => {
  test("what is stored holds", async () => {
    const { event, proof, vkey } = sample();
    expect(await check(event, proof, vkey)).toEqual({ kind: "holds", withheld: [] });
  });

  test("without a key, or in a browser that cannot check it, nobody is known to stand by the checkpoint", async () => {
    const { event, proof, vkey } = sample();
    expect(await check(event, proof, null)).toEqual({ kind: "unsigned", withheld: [] });
    const without = vi.spyOn(crypto.subtle, "importKey").mockRejectedValue(new DOMException("unknown algorithm", "NotSupportedError"));
    expect(await check(event, proof, vkey)).toEqual({ kind: "unsigned", withheld: [] });
    without.mockRestore();
  });

  test("a redacted part is replaced by its commitment, and is named", async () => {
    const { event, proof, vkey, commitments } = sample();
    proof.parts[1] = { name: "actor", commitment: commitments[1]! };
    const removed: Event = { ...event, actor: null, redacted: ["actor"] };
    expect(await check(removed, proof, vkey)).toEqual({ kind: "holds", withheld: ["actor"] });
    expect(await check({ ...event, redacted: ["actor"] }, proof, vkey)).toMatchObject({ kind: "fails" });
    expect(await check({ ...removed, redacted: [] }, proof, vkey)).toMatchObject({ kind: "fails" });
    proof.parts[1] = { name: "actor", commitment: commitments[2]! };
    expect(await check(event, proof, vkey)).toMatchObject({ kind: "fails" });
  });

  test("what the server computes for each answer is said to be outside of the proof", () => {
    const { event } = sample();
    expect(outside({ ...event, country: "GB", expires_at: null })).toEqual(["country"]);
    expect(outside({ ...event, invented: true } as Event)).toEqual(["invented"]);
  });

  const other = () => sample().vkey;
  const flip = (base64: string) => {
    const bytes = Buffer.from(base64, "base64");
    bytes[bytes.length - 1]! ^= 1;
    return bytes.toString("base64");
  };
  type Sample = ReturnType<typeof sample>;
  test.each<[string, (sample: Sample) => void]>([
    ["another actor on the screen", ({ event }) => (event.actor!.name = "Mallory")],
    ["a description that is not stored", ({ event }) => (event.description = "harmless")],
    ["another organization on the screen", ({ event }) => (event.organization = "other")],
    ["another value deep in the metadata", ({ event }) => ((event.metadata as { n: unknown[] }).n = [1, { deep: false }])],
    ["another project on the screen", ({ event }) => (event.project = "other")],
    ["a part said to be removed that is there", ({ event }) => (event.redacted = ["targets"])],
    ["a change hidden from the screen", ({ event }) => (event.changes = [])],
    ["another id", ({ event }) => (event.id = event.id.replace("d", "e"))],
    ["another position", ({ event }) => event.sequence++],
    ["another epoch", ({ event }) => event.epoch++],
    ["another time of receipt", ({ event }) => (event.received_at = "2026-11-20T09:14:07.501Z")],
    ["an altered leaf", ({ proof }) => (proof.leaf = flip(proof.leaf))],
    ["an altered path", ({ proof }) => (proof.hashes[0] = flip(proof.hashes[0]!))],
    ["a shortened path", ({ proof }) => proof.hashes.pop()],
    ["another size", ({ proof }) => proof.size++],
    ["a part left out", ({ proof }) => proof.parts.pop()],
    ["another size in the checkpoint", ({ proof }) => (proof.checkpoint = proof.checkpoint.replace("\n7\n", "\n8\n"))],
    ["no signature", ({ proof }) => (proof.checkpoint = proof.checkpoint.replace(/— .*/, ""))],
    ["another key", (sample) => (sample.vkey = other())],
    ["no checkpoint", ({ proof }) => (proof.checkpoint = "x")],
  ])("%s is noticed", async (_, change) => {
    const changed = sample();
    change(changed);
    expect(await check(changed.event, changed.proof, changed.vkey)).toMatchObject({ kind: "fails" });
  });
});
