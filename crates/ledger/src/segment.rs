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

use std::{fs::File, ops::Range, path::Path, sync::Arc};

use trailbook_event::{Event, Timestamp};
use trailbook_merkle::Hash;

use crate::{Error, EventId, OrganizationKey, Row, database::LedgerId};

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

/// Writes a segment; memory is bounded by a row group.
pub struct Writer<'i> {
    indexer: &'i dyn Indexer,
}

impl<'i> Writer<'i> {
    /// Begins a segment in two new files.
    pub fn create(data: File, bundle: File, indexer: &'i dyn Indexer, compression: Compression) -> Result<Self, Error> {
        let _ = (data, bundle, compression);
        Ok(Self { indexer })
    }

    /// Begins the run of the next ledger; ledgers ascend.
    pub fn begin_run(&mut self, ledger: LedgerId, key: &OrganizationKey) -> Result<(), Error> {
        let _ = (ledger, key, self.indexer);
        unimplemented!()
    }

    /// Adds the next older row of the run.
    pub fn push(&mut self, row: Arc<Row>) -> Result<(), Error> {
        let _ = row;
        unimplemented!()
    }

    /// Ends the segment, synced to disk.
    pub fn finish(self) -> Result<Contents, Error> {
        unimplemented!()
    }
}

/// An open segment. Cheap to share; every method reads with its own position.
#[derive(Debug)]
pub struct Segment {}

impl Segment {
    /// Opens both files and reads the footers.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file when it is not what [`Writer`] wrote.
    pub fn open(data: &Path, bundle: &Path) -> Result<Self, Error> {
        let _ = (data, bundle);
        unimplemented!()
    }

    /// The run of a ledger, if it has one here.
    pub fn run(&self, ledger: LedgerId) -> Result<Option<Run>, Error> {
        let _ = ledger;
        unimplemented!()
    }

    /// All runs, in the order of their ledgers.
    pub fn runs(&self) -> Result<Vec<Run>, Error> {
        unimplemented!()
    }

    /// Rows by their numbers in the run (0 is the newest), ascending; answered in that order. Each is checked against its leaf.
    pub fn rows(&self, run: &Run, numbers: &[u64]) -> Result<Vec<Row>, Error> {
        let _ = (run, numbers);
        unimplemented!()
    }

    /// `occurred_at` of some rows of the run, in milliseconds.
    pub fn times(&self, run: &Run, numbers: Range<u64>) -> Result<Vec<i64>, Error> {
        let _ = (run, numbers);
        unimplemented!()
    }

    /// Sequences of some rows of the run.
    pub fn sequences(&self, run: &Run, numbers: Range<u64>) -> Result<Vec<u64>, Error> {
        let _ = (run, numbers);
        unimplemented!()
    }

    /// The numbers of the rows with these sequences: the permutation.
    pub fn numbers(&self, run: &Run, sequences: Range<u64>) -> Result<Vec<u64>, Error> {
        let _ = (run, sequences);
        unimplemented!()
    }

    /// Texts of rows in a column, with `None` where it is unset; numbers ascend.
    pub fn texts(&self, run: &Run, column: TextColumn, numbers: &[u64]) -> Result<Vec<Option<String>>, Error> {
        let _ = (run, column, numbers);
        unimplemented!()
    }

    /// `received_at` of one row.
    pub fn received_at(&self, run: &Run, number: u64) -> Result<Timestamp, Error> {
        let _ = (run, number);
        unimplemented!()
    }

    /// The Log ID of one row.
    pub fn id(&self, run: &Run, number: u64) -> Result<EventId, Error> {
        let _ = (run, number);
        unimplemented!()
    }

    /// Leaf hashes of sequences of the run.
    pub fn leaf_hashes(&self, run: &Run, sequences: Range<u64>) -> Result<Vec<Hash>, Error> {
        let _ = (run, sequences);
        unimplemented!()
    }

    /// How many index blocks the run has: block `b` covers rows `b * BLOCK_ROWS ..`.
    pub fn blocks(&self, run: &Run) -> usize {
        run.rows.div_ceil(BLOCK_ROWS as u64) as usize
    }

    /// How long a block's index is.
    pub fn index_length(&self, run: &Run, block: usize) -> Result<u64, Error> {
        let _ = (run, block);
        unimplemented!()
    }

    /// Bytes of a block's index, as [`Indexer::index`] made them. They are not checked: whoever reads them has checksums inside.
    pub fn index_bytes(&self, run: &Run, block: usize, range: Range<u64>) -> Result<Vec<u8>, Error> {
        let _ = (run, block, range);
        unimplemented!()
    }
}
