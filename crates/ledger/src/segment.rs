//! Segments: sealed rows of many ledgers, immutable, in two objects: a Parquet file that other engines can read, and a
//! bundle beside it with what proofs and questions need. Written by seal, compact, expire and redact; read by questions,
//! proofs and `fsck`.
//!
//! Invariants
//! - A ledger's rows in a segment are one run: one interval of sequences, standing newest first by (`occurred_at`, sequence).
//! - A row that is handed out hashes to its leaf; anything else is [`crate::Error::Corrupt`].
//! - What is written never changes; the same rows give the same bytes.
//!
//! Not here: which segments there are (`manifest`), what the index says (`trailbook-query`, by way of [`Indexer`]).
//! See docs/formats/segment.md.

mod alone;
mod bundle;
mod bytes;
mod cells;
mod columns;
mod data;
mod decode;
mod files;
mod pages;
mod read;
mod scan;
mod tile;
mod write;

use std::ops::Range;

use trailbook_event::{Event, Timestamp};

pub(crate) use self::{alone::RowsAlone, columns::schema, files::Source, scan::Scan};
pub use self::{read::Segment, write::Writer};
use crate::{EventId, Row, database::LedgerId};

/// Most rows of an index block: row numbers in it are 16 bits.
pub const BLOCK_ROWS: usize = 1 << 15;

/// A row with its event, parsed.
#[derive(Debug)]
pub struct Parsed<'r> {
    /// The row.
    pub row: &'r Row,
    /// Its event.
    pub event: Event<'r>,
}

/// Makes the search index of sealed rows. The ledger keeps its bytes and does not look inside.
pub trait Indexer: Send + Sync + 'static {
    /// The index of 1 to [`BLOCK_ROWS`] rows of one ledger, newest first. The same rows give the same bytes.
    fn index(&self, rows: &[Parsed<'_>]) -> Vec<u8>;
}

/// One ledger's rows in a segment: an entry of the bundle's run directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Whose rows.
    pub ledger: LedgerId,
    /// The sequence of the oldest row in order of receipt; the run has `first_sequence..first_sequence + rows`.
    pub first_sequence: u64,
    /// How many rows.
    pub rows: u64,
    /// Where the newest row stands in the Parquet file.
    pub first_row: u64,
    /// Log IDs of the first and the last sequence.
    pub ids: (EventId, EventId),
    /// The oldest and newest `occurred_at`.
    pub occurred: (Timestamp, Timestamp),
    /// `received_at` of the first and the last sequence.
    pub received: (Timestamp, Timestamp),
    /// How many rows matter for security.
    pub security: u64,
    /// Where the run's own directory (of its blocks, permutation and leaf hashes) begins in the bundle.
    pub(crate) offset: u64,
}

impl Run {
    /// The sequences of its rows.
    pub fn sequences(&self) -> Range<u64> {
        self.first_sequence..self.first_sequence + self.rows
    }
}

/// Values of these columns can be read for given rows without reading the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextColumn {
    /// `trace_id`.
    TraceId,
    /// `client_id`.
    ClientId,
}

/// What was written: what the manifest says of the segment's contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Rows of all runs.
    pub events: u64,
    /// The first and the last ledger.
    pub ledgers: (LedgerId, LedgerId),
    /// The ledgers, in order.
    pub ledger_list: Vec<LedgerId>,
    /// The first and the last commit of the rows.
    pub commits: (u64, u64),
    /// The oldest and newest `occurred_at`.
    pub occurred: (Timestamp, Timestamp),
    /// The oldest and newest `received_at`.
    pub received: (Timestamp, Timestamp),
    /// Length and SHA-256 of the Parquet file.
    pub data: (u64, [u8; 32]),
    /// Length and SHA-256 of the bundle.
    pub bundle: (u64, [u8; 32]),
}

/// How hard the pages are compressed (zstd level): 3 when sealing, 6 when compacting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compression(pub i32);
