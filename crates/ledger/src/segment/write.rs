//! Writing a segment: rows in, two files out.
//!
//! Invariants
//! - Memory is a block of rows, a row group of the Parquet file, 48 bytes for each row of the run at hand and 116 for each run.
//! - What does not rebuild to the same bytes, or not to its leaf, is refused: nothing is lost by taking an event apart.

use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    panic::resume_unwind,
    sync::Arc,
};

use parquet::errors::ParquetError;
use trailbook_event::{Event, Timestamp};
use trailbook_merkle::Hash;

use super::{
    BLOCK_ROWS, Compression, Contents, Indexer, Parsed, Run,
    bundle::{Block, Footer, Group, MAGIC},
    cells::Cells,
    data::{Data, WrittenGroup},
    files::HashedFile,
    tile::{self, Place, TILE_ROWS},
};
use crate::{Error, EventId, OrganizationKey, PartSecret, Row, Secrets, database::LedgerId};

/// A block of so many rows is indexed by a thread of its own while it is written.
const PARALLEL_FROM_ROWS: usize = 1_024;

/// Writes a segment; memory is bounded by a block of rows, a row group, and some 50 bytes for each row of a run.
pub struct Writer<'i> {
    indexer: &'i dyn Indexer,
    data: Data,
    bundle: BundleFile,
    run: Option<OpenRun>,
    next_row: u64,
    groups: Vec<Group>,
    runs: Vec<u8>,
    ledgers: Vec<LedgerId>,
    span: Option<Span>,
}

/// The bundle, and how long it is.
struct BundleFile {
    file: BufWriter<HashedFile>,
    length: u64,
}

/// The run at hand.
struct OpenRun {
    ledger: LedgerId,
    key: OrganizationKey,
    first_row: u64,
    /// Rows that are not yet indexed and written.
    block: Vec<Arc<Row>>,
    blocks: Vec<Block>,
    /// Sequence and leaf hash of each row, in the order of the rows.
    leaves: Vec<(u64, Hash)>,
    security: u64,
    /// The first and the last sequence, with id and time of receipt.
    ends: Option<(End, End)>,
    span: Option<Span>,
    last: Option<(Timestamp, u64)>,
}

/// The first or last row of a run in the order of receipt.
#[derive(Clone, Copy)]
struct End {
    sequence: u64,
    id: EventId,
    received_at: Timestamp,
}

/// From the least to the greatest of some rows.
#[derive(Clone, Copy)]
struct Span {
    commits: (u64, u64),
    occurred: (Timestamp, Timestamp),
    received: (Timestamp, Timestamp),
}

impl<'i> Writer<'i> {
    /// Begins a segment in two new files.
    ///
    /// # Errors
    /// [`Error::Storage`] when the files cannot be written.
    pub fn create(data: File, bundle: File, indexer: &'i dyn Indexer, compression: Compression) -> Result<Self, Error> {
        let mut bundle = BundleFile {
            file: BufWriter::new(HashedFile::new(bundle)),
            length: 0,
        };
        bundle.append(&MAGIC)?;
        Ok(Self {
            indexer,
            data: Data::create(data, compression).map_err(not_encoded)?,
            bundle,
            run: None,
            next_row: 0,
            groups: Vec::new(),
            runs: Vec::new(),
            ledgers: Vec::new(),
            span: None,
        })
    }

    /// Begins the run of the next ledger; ledgers ascend.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the ledger does not ascend, or the run before it has gaps; [`Error::Storage`].
    pub fn begin_run(&mut self, ledger: LedgerId, key: &OrganizationKey) -> Result<(), Error> {
        self.end_run()?;
        if self.ledgers.last().is_some_and(|last| *last >= ledger) {
            return Err(Error::corrupt(format!(
                "ledgers of a segment do not ascend: ledger={key}"
            )));
        }
        self.ledgers.push(ledger);
        self.run = Some(OpenRun {
            ledger,
            key: key.clone(),
            first_row: self.next_row,
            block: Vec::new(),
            blocks: Vec::new(),
            leaves: Vec::new(),
            security: 0,
            ends: None,
            span: None,
            last: None,
        });
        Ok(())
    }

    /// Adds the next older row of the run.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the event when it is out of order, or when a row of its block does not rebuild to its bytes
    /// and its leaf; [`Error::Storage`].
    pub fn push(&mut self, row: Arc<Row>) -> Result<(), Error> {
        let run = self
            .run
            .as_mut()
            .ok_or_else(|| Error::corrupt("a row before any run of a segment"))?;
        let place = (row.occurred_at, row.sequence);
        if run.last.is_some_and(|last| last <= place) {
            return Err(run.corrupt(&row, "is not older than the row before it"));
        }
        run.last = Some(place);
        run.note(&row);
        run.block.push(row);
        self.next_row += 1;
        if run.block.len() == BLOCK_ROWS {
            self.end_block()
        } else {
            Ok(())
        }
    }

