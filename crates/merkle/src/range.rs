//! Range proofs: these are all the leaves from `begin` to `end`, none missing, none added, in this order. The evidence export
//! carries one. See docs/formats/tree.md, "Range proofs".

use crate::proof::{check_size, subtree_hash};
use crate::{CompactRange, Error, Frontier, Hash, NodeSource, subtrees};

/// What surrounds a range of leaves in its tree: the compact ranges before and after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeProof {
    /// The hashes of the compact range from leaf 0 to the range's begin.
    pub left: Vec<Hash>,
    /// The hashes of the compact range from the range's end to the tree's size.
    pub right: Vec<Hash>,
}

/// A proof that the leaves `begin..end` are that part of the tree of `size` leaves.
pub fn prove_range(source: &(impl NodeSource + ?Sized), begin: u64, end: u64, size: u64) -> Result<RangeProof, Error> {
    check_range(begin, end, size)?;
    let hashes = |from, to| -> Result<Vec<Hash>, Error> {
        subtrees(from, to)
            .map(|subtree| subtree_hash(source, subtree.begin, subtree.level))
            .collect()
    };
    Ok(RangeProof {
        left: hashes(0, begin)?,
        right: hashes(end, size)?,
    })
}

/// Checks that the leaves with these hashes are exactly the leaves `begin..end` of the tree of `size` leaves with this `root`.
/// [`Error::Mismatch`] when they are not, or the proof does not show it.
pub fn verify_range(
    begin: u64,
    end: u64,
    size: u64,
    leaves: &[Hash],
    proof: &RangeProof,
    root: Hash,
) -> Result<(), Error> {
    check_range(begin, end, size)?;
    if leaves.len() as u64 != end - begin {
        return Err(Error::Mismatch("number of leaves differs from the range"));
    }
    let mut range = CompactRange::new(0, begin, proof.left.clone())?;
    for leaf in leaves {
        range.append(*leaf, &mut |_| ());
    }
    range.append_range(&CompactRange::new(end, size, proof.right.clone())?)?;
    if Frontier::try_from(range)?.root() == root {
        Ok(())
    } else {
        Err(Error::Mismatch("leaves and range proof do not lead to the root"))
    }
}

fn check_range(begin: u64, end: u64, size: u64) -> Result<(), Error> {
    check_size(size)?;
    if begin <= end && end <= size {
        Ok(())
    } else {
        Err(Error::Invalid("range of leaves does not lie within the tree"))
    }
}
