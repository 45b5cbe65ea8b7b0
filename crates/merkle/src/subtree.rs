//! Complete subtrees: how an interval of leaves falls into them, and what they hash to.

use std::ops::Range;

use crate::{Hash, node_hash};

/// A complete, aligned subtree: the 2^`level` leaves from `begin`, where `begin` is a multiple of 2^`level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subtree {
    /// Index of the first leaf.
    pub begin: u64,
    /// Height: 0 is a single leaf. Below 64.
    pub level: u8,
}

impl Subtree {
    /// Index after the last leaf.
    pub fn end(self) -> u64 {
        self.begin + (1 << self.level)
    }

    /// Where tiles hold the subtree: a tile level and the indexes, at that level, of the 1 to 128 nodes that make it up.
    /// [`complete_root`] of these nodes is the subtree's hash.
    pub fn tile_nodes(self) -> (u8, Range<u64>) {
        let tile_level = self.level / 8;
        let first = self.begin >> (8 * tile_level);
        (tile_level, first..first + (1 << (self.level % 8)))
    }
}

/// The largest complete subtrees that make up the leaves `begin..end`, from left to right; at most two of any level.
pub fn subtrees(begin: u64, end: u64) -> impl Iterator<Item = Subtree> {
    let mut position = begin;
    std::iter::from_fn(move || {
        let rest = end.checked_sub(position).filter(|rest| *rest > 0)?;
        let level = position.trailing_zeros().min(rest.ilog2()) as u8;
        let subtree = Subtree { begin: position, level };
        position = subtree.end();
        Some(subtree)
    })
}

/// The hash of a complete subtree from its nodes at some lower level; the level difference follows from their number.
///
/// # Panics
/// When the number of nodes is not a power of two: the caller asked for a subtree that does not exist.
pub fn complete_root(nodes: &[Hash]) -> Hash {
    assert!(
        nodes.len().is_power_of_two(),
        "a complete subtree has a power of two of nodes"
    );
    let mut level = nodes.to_vec();
    while level.len() > 1 {
        for pair in 0..level.len() / 2 {
            level[pair] = node_hash(level[2 * pair], level[2 * pair + 1]);
        }
        level.truncate(level.len() / 2);
    }
    level[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_fall_into_the_largest_aligned_subtrees() {
        for begin in 0..70 {
            for end in begin..70 {
                let parts: Vec<_> = subtrees(begin, end).collect();
                let mut position = begin;
                for part in &parts {
                    let width = 1 << part.level;
                    assert_eq!((part.begin, part.begin % width), (position, 0));
                    // The parent does not fit, or two neighbours would have been one subtree.
                    let parent = part.begin / (2 * width) * (2 * width);
                    assert!(
                        parent < begin || parent + 2 * width > end,
                        "{begin}..{end}: {part:?} is not the largest"
                    );
                    position = part.end();
                }
                assert_eq!(position, end);
            }
        }
    }

    #[test]
    fn subtrees_are_found_in_tiles() {
        assert_eq!(Subtree { begin: 5, level: 0 }.tile_nodes(), (0, 5..6));
        assert_eq!(Subtree { begin: 128, level: 7 }.tile_nodes(), (0, 128..256));
        assert_eq!(Subtree { begin: 768, level: 8 }.tile_nodes(), (1, 3..4));
        assert_eq!(
            Subtree {
                begin: 1 << 20,
                level: 18
            }
            .tile_nodes(),
            (2, 16..20)
        );
    }
}
