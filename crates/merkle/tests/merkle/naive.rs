//! The definitions of RFC 9162 section 2.1, written down as they stand there: slow, recursive, with nothing shared but SHA-256.

use sha2::{Digest, Sha256};
use trailbook_merkle::Hash;

/// `MTH(D[n])` over leaf hashes.
pub(crate) fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash(Sha256::digest(b"").into()),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(largest_power_of_two_below(leaves.len()));
            node(root(left), root(right))
        }
    }
}

/// `PATH(m, D[n])`.
pub(crate) fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = largest_power_of_two_below(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if index < k {
        (path(index, left), right)
    } else {
        (path(index - k, right), left)
    };
    path.push(root(sibling));
    path
}

/// `SUBPROOF(m, D[n], b)`; a consistency proof is the one with `known` true.
pub(crate) fn subproof(size: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
    if size == leaves.len() {
        return if known { Vec::new() } else { vec![root(leaves)] };
    }
    let k = largest_power_of_two_below(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, sibling) = if size <= k {
        (subproof(size, left, known), right)
    } else {
        (subproof(size - k, right, false), left)
    };
    proof.push(root(sibling));
    proof
}

/// Different leaf hashes for different indexes.
pub(crate) fn leaves(count: usize) -> Vec<Hash> {
    (0..count as u64)
        .map(|index| Hash(Sha256::digest([&[0], index.to_le_bytes().as_slice()].concat()).into()))
        .collect()
}

fn node(left: Hash, right: Hash) -> Hash {
    Hash(Sha256::digest([&[1], left.as_ref(), right.as_ref()].concat()).into())
}

fn largest_power_of_two_below(count: usize) -> usize {
    let mut k = 1;
    while 2 * k < count {
        k *= 2;
    }
    k
}
