//! Reading a segment: runs by ledger, rows and single values by number, leaf hashes and numbers by sequence.
//!
//! Invariants
//! - What is answered was held against a checksum, and rows against their leaf as well.
//! - An open segment holds its row groups' entries and one page table; everything else is read when it is asked for.
//!
//! Numbers and sequences that are not the run's are bugs of the caller.

use std::{
    collections::HashMap,
    ops::Range,
    path::Path,
    sync::{Arc, Mutex},
};

use trailbook_event::Timestamp;
use trailbook_merkle::Hash;

use super::{
    BLOCK_ROWS, Run, TextColumn,
    bundle::{
        BLOCK_BYTES, Block, FOOTER_BYTES, Footer, GROUP_BYTES, Group, MAGIC, RUN_BYTES, TILE_OFFSET_BYTES,
        decode_groups,
    },
    bytes::Fields,
    cells::Cells,
    columns::Column,
    decode::{self, Values},
    files::Source,
    pages::PageTable,
    tile::{self, Place, TILE_ROWS, Tile},
};
use crate::{Error, EventId, Row, database::LedgerId, objects::ObjectFile};

/// Begins and ends a Parquet file.
const PARQUET_MAGIC: [u8; 4] = *b"PAR1";

/// An open segment. Cheap to share; every method reads with its own position.
#[derive(Debug)]
pub struct Segment {
    data: Source,
    bundle: Source,
    footer: Footer,
    groups: Vec<Group>,
    /// The page table that was used last, and its row group: most reads follow one another.
    table: Mutex<Option<(usize, Arc<PageTable>)>>,
}

/// Rows of one row group: which group, and the rows counted from its first.
struct Portion {
    group: usize,
    rows: Vec<u64>,
}

impl Segment {
    /// Opens both files and reads the footers.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file when it is not what [`super::Writer`] wrote; [`Error::Storage`] when it cannot be read.
    pub fn open(data: &Path, bundle: &Path) -> Result<Self, Error> {
        let open = |path: &Path| (ObjectFile::open(path), path.display().to_string());
        let (data, data_name) = open(data);
        let (bundle, bundle_name) = open(bundle);
        Self::of(Source::data(data, &data_name)?, Source::bundle(bundle, &bundle_name)?)
    }

    /// As [`Self::open`], of files that are open.
    pub(crate) fn of(data: Source, bundle: Source) -> Result<Self, Error> {
        let magic_length = PARQUET_MAGIC.len();
        let ends = |file: &Source, last: usize| {
            let length = file.length();
            vec![
                0..length.min(magic_length as u64),
                length.saturating_sub(last as u64)..length,
            ]
        };
        data.prefetch(|| ends(&data, magic_length));
        bundle.prefetch(|| ends(&bundle, FOOTER_BYTES));
        let not_a_bundle = || bundle.corrupt("it is not the bundle of a segment, or was cut");
        let footer_offset = bundle
            .length()
            .checked_sub(FOOTER_BYTES as u64)
            .ok_or_else(not_a_bundle)?;
        let footer = bundle.understood(footer_offset, FOOTER_BYTES, |bytes| {
            Footer::decode(&bytes, bundle.length())
        })?;
        let begins = is_at(&bundle, 0, MAGIC)?;
        let footer = footer.filter(|_| begins).ok_or_else(not_a_bundle)?;
        let groups_bytes = footer.groups as usize * GROUP_BYTES;
        let groups = bundle.understood(footer.groups_offset, groups_bytes, |bytes| {
            decode_groups(&bytes, &footer)
        })?;
        let groups = groups.ok_or_else(|| bundle.corrupt("its directory of row groups is damaged"))?;
        let last = data.length().saturating_sub(magic_length as u64);
        let is_parquet =
            data.length() == footer.data_bytes && is_at(&data, 0, PARQUET_MAGIC)? && is_at(&data, last, PARQUET_MAGIC)?;
        if !is_parquet {
            return Err(data.corrupt("it is not the Parquet file that its bundle describes, or was cut"));
        }
        Ok(Self {
            data,
            bundle,
            footer,
            groups,
            table: Mutex::new(None),
        })
    }

