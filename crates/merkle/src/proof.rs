//! Inclusion and consistency proofs as in RFC 9162: which nodes they consist of, building them from a source of nodes, and
//! verifying them. Who cannot answer [`NodeSource`] synchronously asks for the ranges first and fetches their subtrees.
//!
//! Not here: proofs that an interval of leaves is complete (range.rs).

use std::ops::Range;

use crate::{Error, Hash, SIZE_MAX, complete_root, empty_root, node_hash, subtrees};

/// Where proofs get the hashes of complete subtrees from.
pub trait NodeSource {
    /// The hash of the 2^`level` leaves from `begin` (a multiple of 2^`level`), or `None` when it is not held and cannot be computed.
    /// Never asked beyond the size for which a proof is built.
    fn subtree(&self, begin: u64, level: u8) -> Option<Hash>;
}

/// A whole tree's leaf hashes, from index 0.
impl NodeSource for [Hash] {
    fn subtree(&self, begin: u64, level: u8) -> Option<Hash> {
        let begin = usize::try_from(begin).ok()?;
        let end = begin.checked_add(1_usize.checked_shl(u32::from(level))?)?;
        self.get(begin..end).map(complete_root)
    }
}

/// The root of the first `size` leaves.
pub fn root_of(source: &(impl NodeSource + ?Sized), size: u64) -> Result<Hash, Error> {
    check_size(size)?;
    range_hash(source, 0..size)
}

/// The leaves under each hash of an inclusion proof (RFC 9162 section 2.1.3.1), from the leaf upwards.
/// [`Error::Invalid`] when the tree of `size` leaves has no leaf `index`.
pub fn inclusion_ranges(index: u64, size: u64) -> Result<Vec<Range<u64>>, Error> {
    check_size(size)?;
    if index >= size {
        return Err(Error::Invalid("leaf index is not below the tree size"));
    }
    let (mut here, mut ranges) = (0..size, Vec::new());
    while here.end - here.start > 1 {
        let middle = split(&here);
        let (inside, sibling) = if index < middle {
            (here.start..middle, middle..here.end)
        } else {
            (middle..here.end, here.start..middle)
        };
        ranges.push(sibling);
        here = inside;
    }
    ranges.reverse();
    Ok(ranges)
}

/// The leaves under each hash of a consistency proof (RFC 9162 section 2.1.4.1), from the bottom upwards. Empty when the sizes are
/// equal or `from` is 0, for then nothing needs proof. [`Error::Invalid`] when `from` exceeds `to`.
pub fn consistency_ranges(from: u64, to: u64) -> Result<Vec<Range<u64>>, Error> {
    check_size(to)?;
    if from > to {
        return Err(Error::Invalid("older tree is larger than the newer one"));
    }
    let (mut here, mut ranges) = (0..to, Vec::new());
    if from == 0 {
        return Ok(ranges);
    }
    while from != here.end {
        let middle = split(&here);
        let (inside, sibling) = if from <= middle {
            (here.start..middle, middle..here.end)
        } else {
            (middle..here.end, here.start..middle)
        };
        ranges.push(sibling);
        here = inside;
    }
    // A subtree that starts at leaf 0 is the older tree itself, which the verifier has.
    if here.start > 0 {
        ranges.push(here);
    }
    ranges.reverse();
    Ok(ranges)
}

/// A proof that leaf `index` is in the tree of the first `size` leaves, from the leaf upwards.
pub fn prove_inclusion(source: &(impl NodeSource + ?Sized), index: u64, size: u64) -> Result<Vec<Hash>, Error> {
    inclusion_ranges(index, size)?
        .into_iter()
        .map(|range| range_hash(source, range))
        .collect()
}

/// A proof that the tree of the first `from` leaves is a prefix of the tree of the first `to`.
pub fn prove_consistency(source: &(impl NodeSource + ?Sized), from: u64, to: u64) -> Result<Vec<Hash>, Error> {
    consistency_ranges(from, to)?
        .into_iter()
        .map(|range| range_hash(source, range))
        .collect()
}

