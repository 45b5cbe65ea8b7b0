//! The leaf record: the small, fixed bytes that stand for an event in its ledger's tree. The ledger encodes one for every event;
//! whoever verifies decodes it. See docs/formats/tree.md, "Leaf record".

use crate::{Error, Hash, leaf_hash};

/// The length of an encoded leaf record.
pub const LEAF_RECORD_BYTES: usize = 214;

const DOMAIN: &[u8; 18] = b"trailbook/leaf/v1\0";

/// What a leaf says of its event. Nothing in it is derived from content without a salt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafRecord {
    /// The epoch in which the leaf was appended.
    pub epoch: u32,
    /// The event's sequence number, which is the leaf's index in the tree.
    pub sequence: u64,
    /// When the event was received, in milliseconds since 1970-01-01T00:00:00Z.
    pub received_at_millis: i64,
    /// The event's id, a UUID.
    pub id: [u8; 16],
    /// The commitments to the event's five parts, in their order.
    pub commitments: [Hash; 5],
}

impl LeafRecord {
    /// The record's bytes.
    pub fn encode(&self) -> [u8; LEAF_RECORD_BYTES] {
        let mut record = [0; LEAF_RECORD_BYTES];
        record[..18].copy_from_slice(DOMAIN);
        record[18..22].copy_from_slice(&self.epoch.to_be_bytes());
        record[22..30].copy_from_slice(&self.sequence.to_be_bytes());
        record[30..38].copy_from_slice(&self.received_at_millis.to_be_bytes());
        record[38..54].copy_from_slice(&self.id);
        for (slot, commitment) in record[54..].chunks_exact_mut(32).zip(&self.commitments) {
            slot.copy_from_slice(&commitment.0);
        }
        record
    }

    /// The record in `bytes`; [`Error::Invalid`] unless they are exactly what [`LeafRecord::encode`] writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let bytes: &[u8; LEAF_RECORD_BYTES] = bytes
            .try_into()
            .map_err(|_| Error::Invalid("leaf record is not 214 bytes long"))?;
        if !bytes.starts_with(DOMAIN) {
            return Err(Error::Invalid("leaf record does not begin with its domain"));
        }
        Ok(Self {
            epoch: u32::from_be_bytes(field(bytes, 18)),
            sequence: u64::from_be_bytes(field(bytes, 22)),
            received_at_millis: i64::from_be_bytes(field(bytes, 30)),
            id: field(bytes, 38),
            commitments: std::array::from_fn(|position| Hash(field(bytes, 54 + 32 * position))),
        })
    }

    /// The hash of the leaf in the tree.
    pub fn leaf_hash(&self) -> Hash {
        leaf_hash(&self.encode())
    }
}

/// The `N` bytes of a record that start at `offset`; the offsets are constants of the layout.
fn field<const N: usize>(record: &[u8; LEAF_RECORD_BYTES], offset: usize) -> [u8; N] {
    std::array::from_fn(|position| record[offset + position])
}
