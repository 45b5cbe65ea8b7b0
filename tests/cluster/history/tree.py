"""Checkpoints: read and checked by the offline verifier of the documentation, joined by consistency proofs (RFC 9162)."""

import hashlib
import importlib.util
from pathlib import Path

_spec = importlib.util.spec_from_file_location("verify", Path(__file__).resolve().parents[3] / "docs" / "verify.py")
verify = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(verify)


def opened(note: bytes, key: str) -> tuple[str, int, bytes]:
    """Origin, size and root of a signed note; fails when the key did not sign it."""
    return verify.read_checkpoint(verify.open_note(note, verify.read_key(key)))


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def consistent(older: tuple[int, bytes], newer: tuple[int, bytes], proof: list[bytes]) -> bool:
    """Whether the tree of the second size and root continues the one of the first: RFC 9162, 2.1.4.2."""
    (first, first_root), (second, second_root) = older, newer
    if first == second:
        return first_root == second_root and not proof
    if first == 0:
        return not proof
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    if not path:
        return False
    index, last = first - 1, second - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    old = new = path[0]
    for hash in path[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            old, new = node(hash, old), node(hash, new)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            new = node(new, hash)
        index, last = index >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root