/// Checks, by RFC 9162 section 2.1.3.2, that the leaf with hash `leaf` has this `index` in the tree of `size` leaves and this
/// `root`. [`Error::Mismatch`] when it has not, or the proof does not show it.
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: Hash) -> Result<(), Error> {
    const MISMATCH: Error = Error::Mismatch("inclusion proof does not lead from the leaf to the root");
    check_size(size)?;
    if index >= size {
        return Err(Error::Invalid("leaf index is not below the tree size"));
    }
    let (mut inner, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return Err(MISMATCH);
        }
        if is_right(inner, last) {
            hash = node_hash(*sibling, hash);
            skip_missing_siblings(&mut inner, &mut last);
        } else {
            hash = node_hash(hash, *sibling);
        }
        inner >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == root {
        Ok(())
    } else {
        Err(MISMATCH)
    }
}

/// Checks, by RFC 9162 section 2.1.4.2, that the tree of `from` leaves with `from_root` is a prefix of the tree of `to` leaves with
/// `to_root`. [`Error::Mismatch`] when it is not, or the proof does not show it. Equal sizes need equal roots, and from size 0
/// needs the root of the empty tree; both take the empty proof only.
pub fn verify_consistency(from: u64, from_root: Hash, to: u64, to_root: Hash, proof: &[Hash]) -> Result<(), Error> {
    const MISMATCH: Error = Error::Mismatch("consistency proof does not lead to both roots");
    check_size(to)?;
    if from > to {
        return Err(Error::Invalid("older tree is larger than the newer one"));
    }
    if from == 0 || from == to {
        let expected = if from == 0 { empty_root() } else { to_root };
        let empty_is_empty = to > 0 || to_root == empty_root();
        return if proof.is_empty() && from_root == expected && empty_is_empty {
            Ok(())
        } else {
            Err(MISMATCH)
        };
    }
    let (first, rest) = match proof {
        [] => return Err(MISMATCH),
        _ if from.is_power_of_two() => (from_root, proof),
        [first, rest @ ..] => (*first, rest),
    };
    let shift = from.trailing_zeros();
    let (mut inner, mut last) = ((from - 1) >> shift, (to - 1) >> shift);
    let (mut older, mut newer) = (first, first);
    for sibling in rest {
        if last == 0 {
            return Err(MISMATCH);
        }
        if is_right(inner, last) {
            older = node_hash(*sibling, older);
            newer = node_hash(*sibling, newer);
            skip_missing_siblings(&mut inner, &mut last);
        } else {
            newer = node_hash(newer, *sibling);
        }
        inner >>= 1;
        last >>= 1;
    }
    if last == 0 && older == from_root && newer == to_root {
        Ok(())
    } else {
        Err(MISMATCH)
    }
}

/// Refuses sizes with which the arithmetic here could overflow.
pub(crate) fn check_size(size: u64) -> Result<(), Error> {
    if size <= SIZE_MAX {
        Ok(())
    } else {
        Err(Error::Invalid("tree size is larger than any tree"))
    }
}

/// The hash of a complete subtree, or [`Error::Missing`].
pub(crate) fn subtree_hash(source: &(impl NodeSource + ?Sized), begin: u64, level: u8) -> Result<Hash, Error> {
    source.subtree(begin, level).ok_or(Error::Missing { begin, level })
}

/// The hash over the leaves of a range that is a subtree in the sense of the RFC: aligned at its begin, possibly cut at its end.
fn range_hash(source: &(impl NodeSource + ?Sized), range: Range<u64>) -> Result<Hash, Error> {
    let mut hashes = Vec::with_capacity(64);
    for subtree in subtrees(range.start, range.end) {
        hashes.push(subtree_hash(source, subtree.begin, subtree.level)?);
    }
    Ok(hashes
        .into_iter()
        .rev()
        .reduce(|right, left| node_hash(left, right))
        .unwrap_or_else(empty_root))
}

/// Where the RFC splits a range of two or more leaves: after the largest power of two of leaves that leaves some.
fn split(range: &Range<u64>) -> u64 {
    range.start + (1 << (range.end - range.start - 1).ilog2())
}

/// Whether the node at position `inner` of a level whose last position is `last` is a right child or has lost its sibling.
fn is_right(inner: u64, last: u64) -> bool {
    inner & 1 == 1 || inner == last
}

/// Climbs past the levels at which the last node has no sibling and so stands for itself.
fn skip_missing_siblings(inner: &mut u64, last: &mut u64) {
    while *inner & 1 == 0 && *inner != 0 {
        *inner >>= 1;
        *last >>= 1;
    }
}
