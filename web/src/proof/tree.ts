// Merkle trees as in RFC 9162: what a path of hashes proves. The bytes are described in docs/formats/tree.md.
import { sha256Of, toBase64 } from "./bytes";

export function hashLeaf(record: Uint8Array): Promise<Uint8Array> {
  return sha256Of(new Uint8Array([0]), record);
}

function hashNode(left: Uint8Array, right: Uint8Array): Promise<Uint8Array> {
  return sha256Of(new Uint8Array([1]), left, right);
}

/** The root that an inclusion proof leads to, RFC 9162 section 2.1.3.2; null when the proof has the wrong length. */
export async function rootOf(index: number, size: number, leaf: Uint8Array, path: Uint8Array[]): Promise<Uint8Array | null> {
  if (!(index < size)) return null;
  let [node, last, hash] = [BigInt(index), BigInt(size) - 1n, leaf];
  for (const sibling of path) {
    if (last === 0n) return null;
    if ((node & 1n) === 1n || node === last) {
      hash = await hashNode(sibling, hash);
      while ((node & 1n) === 0n && node !== 0n) [node, last] = [node >> 1n, last >> 1n];
    } else {
      hash = await hashNode(hash, sibling);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  return last === 0n ? hash : null;
}

export interface Head {
  size: number;
  root: Uint8Array;
}

/** Whether `path` proves that the tree of `newer` has all leaves of `older`, in their places: RFC 9162 section 2.1.4.2. */
export async function isConsistent(older: Head, newer: Head, path: Uint8Array[]): Promise<boolean> {
  if (older.size > newer.size) return false;
  if (older.size === newer.size) return path.length === 0 && equal(older.root, newer.root);
  if (older.size === 0) return path.length === 0;
  let [node, last] = [BigInt(older.size) - 1n, BigInt(newer.size) - 1n];
  while ((node & 1n) === 1n) [node, last] = [node >> 1n, last >> 1n];
  // A tree that is one complete subtree is not in the proof, since its root is known.
  const [first, ...rest] = node === 0n ? [older.root, ...path] : path;
  if (first === undefined) return false;
  let [old, now] = [first, first];
  for (const hash of rest) {
    if (last === 0n) return false;
    if ((node & 1n) === 1n || node === last) {
      [old, now] = await Promise.all([hashNode(hash, old), hashNode(hash, now)]);
      while ((node & 1n) === 0n && node !== 0n) [node, last] = [node >> 1n, last >> 1n];
    } else {
      now = await hashNode(now, hash);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  return last === 0n && equal(old, older.root) && equal(now, newer.root);
}

export function equal(left: Uint8Array, right: Uint8Array): boolean {
  return toBase64(left) === toBase64(right);
}
