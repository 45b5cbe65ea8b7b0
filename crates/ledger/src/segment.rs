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

mod bundle;
mod columns;
mod read;
mod write;

use std::{ops::Range, path::Path};

use trailbook_event::{Event, Timestamp};
use trailbook_merkle::Hash;

pub use self::write::Writer;
use self::{
    bundle::{Bundle, PIECE},
    columns::Id,
    read::Data,
    write::Hashing,
};
use crate::{Error, EventId, Row, database::LedgerId};

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

impl Contents {
    fn nothing() -> Self {
        Self {
            events: 0,
            ledgers: (0, 0),
            ledger_list: Vec::new(),
            commits: (u64::MAX, 0),
            occurred: NOTHING,
            received: NOTHING,
            data: (0, [0; 32]),
            bundle: (0, [0; 32]),
        }
    }

    fn meet(&mut self, row: &Row) {
        self.events += 1;
        self.commits = (self.commits.0.min(row.commit), self.commits.1.max(row.commit));
        widen(&mut self.occurred, row.occurred_at);
        widen(&mut self.received, row.received_at);
    }
}

impl Run {
    fn nothing(ledger: LedgerId, first_row: u64) -> Self {
        Self {
            ledger,
            first_sequence: u64::MAX,
            rows: 0,
            first_row,
            ids: (EventId::from_bytes([0xff; 16]), EventId::from_bytes([0; 16])),
            occurred: NOTHING,
            received: NOTHING,
            security: 0,
            offset: 0,
        }
    }

    fn meet(&mut self, row: &Row) {
        self.rows += 1;
        self.first_sequence = self.first_sequence.min(row.sequence);
        self.ids = (self.ids.0.min(row.id), self.ids.1.max(row.id));
        widen(&mut self.occurred, row.occurred_at);
        widen(&mut self.received, row.received_at);
    }
}

/// A range of times before any is met.
const NOTHING: (Timestamp, Timestamp) = (Timestamp::from_millis(i64::MAX), Timestamp::from_millis(i64::MIN));

fn widen(range: &mut (Timestamp, Timestamp), time: Timestamp) {
    *range = (range.0.min(time), range.1.max(time));
}

/// How hard the pages are compressed, as a level of zstd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compression(pub i32);

/// An open segment. Cheap to share; every method reads with its own position.
#[derive(Debug)]
pub struct Segment {
    data: Data,
    bundle: Bundle,
}

impl Segment {
    /// Opens both files and reads their footers.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file when it is not what [`Writer`] wrote; [`Error::Storage`]. So do all methods.
    pub fn open(data: &Path, bundle: &Path) -> Result<Self, Error> {
        Ok(Self {
            data: Data::open(data.to_owned())?,
            bundle: Bundle::open(bundle.to_owned())?,
        })
    }

    /// Rows of all runs.
    pub fn events(&self) -> u64 {
        self.data.rows_in_all()
    }

    /// The run of a ledger, if it has one here.
    pub fn run(&self, ledger: LedgerId) -> Result<Option<Run>, Error> {
        self.bundle.run(ledger)
    }

    /// All runs, in the order of their ledgers.
    pub fn runs(&self) -> Result<Vec<Run>, Error> {
        self.bundle.runs()
    }

    /// Rows by their numbers in the run (0 is the newest), ascending; answered in that order. Each is checked against its leaf.
    pub fn rows(&self, run: &Run, numbers: &[u64]) -> Result<Vec<Row>, Error> {
        let places = self.places(run, numbers)?;
        let sequences = self.data.integers(Id::Sequence, &places)?;
        let leaves = self.leaves_of(run, &sequences)?;
        let rows = self.data.rows(&places, &leaves)?;
        for row in &rows {
            if row.leaf_record().leaf_hash() != row.leaf_hash {
                return Err(self.data.corrupt(&format!(
                    "event {} (sequence {} of ledger {}) does not hash to its leaf",
                    row.id, row.sequence, run.ledger
                )));
            }
        }
        if rows.len() == numbers.len() {
            Ok(rows)
        } else {
            Err(self.data.corrupt(&"rows are missing"))
        }
    }

    /// The leaf hashes of sequences in any order.
    fn leaves_of(&self, run: &Run, sequences: &[i64]) -> Result<Vec<Hash>, Error> {
        let mut sorted: Vec<(u64, usize)> = Vec::with_capacity(sequences.len());
        for (place, sequence) in sequences.iter().enumerate() {
            let sequence = u64::try_from(*sequence)
                .ok()
                .filter(|sequence| run.sequences().contains(sequence));
            let damaged = || {
                self.data
                    .corrupt(&format!("a sequence of ledger {} is damaged", run.ledger))
            };
            sorted.push((sequence.ok_or_else(damaged)?, place));
        }
        sorted.sort_unstable();
        let mut leaves = vec![Hash([0; 32]); sequences.len()];
        let mut known: (Range<u64>, Vec<Hash>) = (0..0, Vec::new());
        for (sequence, place) in sorted {
            if !known.0.contains(&sequence) {
                let piece = (sequence - run.first_sequence) / PIECE;
                let first = run.first_sequence + piece * PIECE;
                let range = first..(first + PIECE).min(run.sequences().end);
                known = (range.clone(), self.bundle.leaf_hashes(run, range)?);
            }
            leaves[place] = known.1[(sequence - known.0.start) as usize];
        }
        Ok(leaves)
    }

