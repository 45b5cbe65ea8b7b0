//! What is kept of a tile of 256 leaves whose events have expired: hashes of complete subtrees that lie side by side.
//!
//! While the floor cuts a tile, these are the leaf hashes below it. Once the whole tile is below, only what consistency
//! proofs between published checkpoints need is kept: the subtrees between the checkpoints' sizes.
//!
//! Invariant: pieces of a tile are complete, aligned subtrees, ascending, and no two overlap.
//!
//! Not here: complete subtrees of 256 leaves and more, which are kept for ever (`database::Subtree`).

use trailbook_merkle::{Hash, node_hash, subtrees};

/// Leaves of a tile.
pub(crate) const TILE: u64 = 256;

/// A complete subtree inside a tile: the offset of its first leaf, its height (0 to 7), its root.
pub(crate) type Piece = (u8, u8, Hash);

/// Leaf hashes as pieces, from `offset` on.
pub(crate) fn of_leaves(offset: u8, leaves: &[Hash]) -> impl Iterator<Item = Piece> {
    (offset..=u8::MAX).zip(leaves).map(|(offset, leaf)| (offset, 0, *leaf))
}

/// The root of the 2^`level` leaves from `offset`; `None` when the pieces do not make it up.
pub(crate) fn root(pieces: &[Piece], offset: u8, level: u8) -> Option<Hash> {
    let first = pieces.partition_point(|(at, _, _)| *at < offset);
    match pieces.get(first) {
        Some((at, height, hash)) if (*at, *height) == (offset, level) => return Some(*hash),
        Some((at, height, _)) if *at == offset && *height < level => {}
        _ => return None,
    }
    let half = level.checked_sub(1)?;
    let right = offset.checked_add(1 << half)?;
    Some(node_hash(root(pieces, offset, half)?, root(pieces, right, half)?))
}

/// What a tile that is wholly below the floor keeps for the checkpoints whose sizes end inside it, at these offsets (1 to 255).
/// Nothing when there are none; `None` when the pieces do not make up the tile.
///
/// Every range of leaves between two of the sizes, or between one and an end of the tile, can be made up from the result:
/// a subtree of such a range never reaches over an end of it.
pub(crate) fn condensed(pieces: &[Piece], sizes: &[u8]) -> Option<Vec<Piece>> {
    if sizes.is_empty() {
        return Some(Vec::new());
    }
    let mut ends: Vec<u64> = sizes.iter().map(|size| u64::from(*size)).collect();
    ends.push(TILE);
    ends.sort_unstable();
    ends.dedup();
    let mut begin = 0;
    let mut kept = Vec::new();
    for end in ends {
        for subtree in subtrees(begin, end) {
            let offset = subtree.begin as u8;
            kept.push((offset, subtree.level, root(pieces, offset, subtree.level)?));
        }
        begin = end;
    }
    Some(kept)
}

/// The bytes of a tile's pieces: for each its offset, its height, its root.
pub(crate) fn encode(pieces: &[Piece]) -> Vec<u8> {
    let mut out = Vec::with_capacity(34 * pieces.len());
    for (offset, level, hash) in pieces {
        out.extend_from_slice(&[*offset, *level]);
        out.extend_from_slice(&hash.0);
    }
    out
}

/// Reads what [`encode`] wrote; `None` when it is malformed.
pub(crate) fn decode(bytes: &[u8]) -> Option<Vec<Piece>> {
    let (pieces, rest) = bytes.as_chunks::<34>();
    let piece = |piece: &[u8; 34]| {
        let mut hash = [0; 32];
        hash.copy_from_slice(&piece[2..]);
        (piece[0], piece[1], Hash(hash))
    };
    rest.is_empty().then(|| pieces.iter().map(piece).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use trailbook_merkle::{NodeSource, leaf_hash};

    use super::*;

    fn leaves() -> Vec<Hash> {
        (0..=u8::MAX).map(|leaf| leaf_hash(&[leaf])).collect()
    }

    #[test]
    fn a_condensed_tile_makes_up_every_range_between_the_sizes_and_nothing_else() {
        let leaves = leaves();
        let whole: Vec<Piece> = of_leaves(0, &leaves).collect();
        for sizes in [&[1_u8][..], &[3, 8], &[77, 128, 200, 255], &[64]] {
            let kept = condensed(&whole, sizes).unwrap();
            assert!(kept.len() <= 16 * sizes.len(), "{} pieces for {sizes:?}", kept.len());
            let ends: Vec<u64> = [0, 256]
                .into_iter()
                .chain(sizes.iter().map(|size| u64::from(*size)))
                .collect();
            for (begin, end) in ends.iter().flat_map(|begin| ends.iter().map(move |end| (*begin, *end))) {
                for subtree in subtrees(begin, end).filter(|subtree| subtree.level < 8) {
                    let expected = leaves.subtree(subtree.begin, subtree.level);
                    assert_eq!(
                        root(&kept, subtree.begin as u8, subtree.level),
                        expected,
                        "{begin}..{end} of {sizes:?}"
                    );
                }
            }
        }
        let kept = condensed(&whole, &[64]).unwrap();
        assert_eq!(root(&kept, 3, 0), None);
        assert_eq!(condensed(&whole, &[]).unwrap(), []);
        assert_eq!(condensed(&whole[1..], &[64]), None);
    }

    #[test]
    fn condensing_again_for_fewer_sizes_gives_the_same_as_at_once() {
        let whole: Vec<Piece> = of_leaves(0, &leaves()).collect();
        let once = condensed(&whole, &[10, 20, 30]).unwrap();
        assert_eq!(condensed(&once, &[20]).unwrap(), condensed(&whole, &[20]).unwrap());
    }
}
