//! Compact ranges: an interval of leaves as the hashes of its largest complete subtrees. A ledger's head is the one that begins
//! at leaf 0, its frontier. See docs/formats/tree.md, "Compact ranges".
//!
//! Invariant: `hashes` are the hashes of `subtrees(begin, end)`, in that order; so a range has one representation only.

use crate::{Error, Hash, SIZE_MAX, empty_root, node_hash, subtrees};

/// A complete subtree that an append has just closed and that is to be kept for ever: a node of a tile above level 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompleteSubtree {
    /// Tile level, from 1: the subtree has 256^`level` leaves.
    pub level: u8,
    /// Position among the nodes of this tile level: the subtree starts at leaf `index` · 256^`level`.
    pub index: u64,
    /// The subtree's hash.
    pub hash: Hash,
}

/// The leaves `begin..end` as at most 126 hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactRange {
    begin: u64,
    end: u64,
    hashes: Vec<Hash>,
}

impl CompactRange {
    /// The empty range at leaf `begin`.
    pub fn empty_at(begin: u64) -> Self {
        Self {
            begin,
            end: begin,
            hashes: Vec::new(),
        }
    }

    /// The range `begin..end` with the hashes of its subtrees from left to right; [`Error::Invalid`] when their number does not
    /// fit the range. Whether the hashes are true is not known here.
    pub fn new(begin: u64, end: u64, hashes: Vec<Hash>) -> Result<Self, Error> {
        if begin > end || end > SIZE_MAX {
            return Err(Error::Invalid(
                "compact range ends before it begins or beyond the largest size",
            ));
        }
        if subtrees(begin, end).count() != hashes.len() {
            return Err(Error::Invalid("compact range has a wrong number of hashes"));
        }
        Ok(Self { begin, end, hashes })
    }

    /// Index of the first leaf.
    pub fn begin(&self) -> u64 {
        self.begin
    }

    /// Index after the last leaf.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The hashes of the range's subtrees, from left to right.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// Appends the next leaf, and calls `closed` for each complete subtree of 256, 65,536 … leaves that it closes, smallest first.
    pub fn append(&mut self, leaf: Hash, closed: &mut impl FnMut(CompleteSubtree)) {
        self.append_subtree(0, leaf, closed);
    }

    /// Appends the range that follows this one; [`Error::Invalid`] when it begins elsewhere than this one ends.
    pub fn append_range(&mut self, next: &CompactRange) -> Result<(), Error> {
        if next.begin != self.end {
            return Err(Error::Invalid("compact ranges are not adjacent"));
        }
        for (subtree, hash) in subtrees(next.begin, next.end).zip(&next.hashes) {
            self.append_subtree(subtree.level, *hash, &mut |_| ());
        }
        Ok(())
    }

    /// Appends a complete subtree, whose begin `self.end` is aligned to its width, and joins it with its left siblings.
    fn append_subtree(&mut self, mut level: u8, mut hash: Hash, closed: &mut impl FnMut(CompleteSubtree)) {
        let mut begin = self.end;
        self.end += 1 << level;
        // The left sibling is a whole element of the range exactly when it does not reach out of it.
        while begin & (1 << level) != 0 && begin - (1 << level) >= self.begin {
            let sibling = self.hashes.pop().expect("the left sibling lies within the range");
            hash = node_hash(sibling, hash);
            begin -= 1 << level;
            level += 1;
            if level.is_multiple_of(8) {
                closed(CompleteSubtree {
                    level: level / 8,
                    index: begin >> level,
                    hash,
                });
            }
        }
        self.hashes.push(hash);
    }
}

/// A tree's head: its size and the compact range of all its leaves, at most 63 hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontier(CompactRange);

impl Default for Frontier {
    fn default() -> Self {
        Self::new()
    }
}

impl Frontier {
    /// The head of the empty tree.
    pub fn new() -> Self {
        Self(CompactRange::empty_at(0))
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.0.end
    }

    /// The hashes of the tree's complete subtrees, from left to right: one for each bit set in the size.
    pub fn hashes(&self) -> &[Hash] {
        &self.0.hashes
    }

    /// Appends the leaf with index [`Frontier::size`], and calls `closed` for each complete subtree of 256, 65,536 … leaves that
    /// it closes, smallest first.
    pub fn append(&mut self, leaf: Hash, closed: &mut impl FnMut(CompleteSubtree)) {
        self.0.append(leaf, closed);
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let mut smallest_first = self.0.hashes.iter().rev().copied();
        smallest_first.next().map_or_else(empty_root, |last| {
            smallest_first.fold(last, |right, left| node_hash(left, right))
        })
    }

    /// The frontier's bytes: the size as a big-endian u64, then the hashes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 32 * self.0.hashes.len());
        bytes.extend_from_slice(&self.size().to_be_bytes());
        self.0.hashes.iter().for_each(|hash| bytes.extend_from_slice(&hash.0));
        bytes
    }

    /// The frontier in `bytes`; [`Error::Invalid`] unless they have exactly the form that [`Frontier::encode`] writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let (size, hashes) = bytes
            .split_first_chunk()
            .ok_or(Error::Invalid("frontier is shorter than a size"))?;
        let (hashes, rest) = hashes.as_chunks();
        if hashes.len() > 63 || !rest.is_empty() {
            return Err(Error::Invalid("frontier is not a size and up to 63 whole hashes"));
        }
        let hashes = hashes.iter().copied().map(Hash).collect();
        CompactRange::new(0, u64::from_be_bytes(*size), hashes).map(Self)
    }
}

impl TryFrom<CompactRange> for Frontier {
    type Error = Error;

    /// The compact range of a whole tree; [`Error::Invalid`] when it does not begin at leaf 0.
    fn try_from(range: CompactRange) -> Result<Self, Error> {
        if range.begin == 0 {
            Ok(Self(range))
        } else {
            Err(Error::Invalid("compact range does not begin at leaf 0"))
        }
    }
}
