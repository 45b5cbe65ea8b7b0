//! The heads that a commit changed as one piece beside its events. See docs/formats/ledger.md, "heads".
//!
//! A commit of a few hundred events changes about as many heads, which lie on as many pages of their table; writing those pages
//! each time would be most of what a commit syncs.
//!
//! Invariant: a ledger's head is the newest of its row in the table and of the pieces of the commits after those rows were written.

use bytes::Bytes;

use super::{LedgerId, StoredHead};
use crate::frame::Reader;

/// Where a piece moves the head of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) ledger: LedgerId,
    pub(crate) epoch: u32,
    pub(crate) size: u64,
    pub(crate) received_at: i64,
    pub(crate) frontier: Vec<u8>,
}

impl Moved {
    /// Moves a head.
    pub(crate) fn apply(self, head: &mut StoredHead) {
        (head.epoch, head.size, head.received_at) = (self.epoch, self.size, self.received_at);
        head.frontier = self.frontier;
    }
}

/// Encodes the heads that a commit changed; names are elsewhere.
pub(crate) fn encode(heads: &[StoredHead]) -> Vec<u8> {
    let mut out = Vec::with_capacity(heads.iter().map(|head| 32 + head.frontier.len()).sum());
    for head in heads {
        out.extend_from_slice(&head.ledger.to_le_bytes());
        out.extend_from_slice(&head.epoch.to_le_bytes());
        out.extend_from_slice(&head.size.to_le_bytes());
        out.extend_from_slice(&head.received_at.to_le_bytes());
        out.extend_from_slice(&(head.frontier.len() as u32).to_le_bytes());
        out.extend_from_slice(&head.frontier);
    }
    out
}

/// Reads what [`encode`] wrote; `None` when it is malformed.
pub(crate) fn decode(piece: impl Into<Bytes>) -> Option<Vec<Moved>> {
    let (mut reader, mut moved) = (Reader::new(piece.into()), Vec::new());
    while !reader.is_empty() {
        let (ledger, epoch, size, received_at) = (reader.u64()?, reader.u32()?, reader.u64()?, reader.i64()?);
        let length = reader.u32()? as usize;
        let frontier = reader.bytes(length)?.to_vec();
        moved.push(Moved {
            ledger,
            epoch,
            size,
            received_at,
            frontier,
        });
    }
    Some(moved)
}

/// Brings heads in the order of their ledgers up by a piece; answers which it moved, or `None` when it is malformed or names an
/// unknown ledger.
pub(crate) fn bring_up(heads: &mut [StoredHead], piece: impl Into<Bytes>) -> Option<Vec<LedgerId>> {
    let mut ledgers = Vec::new();
    for moved in decode(piece)? {
        let position = heads.binary_search_by_key(&moved.ledger, |head| head.ledger).ok()?;
        ledgers.push(moved.ledger);
        moved.apply(&mut heads[position]);
    }
    Some(ledgers)
}
