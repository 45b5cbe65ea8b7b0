//! One stored event in the tail.

use bytes::Bytes;
use trailbook_event::{Part, Parts, Timestamp};
use trailbook_merkle::{Hash, LeafRecord, commitments, salt};

use crate::EventId;

/// A stored event: its canonical parts and the envelope around them.
///
/// Invariant: `leaf_hash` is the RFC 9162 hash of [`Row::leaf_record`].
#[derive(Debug, Clone)]
pub struct Row {
    /// Position in the organization's ledger, from 0, without gaps.
    pub sequence: u64,
    /// The commit that made it durable.
    pub commit: u64,
    /// Its Log ID.
    pub id: EventId,
    /// The ledger's epoch when it was appended, from 1.
    pub epoch: u32,
    /// When it was received; never before its predecessor in the ledger.
    pub received_at: Timestamp,
    /// When it happened, as in the core part.
    pub occurred_at: Timestamp,
    /// ISO 3166-1 alpha-2 code of the address at admission, two upper-case letters.
    pub country: Option<[u8; 2]>,
    /// From which the salts of its parts are derived.
    pub nonce: [u8; 16],
    /// Its leaf in the ledger's tree.
    pub leaf_hash: Hash,
    /// The canonical bytes.
    pub parts: Parts<Bytes>,
}

impl Row {
    /// The country as text.
    pub fn country(&self) -> Option<&str> {
        self.country.as_ref().and_then(|code| std::str::from_utf8(code).ok())
    }

    /// The salt of one part.
    pub fn salt(&self, part: Part) -> [u8; 32] {
        salt(&self.nonce, part.number())
    }

    /// The commitments of its five parts.
    pub fn commitments(&self) -> [Hash; 5] {
        commitments(&self.nonce, Part::ALL.map(|part| self.parts.part(part)))
    }

    /// The leaf record that the ledger's tree commits to, computed from the stored parts.
    pub fn leaf_record(&self) -> LeafRecord {
        LeafRecord {
            epoch: self.epoch,
            sequence: self.sequence,
            received_at_millis: self.received_at.millis(),
            id: *self.id.bytes(),
            commitments: self.commitments(),
        }
    }
}
