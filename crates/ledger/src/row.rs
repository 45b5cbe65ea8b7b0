//! One stored event in the tail.

use bytes::Bytes;
use trailbook_event::{Part, Parts, Timestamp};
use trailbook_merkle::{Hash, LeafRecord, commitment, commitments, salt};

use crate::EventId;

/// Memory of a row beside its body: the row, its place in lists, its share of allocations. Measured with 200,000 rows.
pub(crate) const ROW_OVERHEAD_BYTES: usize = 240;

/// Where the salts of an event's parts come from. See docs/formats/event.md and docs/formats/ledger.md, "Redaction".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secrets {
    /// All salts derive from it.
    Nonce([u8; 16]),
    /// Parts were redacted: the nonce is gone, since the salts of what was removed would derive from it too.
    Redacted(Box<[PartSecret; 5]>),
}

/// What is kept of one part of an event of which parts were redacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartSecret {
    /// The part is there; its salt.
    Salt([u8; 32]),
    /// The part was removed; what its leaf commits to.
    Commitment(Hash),
}

/// A stored event: its canonical parts and the envelope around them.
///
/// Invariants
/// - `leaf_hash` is the RFC 9162 hash of [`Row::leaf_record`].
/// - A redacted part stands in `parts` in its empty form (docs/formats/ledger.md), so that readers need not know.
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
    /// Where the salts of its parts come from.
    pub secrets: Secrets,
    /// Its leaf in the ledger's tree.
    pub leaf_hash: Hash,
    /// The canonical bytes.
    pub parts: Parts<Bytes>,
}

impl PartSecret {
    /// The bytes of an event's five: for each a byte, 0 for a salt and 1 for a commitment, and its 32 bytes.
    pub(crate) fn encode(secrets: &[Self; 5]) -> Vec<u8> {
        let mut out = Vec::with_capacity(5 * 33);
        for secret in secrets {
            let (kind, bytes) = match secret {
                Self::Salt(salt) => (0, salt),
                Self::Commitment(kept) => (1, &kept.0),
            };
            out.push(kind);
            out.extend_from_slice(bytes);
        }
        out
    }

    /// An event's five from their bytes; `None` when they are not what [`PartSecret::encode`] writes.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Box<[Self; 5]>> {
        let (secrets, rest) = bytes.as_chunks::<33>();
        let secret = |secret: &[u8; 33]| {
            let mut bytes = [0; 32];
            bytes.copy_from_slice(&secret[1..]);
            match secret[0] {
                0 => Some(Self::Salt(bytes)),
                1 => Some(Self::Commitment(Hash(bytes))),
                _ => None,
            }
        };
        let secrets = secrets.iter().map(secret).collect::<Option<Vec<_>>>()?;
        let secrets: [Self; 5] = secrets.try_into().ok()?;
        rest.is_empty().then(|| Box::new(secrets))
    }
}

impl Row {
    /// Bytes that it takes in memory, estimated.
    pub(crate) fn memory(&self) -> usize {
        self.parts.bytes().len() + ROW_OVERHEAD_BYTES
    }

    /// The country as text.
    pub fn country(&self) -> Option<&str> {
        self.country.as_ref().and_then(|code| std::str::from_utf8(code).ok())
    }

    /// What opens one part's commitment: its salt, or the commitment itself when the part was redacted.
    pub fn secret(&self, part: Part) -> PartSecret {
        match &self.secrets {
            Secrets::Nonce(nonce) => PartSecret::Salt(salt(nonce, part.number())),
            Secrets::Redacted(kept) => kept[usize::from(part.number()) - 1],
        }
    }

    /// The commitments of its five parts: of redacted ones as kept, of the others computed from their bytes.
    pub fn commitments(&self) -> [Hash; 5] {
        match &self.secrets {
            Secrets::Nonce(nonce) => commitments(nonce, Part::ALL.map(|part| self.parts.part(part))),
            Secrets::Redacted(_) => Part::ALL.map(|part| match self.secret(part) {
                PartSecret::Salt(salt) => commitment(part.number(), &salt, self.parts.part(part)),
                PartSecret::Commitment(kept) => kept,
            }),
        }
    }

    /// The parts that were redacted, in their order.
    pub fn redacted(&self) -> Vec<Part> {
        let is_gone = |part: &Part| matches!(self.secret(*part), PartSecret::Commitment(_));
        match self.secrets {
            Secrets::Nonce(_) => Vec::new(),
            Secrets::Redacted(_) => Part::ALL.into_iter().filter(is_gone).collect(),
        }
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