    /// Indexes and writes the rows of the block at hand.
    fn end_block(&mut self) -> Result<(), Error> {
        let Some(run) = &mut self.run else { return Ok(()) };
        let block = std::mem::take(&mut run.block);
        let mut rows = Vec::with_capacity(block.len());
        for row in &block {
            let event = Event::parse(&row.parts).map_err(|error| run.corrupt(row, &error.to_string()))?;
            run.security += u64::from(event.security);
            rows.push(Parsed { row, event });
        }
        let (index, groups) = if rows.len() < PARALLEL_FROM_ROWS {
            (self.indexer.index(&rows), run.write_all(&rows, &mut self.data))
        } else {
            let (indexer, data) = (self.indexer, &mut self.data);
            std::thread::scope(|scope| {
                let index = scope.spawn(|| indexer.index(&rows));
                let groups = run.write_all(&rows, data);
                (index.join().unwrap_or_else(|panic| resume_unwind(panic)), groups)
            })
        };
        run.blocks.push(Block {
            offset: self.bundle.length,
            length: index.len() as u64,
        });
        self.bundle.append(&index)?;
        for group in groups? {
            self.groups.push(self.bundle.append_group(group, &self.groups)?);
        }
        Ok(())
    }

    fn end_run(&mut self) -> Result<(), Error> {
        if self.run.as_ref().is_some_and(|run| !run.block.is_empty()) {
            self.end_block()?;
        }
        let Some(run) = self.run.take() else { return Ok(()) };
        let (entry, span) = run.end(&mut self.bundle)?;
        entry.encode(&mut self.runs);
        self.span = Some(self.span.map_or(span, |all| all.with(&span)));
        Ok(())
    }

    /// Ends the segment, synced to disk.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the last run has gaps or there is none; [`Error::Storage`].
    pub fn finish(mut self) -> Result<Contents, Error> {
        self.end_run()?;
        if let Some(group) = self.data.end().map_err(not_encoded)? {
            self.groups.push(self.bundle.append_group(group, &self.groups)?);
        }
        let (Some(span), Some(first), Some(last)) = (self.span, self.ledgers.first(), self.ledgers.last()) else {
            return Err(Error::corrupt("a segment without rows"));
        };
        let ledgers = (*first, *last);
        let data = self.data.finish().map_err(not_encoded)?;
        let bundle = self.bundle.finish(
            data.0,
            self.next_row,
            &self.groups,
            &self.runs,
            self.ledgers.len() as u64,
        )?;
        Ok(Contents {
            events: self.next_row,
            ledgers,
            ledger_list: self.ledgers,
            commits: span.commits,
            occurred: span.occurred,
            received: span.received,
            data,
            bundle,
        })
    }
}

impl BundleFile {
    fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.length += bytes.len() as u64;
        self.file.write_all(bytes).map_err(not_written)
    }

    /// Writes the page table of a row group; answers the group's entry.
    fn append_group(&mut self, group: WrittenGroup, before: &[Group]) -> Result<Group, Error> {
        let table = group.table.encode();
        let entry = Group {
            first_row: before.last().map_or(0, |last| last.first_row + last.rows),
            rows: group.rows,
            table_offset: self.length,
            table_length: table.len() as u32,
            table_checksum: crc32fast::hash(&table),
        };
        self.append(&table)?;
        Ok(entry)
    }

    /// Writes the directories and the footer, and syncs.
    fn finish(
        mut self,
        data_bytes: u64,
        rows: u64,
        groups: &[Group],
        runs: &[u8],
        run_count: u64,
    ) -> Result<(u64, [u8; 32]), Error> {
        let mut directory = Vec::new();
        for group in groups {
            group.encode(&mut directory);
        }
        let footer = Footer {
            data_bytes,
            rows,
            groups: groups.len() as u64,
            groups_offset: self.length,
            runs: run_count,
            runs_offset: self.length + directory.len() as u64,
            groups_checksum: crc32fast::hash(&directory),
        };
        self.append(&directory)?;
        self.append(runs)?;
        self.append(&footer.encode())?;
        let file = self
            .file
            .into_inner()
            .map_err(|error| not_written(error.into_error()))?;
        file.finish().map_err(not_written)
    }
}

impl OpenRun {
    fn note(&mut self, row: &Row) {
        self.leaves.push((row.sequence, row.leaf_hash));
        let span = Span {
            commits: (row.commit, row.commit),
            occurred: (row.occurred_at, row.occurred_at),
            received: (row.received_at, row.received_at),
        };
        self.span = Some(self.span.map_or(span, |all| all.with(&span)));
        let end = End {
            sequence: row.sequence,
            id: row.id,
            received_at: row.received_at,
        };
        let (first, last) = self.ends.get_or_insert((end, end));
        if end.sequence < first.sequence {
            *first = end;
        }
        if end.sequence > last.sequence {
            *last = end;
        }
    }

