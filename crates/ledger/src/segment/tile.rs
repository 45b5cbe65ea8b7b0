//! Tiles of a run: for 256 sequences their leaf hashes and the numbers of their rows, in the order of the sequences.
//! See docs/formats/segment.md, "Tile".

use trailbook_merkle::Hash;

use super::bytes::{Fields, pack, packed_bytes, unpack};
use crate::database::LedgerId;

/// Sequences of a tile; the last tile of a run may have fewer.
pub(super) const TILE_ROWS: u64 = 256;
/// base u64, width u8.
const HEAD_BYTES: usize = 9;
const CHECKSUM_BYTES: usize = 4;
const HASH_BYTES: usize = 32;

/// Which tile: its checksum covers this too, so that one tile does not pass for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) ledger: LedgerId,
    pub(super) first_sequence: u64,
}

/// A tile as read.
#[derive(Debug)]
pub(super) struct Tile {
    bytes: Vec<u8>,
    base: u64,
    width: u8,
    count: usize,
}

/// A tile's bytes.
pub(super) fn encode(place: Place, hashes: &[Hash], numbers: &[u64]) -> Vec<u8> {
    let base = numbers.iter().copied().min().unwrap_or(0);
    let widest = numbers.iter().map(|number| number - base).max().unwrap_or(0);
    let width = (u64::BITS - widest.leading_zeros()) as u8;
    let mut out = Vec::with_capacity(length_max(numbers.len()));
    out.extend_from_slice(&base.to_le_bytes());
    out.push(width);
    for hash in hashes {
        out.extend_from_slice(hash.as_ref());
    }
    pack(numbers.iter().map(|number| number - base), width, &mut out);
    let checksum = checksum(place, &out);
    out.extend_from_slice(&checksum.to_le_bytes());
    out
}

/// The most bytes that a tile of `count` sequences takes.
pub(super) fn length_max(count: usize) -> usize {
    HEAD_BYTES + count * (HASH_BYTES + 8) + CHECKSUM_BYTES
}

fn checksum(place: Place, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&place.ledger.to_le_bytes());
    hasher.update(&place.first_sequence.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

impl Tile {
    /// The tile at the front of `bytes`, of `count` sequences in a run of `rows` rows; `None` when it is not intact.
    pub(super) fn decode(mut bytes: Vec<u8>, place: Place, count: usize, rows: u64) -> Option<Self> {
        let mut head = Fields(&bytes);
        let (base, width) = (head.u64()?, head.u8()?);
        if width > 64 {
            return None;
        }
        let end = HEAD_BYTES + count * HASH_BYTES + packed_bytes(count, width);
        let stored = Fields(bytes.get(end..)?).u32()?;
        bytes.truncate(end);
        let tile = Self {
            base,
            width,
            count,
            bytes,
        };
        let intact = checksum(place, &tile.bytes) == stored;
        let inside = |position| tile.number(position) < rows;
        (intact && (0..count).all(inside)).then_some(tile)
    }

    /// How many sequences it has.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The leaf hash of the sequence at `position`.
    pub(super) fn hash(&self, position: usize) -> Hash {
        let start = HEAD_BYTES + position * HASH_BYTES;
        Hash(std::array::from_fn(|byte| self.bytes[start + byte]))
    }

    /// The number of the row with the sequence at `position`.
    pub(super) fn number(&self, position: usize) -> u64 {
        let packed = &self.bytes[HEAD_BYTES + self.count * HASH_BYTES..];
        self.base.saturating_add(unpack(packed, position, self.width))
    }
}