    /// The run of a ledger, if it has one here.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file; [`Error::Storage`].
    pub fn run(&self, ledger: LedgerId) -> Result<Option<Run>, Error> {
        let mut range = 0..self.footer.runs;
        while !range.is_empty() {
            let middle = range.start + (range.end - range.start) / 2;
            let offset = self.footer.runs_offset + middle * RUN_BYTES as u64;
            let run = self
                .bundle
                .understood(offset, RUN_BYTES, |bytes| Run::decode(&bytes, &self.footer))?;
            let run = run.ok_or_else(|| self.no_runs())?;
            match run.ledger.cmp(&ledger) {
                std::cmp::Ordering::Less => range.start = middle + 1,
                std::cmp::Ordering::Equal => return Ok(Some(run)),
                std::cmp::Ordering::Greater => range.end = middle,
            }
        }
        Ok(None)
    }

    /// All runs, in the order of their ledgers.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file; [`Error::Storage`].
    pub fn runs(&self) -> Result<Vec<Run>, Error> {
        let length = self.footer.runs as usize * RUN_BYTES;
        let runs = self.bundle.understood(self.footer.runs_offset, length, |bytes| {
            let runs = bytes.chunks_exact(RUN_BYTES);
            runs.map(|entry| Run::decode(entry, &self.footer))
                .collect::<Option<_>>()
        })?;
        runs.ok_or_else(|| self.no_runs())
    }

    fn no_runs(&self) -> Error {
        self.bundle.corrupt("its directory of runs is damaged")
    }