    /// Where rows of a run stand in the file.
    fn places(&self, run: &Run, numbers: &[u64]) -> Result<Vec<u64>, Error> {
        let ascending = numbers.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || numbers.last().is_some_and(|last| *last >= run.rows) {
            return Err(self
                .data
                .corrupt(&format!("rows are asked for that ledger {} does not have", run.ledger)));
        }
        Ok(numbers.iter().map(|number| run.first_row + number).collect())
    }

    fn places_between(&self, run: &Run, numbers: Range<u64>) -> Result<Vec<u64>, Error> {
        self.places(run, &numbers.collect::<Vec<_>>())
    }

    /// `occurred_at` of some rows of the run, in milliseconds. Unlike rows they are not checked.
    pub fn times(&self, run: &Run, numbers: Range<u64>) -> Result<Vec<i64>, Error> {
        self.data.integers(Id::OccurredAt, &self.places_between(run, numbers)?)
    }

    /// Sequences of some rows of the run. Unlike rows they are not checked.
    pub fn sequences(&self, run: &Run, numbers: Range<u64>) -> Result<Vec<u64>, Error> {
        let sequences = self.data.integers(Id::Sequence, &self.places_between(run, numbers)?)?;
        Ok(sequences.into_iter().map(|sequence| sequence as u64).collect())
    }

    /// The numbers of the rows with these sequences, which the run has: the permutation.
    pub fn numbers(&self, run: &Run, sequences: Range<u64>) -> Result<Vec<u64>, Error> {
        self.check_has(run, &sequences)?;
        self.bundle.numbers(run, sequences)
    }

    fn check_has(&self, run: &Run, sequences: &Range<u64>) -> Result<(), Error> {
        let own = run.sequences();
        if sequences.is_empty() || own.start <= sequences.start && sequences.end <= own.end {
            Ok(())
        } else {
            Err(self.data.corrupt(&format!(
                "it does not have sequences {sequences:?} of ledger {}",
                run.ledger
            )))
        }
    }

    /// Texts of rows in a column, with `None` where it is unset; numbers ascend. Unlike rows they are not checked.
    pub fn texts(&self, run: &Run, column: TextColumn, numbers: &[u64]) -> Result<Vec<Option<String>>, Error> {
        let id = match column {
            TextColumn::TraceId => Id::TraceId,
            TextColumn::ClientId => Id::ClientId,
        };
        self.data.texts(id, &self.places(run, numbers)?)
    }

    /// `received_at` of one row.
    pub fn received_at(&self, run: &Run, number: u64) -> Result<Timestamp, Error> {
        let found = self.data.integers(Id::ReceivedAt, &self.places(run, &[number])?)?;
        let millis = found.first().ok_or_else(|| self.data.corrupt(&"a row is missing"))?;
        Ok(Timestamp::from_millis(*millis))
    }

    /// The Log ID of one row.
    pub fn id(&self, run: &Run, number: u64) -> Result<EventId, Error> {
        let found = self.data.fixed(Id::Id, &self.places(run, &[number])?)?;
        let bytes = found.first().and_then(|id| <[u8; 16]>::try_from(id.data()).ok());
        bytes
            .map(EventId::from_bytes)
            .ok_or_else(|| self.data.corrupt(&"a Log ID is damaged"))
    }

    /// Leaf hashes of sequences of the run.
    pub fn leaf_hashes(&self, run: &Run, sequences: Range<u64>) -> Result<Vec<Hash>, Error> {
        self.check_has(run, &sequences)?;
        self.bundle.leaf_hashes(run, sequences)
    }

    /// How many index blocks the run has: block `b` covers the rows from `b` × [`BLOCK_ROWS`] on.
    pub fn blocks(&self, run: &Run) -> usize {
        run.rows.div_ceil(BLOCK_ROWS as u64) as usize
    }

    /// Where a block's index is in the bundle; for [`Segment::index_bytes`].
    pub fn index_block(&self, run: &Run, block: usize) -> Result<Range<u64>, Error> {
        self.bundle.index_block(run, block)
    }

    /// Bytes of the bundle inside a block's index, as [`Indexer::index`] made them. They are not checked: whoever reads them has
    /// checksums inside.
    pub fn index_bytes(&self, range: Range<u64>) -> Result<Vec<u8>, Error> {
        self.bundle.index_bytes(range)
    }
}
