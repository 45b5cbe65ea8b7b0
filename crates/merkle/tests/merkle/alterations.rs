//! No altered proof is believed: every bit flipped, hash dropped, added or swapped, every index and size moved by one.

use trailbook_merkle::{
    Hash, consistency_ranges, prove_consistency, prove_inclusion, verify_consistency, verify_inclusion,
};

use crate::naive;

/// Every list that differs from `hashes` by one edit: one flipped bit in each hash, one hash dropped, doubled or put in, two swapped.
pub(crate) fn edits(hashes: &[Hash]) -> Vec<Vec<Hash>> {
    let mut edited = Vec::new();
    for position in 0..hashes.len() {
        let mut flipped = hashes.to_vec();
        flipped[position].0[position % 32] ^= 1 << (position % 8);
        edited.push(flipped);
        let mut dropped = hashes.to_vec();
        dropped.remove(position);
        edited.push(dropped);
        let mut doubled = hashes.to_vec();
        doubled.insert(position, hashes[position]);
        edited.push(doubled);
        for other in 0..position {
            let mut swapped = hashes.to_vec();
            swapped.swap(position, other);
            edited.push(swapped);
        }
    }
    for position in 0..=hashes.len() {
        let mut added = hashes.to_vec();
        added.insert(position, Hash([0x5a; 32]));
        edited.push(added);
    }
    edited
}

#[test]
fn altered_inclusion_proofs_are_refused() {
    let leaves = naive::leaves(40);
    for size in 1..=leaves.len() {
        let root = naive::root(&leaves[..size]);
        for index in 0..size {
            let proof = prove_inclusion(leaves.as_slice(), index as u64, size as u64).unwrap();
            let verify = |leaf, index: usize, size: usize, proof: &[Hash], root| {
                verify_inclusion(leaf, index as u64, size as u64, proof, root).is_ok()
            };
            let leaf = leaves[index];
            for edited in edits(&proof) {
                assert!(!verify(leaf, index, size, &edited, root), "{index} in {size}");
            }
            for other in (0..size).filter(|other| *other != index) {
                assert!(
                    !verify(leaf, other, size, &proof, root),
                    "{index} in {size} believed at {other}"
                );
                assert!(
                    !verify(leaves[other], index, size, &proof, root),
                    "{other} believed to be {index} in {size}"
                );
            }
            let mut wrong = root;
            wrong.0[31] ^= 1;
            assert!(!verify(leaf, index, size, &proof, wrong));
            // The size of a tree is in its checkpoint, not in its root: proofs of one shape fit several sizes. Where the
            // shape differs, or the next size's root is the true one, the claim must fail.
            for (moved, truth) in [
                (size - 1, naive::root(&leaves[..size - 1])),
                (size + 1, naive::root(&naive::leaves(size + 1))),
            ] {
                assert!(
                    !verify(leaf, index, moved, &proof, truth),
                    "{index} in {size} believed in {moved}"
                );
                let same_shape = index < moved && naive::path(index, &naive::leaves(moved)).len() == proof.len();
                assert!(
                    same_shape || !verify(leaf, index, moved, &proof, root),
                    "{index}, {size} taken for {moved}"
                );
            }
        }
    }
}

#[test]
fn a_proof_that_goes_on_above_the_root_is_refused() {
    let leaves = naive::leaves(8);
    // The second of two leaves, claimed to be the only one.
    let pair = naive::root(&leaves[..2]);
    assert!(verify_inclusion(leaves[1], 0, 1, &[leaves[0]], pair).is_err());
    // Seven and eight leaves, claimed to be the three and four on the right.
    let (older, newer) = (naive::root(&leaves[..7]), naive::root(&leaves));
    let proof = prove_consistency(leaves.as_slice(), 7, 8).unwrap();
    assert_eq!(verify_consistency(7, older, 8, newer, &proof), Ok(()));
    assert!(verify_consistency(3, older, 4, newer, &proof).is_err());
}

#[test]
fn altered_consistency_proofs_are_refused() {
    let leaves = naive::leaves(40);
    let roots: Vec<Hash> = (0..=leaves.len()).map(|size| naive::root(&leaves[..size])).collect();
    for to in 1..=leaves.len() {
        for from in 1..=to {
            let proof = prove_consistency(leaves.as_slice(), from as u64, to as u64).unwrap();
            let verify = |from: usize, from_root, to: usize, to_root, proof: &[Hash]| {
                verify_consistency(from as u64, from_root, to as u64, to_root, proof).is_ok()
            };
            for edited in edits(&proof) {
                assert!(!verify(from, roots[from], to, roots[to], &edited), "{from} to {to}");
            }
            // As above: a proof may fit several sizes, but only those whose proofs have as many hashes.
            for other in (from + 1..=leaves.len()).filter(|_| from < to) {
                let same_shape = consistency_ranges(from as u64, other as u64).unwrap().len() == proof.len();
                assert!(
                    same_shape || !verify(from, roots[from], other, roots[to], &proof),
                    "{from} to {to} for {other}"
                );
            }
            for other in (1..=leaves.len()).filter(|other| *other != from && *other != to) {
                assert!(
                    !verify(from, roots[other], to, roots[to], &proof),
                    "{from} to {to} with the root of {other}"
                );
                assert!(
                    !verify(from, roots[from], to, roots[other], &proof),
                    "{from} to {to} ending in {other}"
                );
                assert!(
                    !verify(other, roots[other], to, roots[to], &proof),
                    "{from} to {to} taken for {other} to {to}"
                );
                assert!(
                    !verify(from, roots[from], other, roots[other], &proof),
                    "{from} to {to} taken for {from} to {other}"
                );
            }
        }
    }
}

#[test]
fn a_rewritten_history_is_never_consistent() {
    let leaves = naive::leaves(40);
    let mut rewritten = leaves.clone();
    rewritten[7].0[0] ^= 1;
    for from in 8..=40_u64 {
        let old_root = naive::root(&leaves[..from as usize]);
        let new_root = naive::root(&rewritten);
        for source in [leaves.as_slice(), rewritten.as_slice()] {
            let proof = prove_consistency(source, from, 40).unwrap();
            assert!(
                verify_consistency(from, old_root, 40, new_root, &proof).is_err(),
                "from {from}"
            );
        }
    }
}