    /// Rows by their numbers in the run (0 is the newest), ascending; answered in that order. Each is checked against its leaf.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming file, ledger and event; [`Error::Storage`].
    pub fn rows(&self, run: &Run, numbers: &[u64]) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::with_capacity(numbers.len());
        let mut tiles = HashMap::new();
        for portion in self.portions(run, numbers) {
            for row in self.read_rows(portion.group, &portion.rows)? {
                let number = numbers[rows.len()];
                let row = row.ok_or_else(|| self.malformed(run, number))?;
                self.check(run, number, &row, &mut tiles)?;
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// Rows of a row group, unchecked; `None` for one that is malformed.
    pub(super) fn read_rows(&self, group: usize, rows: &[u64]) -> Result<Vec<Option<Row>>, Error> {
        let table = self.table(group)?;
        // Which project a row belongs to is for other engines: the run's ledger says it here.
        let columns = Column::ALL.into_iter().filter(|column| *column != Column::Project);
        self.data.prefetch(|| {
            let places = |column| decode::places(table.column(column), rows);
            columns.clone().flat_map(places).collect()
        });
        let read = |column: Column| Ok((column, decode::read(&self.data, column, table.column(column), rows)?));
        let columns = columns.map(read).collect::<Result<Vec<_>, Error>>()?;
        Ok((0..rows.len())
            .map(|position| cells(&columns, position).row())
            .collect())
    }

    pub(super) fn malformed(&self, run: &Run, number: u64) -> Error {
        self.damaged(run, format_args!("a row is malformed: number={number}"))
    }

    /// The first row of each row group, and how many it has.
    pub(super) fn groups(&self) -> impl Iterator<Item = (u64, u64)> {
        self.groups.iter().map(|group| (group.first_row, group.rows))
    }

    /// Holds a row against its leaf and its number.
    pub(super) fn check(&self, run: &Run, number: u64, row: &Row, tiles: &mut HashMap<u64, Tile>) -> Result<(), Error> {
        let damaged = || {
            let (sequence, id) = (row.sequence, row.id);
            self.damaged(
                run,
                format_args!("an event does not match its leaf: number={number} sequence={sequence} id={id}"),
            )
        };
        if !run.sequences().contains(&row.sequence) {
            return Err(damaged());
        }
        let offset = row.sequence - run.first_sequence;
        let tile = match tiles.entry(offset / TILE_ROWS) {
            std::collections::hash_map::Entry::Occupied(tile) => tile.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => place.insert(self.tile(run, offset / TILE_ROWS)?),
        };
        let position = (offset % TILE_ROWS) as usize;
        if tile.hash(position) == row.leaf_hash && tile.number(position) == number {
            Ok(())
        } else {
            Err(damaged())
        }
    }

    fn damaged(&self, run: &Run, what: std::fmt::Arguments<'_>) -> Error {
        self.data.corrupt(format_args!("{what} ledger={}", run.ledger))
    }

    /// `occurred_at` of some rows of the run, in milliseconds.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file; [`Error::Storage`].
    pub fn times(&self, run: &Run, numbers: Range<u64>) -> Result<Vec<i64>, Error> {
        self.numbers_of(run, Column::OccurredAt, &numbers.collect::<Vec<_>>())
    }

    /// Sequences of some rows of the run.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file; [`Error::Storage`].
    pub fn sequences(&self, run: &Run, numbers: Range<u64>) -> Result<Vec<u64>, Error> {
        let sequences = self.numbers_of(run, Column::Sequence, &numbers.collect::<Vec<_>>())?;
        let inside = |sequence: i64| {
            u64::try_from(sequence)
                .ok()
                .filter(|sequence| run.sequences().contains(sequence))
        };
        let sequences = sequences.into_iter().map(inside).collect::<Option<_>>();
        sequences.ok_or_else(|| self.damaged(run, format_args!("a row has a sequence that its run has not")))
    }

    /// The numbers of the rows with these sequences: the permutation.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file; [`Error::Storage`].
    pub fn numbers(&self, run: &Run, sequences: Range<u64>) -> Result<Vec<u64>, Error> {
        self.of_tiles(run, sequences, Tile::number)
    }

    /// Texts of rows in a column, with `None` where it is unset; numbers ascend.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file; [`Error::Storage`].
    pub fn texts(&self, run: &Run, column: TextColumn, numbers: &[u64]) -> Result<Vec<Option<String>>, Error> {
        let column = match column {
            TextColumn::TraceId => Column::TraceId,
            TextColumn::ClientId => Column::ClientId,
        };
        let text = |bytes: Option<Vec<u8>>| bytes.map(String::from_utf8).transpose();
        let texts = self
            .bytes_of(run, column, numbers)?
            .into_iter()
            .map(text)
            .collect::<Result<_, _>>();
        texts.map_err(|error| {
            self.damaged(
                run,
                format_args!("a text is not UTF-8: {error} column={}", column.name()),
            )
        })
    }

    /// `received_at` of one row.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file; [`Error::Storage`].
    pub fn received_at(&self, run: &Run, number: u64) -> Result<Timestamp, Error> {
        let times = self.numbers_of(run, Column::ReceivedAt, &[number])?;
        Ok(Timestamp::from_millis(times[0]))
    }

    /// The Log ID of one row.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file; [`Error::Storage`].
    pub fn id(&self, run: &Run, number: u64) -> Result<EventId, Error> {
        let id = self.bytes_of(run, Column::Id, &[number])?.pop().flatten();
        let id = id.and_then(|bytes| bytes.try_into().ok());
        id.map(EventId::from_bytes)
            .ok_or_else(|| self.damaged(run, format_args!("a row has no id: number={number}")))
    }

    /// Leaf hashes of sequences of the run.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file; [`Error::Storage`].
    pub fn leaf_hashes(&self, run: &Run, sequences: Range<u64>) -> Result<Vec<Hash>, Error> {
        self.of_tiles(run, sequences, Tile::hash)
    }

    /// How many index blocks the run has: block `b` covers rows `b * BLOCK_ROWS ..`.
    pub fn blocks(&self, run: &Run) -> usize {
        run.rows.div_ceil(BLOCK_ROWS as u64) as usize
    }

    /// How long a block's index is.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file; [`Error::Storage`].
    pub fn index_length(&self, run: &Run, block: usize) -> Result<u64, Error> {
        Ok(self.block(run, block)?.length)
    }

    /// Bytes of a block's index, as [`super::Indexer::index`] made them. They are not checked: whoever reads them has
    /// checksums inside.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file; [`Error::Storage`].
    pub fn index_bytes(&self, run: &Run, block: usize, range: Range<u64>) -> Result<Vec<u8>, Error> {
        let place = self.index_place(run, block, &range)?;
        self.bundle.read(place, (range.end - range.start) as usize)
    }

    /// What `understand` makes of bytes of a block's index; `None` when it makes nothing of them. A copy of a remote object that is
    /// damaged is fetched once more before that is said.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the file; [`Error::Storage`].
    pub fn index<T>(
        &self,
        run: &Run,
        block: usize,
        range: Range<u64>,
        understand: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let place = self.index_place(run, block, &range)?;
        self.bundle
            .understood(place, (range.end - range.start) as usize, |bytes| understand(&bytes))
    }

    /// Where a part of a block's index is in the bundle.
    fn index_place(&self, run: &Run, block: usize, range: &Range<u64>) -> Result<u64, Error> {
        let place = self.block(run, block)?;
        assert!(
            range.start <= range.end && range.end <= place.length,
            "a block's index has {} bytes",
            place.length
        );
        Ok(place.offset + range.start)
    }

    fn block(&self, run: &Run, block: usize) -> Result<Block, Error> {
        assert!(block < self.blocks(run), "the run has {} blocks", self.blocks(run));
        let block = self.bundle.understood(run.block_offset(block), BLOCK_BYTES, |entry| {
            Block::decode(&entry, &self.footer)
        })?;
        block.ok_or_else(|| {
            self.bundle
                .corrupt(format_args!("a directory of blocks is damaged: ledger={}", run.ledger))
        })
    }

    fn numbers_of(&self, run: &Run, column: Column, numbers: &[u64]) -> Result<Vec<i64>, Error> {
        let mut all = Vec::with_capacity(numbers.len());
        for portion in self.portions(run, numbers) {
            let table = self.table(portion.group)?;
            all.extend(decode::numbers(
                &self.data,
                column,
                table.column(column),
                &portion.rows,
            )?);
        }
        Ok(all)
    }

    fn bytes_of(&self, run: &Run, column: Column, numbers: &[u64]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let mut all = Vec::with_capacity(numbers.len());
        for portion in self.portions(run, numbers) {
            let table = self.table(portion.group)?;
            let values = decode::bytes(&self.data, column, table.column(column), &portion.rows)?;
            all.extend(values.into_iter().map(|value| value.map(|value| value.data().to_vec())));
        }
        Ok(all)
    }

    /// Where rows of a run are, by row group.
    fn portions(&self, run: &Run, numbers: &[u64]) -> Vec<Portion> {
        assert!(numbers.is_sorted_by(|number, next| number < next), "numbers ascend");
        assert!(
            numbers.last().is_none_or(|last| *last < run.rows),
            "the run has {} rows",
            run.rows
        );
        let mut portions = Vec::new();
        let mut rest = numbers;
        while let Some(first) = rest.first() {
            let group = self
                .groups
                .partition_point(|group| group.first_row <= run.first_row + first)
                - 1;
            let Group { first_row, rows, .. } = self.groups[group];
            let (here, later) = rest.split_at(rest.partition_point(|number| run.first_row + number < first_row + rows));
            let rows = here.iter().map(|number| run.first_row + number - first_row).collect();
            portions.push(Portion { group, rows });
            rest = later;
        }
        portions
    }

    fn table(&self, group: usize) -> Result<Arc<PageTable>, Error> {
        let last = || self.table.lock().expect("whoever holds it does not panic");
        if let Some((_, table)) = last().as_ref().filter(|(of, _)| *of == group) {
            return Ok(Arc::clone(table));
        }
        let entry = &self.groups[group];
        let table = self
            .bundle
            .understood(entry.table_offset, entry.table_length as usize, |bytes| {
                let intact = crc32fast::hash(&bytes) == entry.table_checksum;
                intact
                    .then(|| PageTable::decode(&bytes, entry.rows, self.data.length()))
                    .flatten()
            })?;
        let table = table.ok_or_else(|| {
            self.bundle
                .corrupt(format_args!("a page table is damaged: row_group={group}"))
        })?;
        let table = Arc::new(table);
        *last() = Some((group, Arc::clone(&table)));
        Ok(table)
    }

    /// Something that tiles know of each sequence.
    fn of_tiles<T>(
        &self,
        run: &Run,
        sequences: Range<u64>,
        value: impl Fn(&Tile, usize) -> T,
    ) -> Result<Vec<T>, Error> {
        let inside = run.first_sequence <= sequences.start && sequences.end <= run.sequences().end;
        assert!(
            inside || sequences.is_empty(),
            "the run has the sequences {:?}",
            run.sequences()
        );
        let mut values = Vec::with_capacity((sequences.end.saturating_sub(sequences.start)) as usize);
        let mut next = sequences.start;
        while next < sequences.end {
            let offset = next - run.first_sequence;
            let tile = self.tile(run, offset / TILE_ROWS)?;
            let first = (offset % TILE_ROWS) as usize;
            let end = tile.count().min(first + (sequences.end - next) as usize);
            values.extend((first..end).map(|position| value(&tile, position)));
            next += (end - first) as u64;
        }
        Ok(values)
    }

    fn tile(&self, run: &Run, tile: u64) -> Result<Tile, Error> {
        let damaged = || {
            let first = run.first_sequence + tile * TILE_ROWS;
            let end = run.sequences().end.min(first + TILE_ROWS);
            self.bundle.corrupt(format_args!(
                "leaf hashes are damaged: ledger={} sequences={first}..{end}",
                run.ledger
            ))
        };
        let entry = self
            .bundle
            .read(run.offset + tile * TILE_OFFSET_BYTES as u64, TILE_OFFSET_BYTES)?;
        let offset = Fields(&entry).u64().ok_or_else(damaged)?;
        let count = (run.rows - tile * TILE_ROWS).min(TILE_ROWS) as usize;
        let left = self.bundle.length().checked_sub(offset).ok_or_else(damaged)?;
        let length = left.min(tile::length_max(count) as u64) as usize;
        let tile = self.bundle.understood(offset, length, |bytes| {
            let place = Place {
                ledger: run.ledger,
                first_sequence: run.first_sequence + tile * TILE_ROWS,
            };
            Tile::decode(bytes, place, count, run.rows)
        })?;
        tile.ok_or_else(damaged)
    }
}

/// Whether a file has these bytes at a place.
fn is_at<const N: usize>(file: &Source, offset: u64, expected: [u8; N]) -> Result<bool, Error> {
    let found = file.understood(offset, N, |bytes| (bytes == expected).then_some(()))?;
    Ok(found.is_some())
}

/// The values of one row.
pub(super) fn cells(columns: &[(Column, Values)], position: usize) -> Cells<'_> {
    let mut cells = Cells::EMPTY;
    for (column, values) in columns {
        match values {
            Values::Numbers(numbers) => cells.numbers[*column as usize] = numbers[position],
            Values::Flags(flags) => cells.security = flags[position],
            Values::Bytes(bytes) => cells.bytes[*column as usize] = bytes[position].as_ref().map(|bytes| bytes.data()),
        }
    }
    cells
}
