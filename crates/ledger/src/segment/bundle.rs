//! The directories of the bundle: row groups, runs, a run's own, the footer. Their bytes, and nothing else.
//!
//! Invariant: what was decoded lies within the file, so that no length in a damaged file asks for more memory than it has.
//! See docs/formats/segment.md, "Bundle".

use trailbook_event::Timestamp;

use super::{BLOCK_ROWS, Run, bytes::Fields, tile::TILE_ROWS};
use crate::EventId;

/// Begins and ends a bundle.
pub(super) const MAGIC: [u8; 4] = *b"TBS1";
pub(super) const GROUP_BYTES: usize = 28;
pub(super) const RUN_BYTES: usize = 116;
pub(super) const BLOCK_BYTES: usize = 20;
pub(super) const TILE_OFFSET_BYTES: usize = 8;
pub(super) const FOOTER_BYTES: usize = 60;
const CHECKSUM_BYTES: usize = 4;

/// A row group of the Parquet file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) first_row: u64,
    pub(super) rows: u64,
    /// Where its page table is in the bundle.
    pub(super) table_offset: u64,
    pub(super) table_length: u32,
    pub(super) table_checksum: u32,
}

impl Group {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.first_row.to_le_bytes());
        out.extend_from_slice(&(self.rows as u32).to_le_bytes());
        out.extend_from_slice(&self.table_offset.to_le_bytes());
        out.extend_from_slice(&self.table_length.to_le_bytes());
        out.extend_from_slice(&self.table_checksum.to_le_bytes());
    }

    fn decode(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            first_row: fields.u64()?,
            rows: u64::from(fields.u32()?),
            table_offset: fields.u64()?,
            table_length: fields.u32()?,
            table_checksum: fields.u32()?,
        })
    }
}

/// What the last bytes of the bundle say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Footer {
    /// Length of the Parquet file.
    pub(super) data_bytes: u64,
    pub(super) rows: u64,
    pub(super) groups: u64,
    pub(super) groups_offset: u64,
    pub(super) runs: u64,
    pub(super) runs_offset: u64,
    pub(super) groups_checksum: u32,
}

impl Footer {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FOOTER_BYTES);
        for field in [
            self.data_bytes,
            self.rows,
            self.groups,
            self.groups_offset,
            self.runs,
            self.runs_offset,
        ] {
            out.extend_from_slice(&field.to_le_bytes());
        }
        out.extend_from_slice(&self.groups_checksum.to_le_bytes());
        seal(&mut out, 0);
        out.extend_from_slice(&MAGIC);
        out
    }

    /// The footer of a bundle of `length` bytes.
    pub(super) fn decode(bytes: &[u8], length: u64) -> Option<Self> {
        let mut fields = Fields(unseal(bytes.strip_suffix(&MAGIC)?)?);
        let footer = Self {
            data_bytes: fields.u64()?,
            rows: fields.u64()?,
            groups: fields.u64()?,
            groups_offset: fields.u64()?,
            runs: fields.u64()?,
            runs_offset: fields.u64()?,
            groups_checksum: fields.u32()?,
        };
        let after = |offset: u64, count: u64, bytes: usize| offset.checked_add(count.checked_mul(bytes as u64)?);
        let in_place = after(footer.groups_offset, footer.groups, GROUP_BYTES) == Some(footer.runs_offset)
            && after(footer.runs_offset, footer.runs, RUN_BYTES) == length.checked_sub(FOOTER_BYTES as u64);
        in_place.then_some(footer)
    }
}

/// The row groups from the bytes of their directory; `None` when they do not follow one another up to `rows`.
pub(super) fn decode_groups(bytes: &[u8], footer: &Footer) -> Option<Vec<Group>> {
    let mut fields = Fields(bytes);
    let mut next_row = 0_u64;
    let mut groups = Vec::new();
    while !fields.is_empty() {
        let group = Group::decode(&mut fields).filter(|group| group.first_row == next_row && group.rows > 0)?;
        next_row = next_row.checked_add(group.rows)?;
        groups.push(group);
    }
    let intact = crc32fast::hash(bytes) == footer.groups_checksum;
    (intact && next_row == footer.rows).then_some(groups)
}

impl Run {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        for field in [self.ledger, self.first_sequence, self.rows, self.first_row] {
            out.extend_from_slice(&field.to_le_bytes());
        }
        out.extend_from_slice(self.ids.0.bytes());
        out.extend_from_slice(self.ids.1.bytes());
        for time in [self.occurred.0, self.occurred.1, self.received.0, self.received.1] {
            out.extend_from_slice(&time.millis().to_le_bytes());
        }
        out.extend_from_slice(&self.security.to_le_bytes());
        out.extend_from_slice(&self.offset.to_le_bytes());
        seal(out, start);
    }

    /// A run from its entry; `None` when it is not intact or not within the segment.
    pub(super) fn decode(bytes: &[u8], footer: &Footer) -> Option<Self> {
        let mut fields = Fields(unseal(bytes)?);
        let time = |fields: &mut Fields<'_>| fields.i64().map(Timestamp::from_millis);
        let run = Self {
            ledger: fields.u64()?,
            first_sequence: fields.u64()?,
            rows: fields.u64()?,
            first_row: fields.u64()?,
            ids: (
                EventId::from_bytes(fields.array()?),
                EventId::from_bytes(fields.array()?),
            ),
            occurred: (time(&mut fields)?, time(&mut fields)?),
            received: (time(&mut fields)?, time(&mut fields)?),
            security: fields.u64()?,
            offset: fields.u64()?,
        };
        run.first_sequence.checked_add(run.rows)?;
        let inside = run.first_row.checked_add(run.rows)? <= footer.rows
            && run.offset.checked_add(run.directory_bytes())? <= footer.groups_offset;
        (inside && run.rows > 0).then_some(run)
    }

    pub(super) fn tiles(&self) -> u64 {
        self.rows.div_ceil(TILE_ROWS)
    }

    fn directory_bytes(&self) -> u64 {
        self.tiles() * TILE_OFFSET_BYTES as u64 + self.rows.div_ceil(BLOCK_ROWS as u64) * BLOCK_BYTES as u64
    }

    /// Where the entry of a block is.
    pub(super) fn block_offset(&self, block: usize) -> u64 {
        self.offset + self.tiles() * TILE_OFFSET_BYTES as u64 + (block * BLOCK_BYTES) as u64
    }
}

/// Where the index of a block is in the bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl Block {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
        seal(out, start);
    }

    pub(super) fn decode(bytes: &[u8], footer: &Footer) -> Option<Self> {
        let mut fields = Fields(unseal(bytes)?);
        let block = Self {
            offset: fields.u64()?,
            length: fields.u64()?,
        };
        (block.offset.checked_add(block.length)? <= footer.groups_offset).then_some(block)
    }
}

/// Appends the checksum of what `out` has from `start` on.
fn seal(out: &mut Vec<u8>, start: usize) {
    let checksum = crc32fast::hash(&out[start..]);
    out.extend_from_slice(&checksum.to_le_bytes());
}

/// What stands before a checksum, if it matches.
fn unseal(bytes: &[u8]) -> Option<&[u8]> {
    let (content, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
    (crc32fast::hash(content) == u32::from_le_bytes(*checksum)).then_some(content)
}
