// Checkpoints: what a ledger's server signs, and whether it did. See docs/formats/tree.md.
import { concat, fromBase64, sha256, textBytes } from "./bytes";
import { equal, type Head } from "./tree";

export interface Checkpoint extends Head {
  origin: string;
  /** What is signed. */
  text: string;
  signatures: { name: string; bytes: Uint8Array }[];
}

/** `unchecked` is a browser without Ed25519. */
export type Signature = "checked" | "wrong" | "unchecked";

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

/** The project in an origin, which ends in project and organization, and after a restoration in its epoch; null when it is not the organization's. */
export function projectOf(origin: string, organization: string): string | null {
  const names = origin.split("/");
  const isLater = /^e\d+$/.test(names.at(-1)!) && names.at(-2) === organization;
  const [project, last] = isLater ? names.slice(-3) : names.slice(-2);
  return last === organization && project !== undefined ? project : null;
}

interface VerifierKey {
  name: string;
  /** The type's byte, then the Ed25519 key. */
  bytes: Uint8Array<ArrayBuffer>;
  /** What signatures name the key by. */
  id: Uint8Array;
}

/** A verifier key is `name+hash+base64(0x01 ‖ Ed25519 key)`; the hash also names the key in the signature's first four bytes. Null when it is not one. */
export async function parseKey(vkey: string): Promise<VerifierKey | null> {
  const [name, hash, ...rest] = vkey.trim().split("+");
  const encoded = rest.join("+");
  if (!name || !/^[A-Za-z0-9+/]+=*$/.test(encoded) || encoded.length % 4 !== 0) return null;
  const bytes = fromBase64(encoded);
  if (bytes[0] !== 1 || bytes.length !== 33) return null;
  const id = (await sha256(concat(textBytes(`${name}\n`), bytes))).subarray(0, 4);
  return hash === [...id].map((byte) => byte.toString(16).padStart(2, "0")).join("") ? { name, bytes, id } : null;
}

export async function verifySignature(checkpoint: Checkpoint, vkey: string): Promise<Signature> {
  const key = await parseKey(vkey);
  if (key === null || key.name !== checkpoint.origin) return "wrong";
  const own = checkpoint.signatures.find((each) => each.name === key.name && equal(each.bytes.subarray(0, 4), key.id));
  if (own === undefined) return "wrong";
  let imported: CryptoKey;
  try {
    imported = await crypto.subtle.importKey("raw", key.bytes.slice(1), "Ed25519", false, ["verify"]);
  } catch {
    // A browser without Ed25519.
    return "unchecked";
  }
  const good = await crypto.subtle.verify("Ed25519", imported, own.bytes.slice(4), textBytes(checkpoint.text));
  return good ? "checked" : "wrong";
}
