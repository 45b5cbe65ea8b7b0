//! Texts that are nearly unique: of each 24 bits. Whether a text is the wanted one is for its column to say.

use super::{
    bytes::Reader,
    postings::{put_rows, read_rows},
};

const BYTES: usize = 3;

/// The fingerprints of one field.
#[derive(Debug, Default)]
pub(crate) struct Fingerprints {
    /// The rows that have a text.
    rows: Box<[u16]>,
    /// The fingerprints of their texts.
    prints: Box<[u32]>,
}

impl Fingerprints {
    /// The fingerprint of a text: the low 24 bits of the CRC-32 of its folded form.
    pub(crate) fn of(folded: &str) -> u32 {
        crc32fast::hash(folded.as_bytes()) & 0x00ff_ffff
    }

    /// Collects (row, fingerprint) in the order of the rows.
    pub(super) fn new(found: &[(u16, u32)]) -> Self {
        Self {
            rows: found.iter().map(|(row, _)| *row).collect(),
            prints: found.iter().map(|(_, print)| *print).collect(),
        }
    }

    /// The rows whose text may be one with this fingerprint.
    pub(crate) fn candidates(&self, print: u32) -> impl Iterator<Item = usize> {
        let met = self
            .prints
            .iter()
            .enumerate()
            .filter(move |(_, known)| **known == print);
        met.map(|(place, _)| usize::from(self.rows[place]))
    }

    pub(super) fn put(&self, out: &mut Vec<u8>, rows: usize) {
        put_rows(out, &self.rows, rows);
        for print in &self.prints {
            out.extend_from_slice(&print.to_le_bytes()[..BYTES]);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, rows: usize) -> Option<Self> {
        let mut having = Vec::new();
        read_rows(reader, rows, &mut having)?;
        let (prints, _) = reader.take(BYTES * having.len())?.as_chunks::<BYTES>();
        Some(Self {
            rows: having.into(),
            prints: prints
                .iter()
                .map(|[low, middle, high]| u32::from_le_bytes([*low, *middle, *high, 0]))
                .collect(),
        })
    }

    /// Bytes that they take in memory.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>() + 6 * self.rows.len()
    }
}