    /// Writes rows; answers the row groups that ended with one of them.
    fn write_all(&self, rows: &[Parsed<'_>], data: &mut Data) -> Result<Vec<WrittenGroup>, Error> {
        let written = rows.iter().map(|parsed| self.write(parsed, data));
        written.filter_map(Result::transpose).collect()
    }

    /// Writes a row once it is sure that the same row can be rebuilt.
    fn write(&self, parsed: &Parsed<'_>, data: &mut Data) -> Result<Option<WrittenGroup>, Error> {
        let row = parsed.row;
        let redaction = match &row.secrets {
            Secrets::Nonce(_) => None,
            Secrets::Redacted(secrets) => Some(PartSecret::encode(secrets)),
        };
        let cells = Cells::of(row, &parsed.event, &self.key, redaction.as_deref());
        let rebuilt = cells
            .row()
            .ok_or_else(|| self.corrupt(row, "cannot be kept in columns"))?;
        if *parsed.event.organization != *self.key.organization() {
            return Err(self.corrupt(row, "names another organization"));
        }
        if rebuilt.parts != row.parts {
            return Err(self.corrupt(row, "cannot be rebuilt from columns byte for byte"));
        }
        if rebuilt.leaf_hash != row.leaf_hash {
            return Err(self.corrupt(row, "does not hash to its leaf"));
        }
        data.push(&cells, row.parts.bytes().len()).map_err(not_encoded)
    }

    /// Writes tiles and directory; answers the run's entry.
    fn end(self, bundle: &mut BundleFile) -> Result<(Run, Span), Error> {
        let (Some((first, last)), Some(span)) = (self.ends, self.span) else {
            return Err(Error::corrupt(format!(
                "a run of a segment has no rows: ledger={}",
                self.key
            )));
        };
        let (hashes, numbers) = self.in_sequence(first.sequence, last.sequence)?;
        let mut directory = Vec::new();
        let tiles = hashes
            .chunks(TILE_ROWS as usize)
            .zip(numbers.chunks(TILE_ROWS as usize));
        for ((hashes, numbers), tile) in tiles.zip(0..) {
            let place = Place {
                ledger: self.ledger,
                first_sequence: first.sequence + tile * TILE_ROWS,
            };
            directory.extend_from_slice(&bundle.length.to_le_bytes());
            bundle.append(&tile::encode(place, hashes, numbers))?;
        }
        for block in &self.blocks {
            block.encode(&mut directory);
        }
        let entry = Run {
            ledger: self.ledger,
            first_sequence: first.sequence,
            rows: self.leaves.len() as u64,
            first_row: self.first_row,
            ids: (first.id, last.id),
            occurred: span.occurred,
            received: (first.received_at, last.received_at),
            security: self.security,
            offset: bundle.length,
        };
        bundle.append(&directory)?;
        Ok((entry, span))
    }

    /// Leaf hashes and row numbers in the order of the sequences, of which none is missing or there twice.
    fn in_sequence(&self, first: u64, last: u64) -> Result<(Vec<Hash>, Vec<u64>), Error> {
        const NONE: u64 = u64::MAX;
        let gap = || {
            Error::corrupt(format!(
                "a run of a segment has gaps: ledger={} sequences={first}..={last}",
                self.key
            ))
        };
        let rows = self.leaves.len();
        if last - first != rows as u64 - 1 {
            return Err(gap());
        }
        let (mut hashes, mut numbers) = (vec![Hash([0; 32]); rows], vec![NONE; rows]);
        for (number, (sequence, hash)) in (0..).zip(&self.leaves) {
            let position = (sequence - first) as usize;
            hashes[position] = *hash;
            numbers[position] = number;
        }
        if numbers.contains(&NONE) {
            return Err(gap());
        }
        Ok((hashes, numbers))
    }

    fn corrupt(&self, row: &Row, what: &str) -> Error {
        Error::corrupt(format!(
            "an event {what}: organization={} sequence={} id={}; run `trailbook fsck`",
            self.key, row.sequence, row.id
        ))
    }
}

impl Span {
    fn with(&self, other: &Self) -> Self {
        Self {
            commits: (self.commits.0.min(other.commits.0), self.commits.1.max(other.commits.1)),
            occurred: (
                self.occurred.0.min(other.occurred.0),
                self.occurred.1.max(other.occurred.1),
            ),
            received: (
                self.received.0.min(other.received.0),
                self.received.1.max(other.received.1),
            ),
        }
    }
}

fn not_written(error: io::Error) -> Error {
    Error::storage("write segment", error)
}

fn not_encoded(error: ParquetError) -> Error {
    Error::storage("write segment", error)
}
