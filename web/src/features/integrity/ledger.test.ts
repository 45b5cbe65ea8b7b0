import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { expect, test, vi } from "vitest";
import { examine, relate } from "./ledger";

const sha = (...pieces: Uint8Array[]) => createHash("sha256").update(Buffer.concat(pieces)).digest();
const leaf = (at: number) => sha(Buffer.of(0), Buffer.from(`leaf ${at}`));
const pair = (left: Uint8Array, right: Uint8Array) => sha(Buffer.of(1), left, right);

/** Trees of one and two leaves, and what proves that the second continues the first. */
const [ONE, TWO, GROWTH] = [leaf(0), pair(leaf(0), leaf(1)), [leaf(1).toString("base64")]];

function signer(origin: string, keys = generateKeyPairSync("ed25519")) {
  const raw = Buffer.concat([Buffer.of(1), keys.publicKey.export({ format: "der", type: "spki" }).subarray(-32)]);
  const id = sha(Buffer.from(`${origin}\n`), raw).subarray(0, 4);
  return {
    vkey: `${origin}+${id.toString("hex")}+${raw.toString("base64")}`,
    note: (size: number, root: Uint8Array) => {
      const text = `${origin}\n${size}\n${Buffer.from(root).toString("base64")}\n`;
      return `${text}\n— ${origin} ${Buffer.concat([id, sign(null, Buffer.from(text), keys.privateKey)]).toString("base64")}\n`;
    },
    at: (other: string) => signer(other, keys),
  };
}

const ours = signer("log.example/default/acme");
const grows = () => Promise.resolve(GROWTH);
const asked = { note: ours.note(2, TWO), vkey: ours.vkey, seen: ours.note(1, ONE), consistency: grows };

test("a signed continuation is verified, and a first look begins with itself", async () => {
  expect(await examine(asked)).toMatchObject({ kind: "verified", since: { size: 1 }, checkpoint: { size: 2 } });
  expect(await examine({ ...asked, seen: null, consistency: () => Promise.resolve([]) })).toMatchObject({ kind: "verified", since: null });
});

test("a server that is behind is asked for the other way round, and never called verified: it may have been set back", async () => {
  const consistency = vi.fn(grows);
  const older = { kind: "limited", reason: "older", checkpoint: { size: 1 } };
  expect(await examine({ ...asked, note: ours.note(1, ONE), seen: ours.note(2, TWO), consistency })).toMatchObject(older);
  expect(consistency).toHaveBeenCalledWith(1, 2);
  expect(await examine({ ...asked, note: ours.note(1, ONE), seen: ours.note(2, TWO), consistency: () => Promise.resolve(null) })).toMatchObject(older);
  // Every tree continues the empty one, so an empty ledger that took the place of what was seen would let any other follow.
  const empty = ours.note(0, Buffer.from(sha()));
  expect(await examine({ ...asked, note: empty, consistency: () => Promise.resolve([]) })).toMatchObject({ ...older, checkpoint: { size: 0 } });
});

test("what cannot be compared is said to be no more than it is", async () => {
  expect(await examine({ ...asked, vkey: null })).toMatchObject({ kind: "limited", reason: "no_key" });
  expect(await examine({ ...asked, consistency: () => Promise.resolve(null) })).toMatchObject({ kind: "limited", reason: "filtered" });
});

test.each([
  ["unreadable", { note: "x" }],
  ["other_key", { vkey: signer("log.example/default/acme").vkey }],
  ["rewritten", { consistency: () => Promise.resolve([leaf(7).toString("base64")]) }],
  ["rewritten", { note: ours.note(1, leaf(7)), consistency: () => Promise.resolve([]) }],
  ["shrunk", { note: ours.note(1, ONE), seen: ours.note(2, TWO), consistency: () => Promise.resolve("shorter" as const) }],
  ["restored", { note: ours.at("log.example/default/acme/e2").note(2, TWO), vkey: ours.at("log.example/default/acme/e2").vkey }],
  ["other_ledger", { seen: signer("log.example/default/other").note(1, ONE) }],
  ["changed_key", { seen: signer("log.example/default/acme").note(1, ONE) }],
])("%s is noticed", async (fault, change) => {
  expect(await examine({ ...asked, ...change })).toMatchObject({ kind: "failed", fault });
});

test("a proof's tree is tied to the one that was verified, whichever is larger", async () => {
  const consistency = vi.fn(grows);
  expect(await relate(ours.note(2, TWO), null, consistency)).toBe("unseen");
  expect(await relate(ours.note(2, TWO), ours.note(2, TWO), consistency)).toBe("continuous");
  expect(consistency).not.toHaveBeenCalled();
  expect(await relate(ours.note(2, TWO), ours.note(1, ONE), consistency)).toBe("continuous");
  expect(await relate(ours.note(1, ONE), ours.note(2, TWO), consistency)).toBe("continuous");
  expect(consistency.mock.calls).toEqual([[1, 2], [1, 2]]);
  expect(await relate(ours.note(2, TWO), ours.note(1, ONE), () => Promise.resolve(null))).toBe("unknown");
});

test.each([
  ["another root of the same size", ours.note(2, leaf(7)), grows],
  ["another beginning", ours.note(1, leaf(7)), grows],
  ["another epoch", ours.at("log.example/default/acme/e2").note(2, TWO), grows],
  ["a tree that is gone", ours.note(1, ONE), () => Promise.resolve("shorter" as const)],
])("a proof in %s contradicts what was verified", async (_, note, consistency) => {
  expect(await relate(note, ours.note(2, TWO), consistency)).toBe("contradicts");
});
