//! Writing a segment: rows in, Parquet file and bundle out.

use std::{
    fs::File,
    io::{self, Write},
    sync::Arc,
};

use parquet::{
    basic::{Compression as Codec, ZstdLevel},
    data_type::{ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType},
    file::{
        properties::{EnabledStatistics, WriterProperties, WriterVersion},
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::ColumnPath,
};
use sha2::{Digest, Sha256};
use trailbook_event::Event;
use trailbook_merkle::Hash;

use super::{
    BLOCK_ROWS, Compression, Contents, Indexer, Parsed, Run,
    bundle::BundleWriter,
    columns::{self, COLUMNS, Columns, Kind, Values},
};
use crate::{Error, OrganizationKey, Row, database::LedgerId};

/// Rows of a row group: what is held in memory while writing.
const ROW_GROUP_ROWS: usize = 65_536;
/// Rows of a page: what must be read for one row.
const PAGE_ROWS: usize = 512;
/// Rows of a page of a column of few distinct values, where a page is small anyway.
const LARGE_PAGE_ROWS: usize = 8 * PAGE_ROWS;

/// A file that is hashed while it is written.
#[derive(Debug)]
pub(super) struct Hashing {
    file: io::BufWriter<File>,
    hash: Sha256,
    written: u64,
}

impl Hashing {
    pub(super) fn new(file: File) -> Self {
        Self {
            file: io::BufWriter::with_capacity(1 << 18, file),
            hash: Sha256::new(),
            written: 0,
        }
    }

    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Syncs the file; its length and hash.
    pub(super) fn finish(self) -> Result<(u64, [u8; 32]), Error> {
        let file = self
            .file
            .into_inner()
            .map_err(|error| Error::storage("write a segment", error))?;
        file.sync_all()
            .map_err(|error| Error::storage("sync a segment", error))?;
        Ok((self.written, self.hash.finalize().into()))
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a segment; memory is bounded by a row group and an index block.
pub struct Writer<'i> {
    indexer: &'i dyn Indexer,
    data: SerializedFileWriter<Hashing>,
    bundle: BundleWriter,
    columns: Columns,
    run: Option<OpenRun>,
    contents: Contents,
}

/// The run that is being written.
struct OpenRun {
    key: OrganizationKey,
    run: Run,
    /// Rows that are not indexed yet.
    waiting: Vec<Arc<Row>>,
    /// Sequence and leaf hash of each row so far.
    leaves: Vec<(u64, Hash)>,
    /// `occurred_at` and sequence of the last row.
    last: Option<(i64, u64)>,
}

impl<'i> Writer<'i> {
    /// Begins a segment in two new files.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn create(data: File, bundle: File, indexer: &'i dyn Indexer, compression: Compression) -> Result<Self, Error> {
        let writer = SerializedFileWriter::new(Hashing::new(data), columns::schema(), properties(compression)?.into());
        Ok(Self {
            indexer,
            data: writer.map_err(failed)?,
            bundle: BundleWriter::create(bundle)?,
            columns: Columns::new(),
            run: None,
            contents: Contents::nothing(),
        })
    }

    /// Begins the run of the next ledger; ledgers ascend.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when they do not; as [`Writer::push`].
    pub fn begin_run(&mut self, ledger: LedgerId, key: &OrganizationKey) -> Result<(), Error> {
        self.end_run()?;
        if self.contents.ledger_list.last().is_some_and(|last| *last >= ledger) {
            return Err(Error::corrupt(format!(
                "runs are not in the order of their ledgers: ledger={ledger}"
            )));
        }
        self.run = Some(OpenRun {
            key: key.clone(),
            run: Run::nothing(ledger, self.contents.events),
            waiting: Vec::new(),
            leaves: Vec::new(),
            last: None,
        });
        Ok(())
    }

    /// Adds the next older row of the run.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a row that is damaged, or newer than the one before; [`Error::Storage`].
    pub fn push(&mut self, row: Arc<Row>) -> Result<(), Error> {
        let Some(open) = &mut self.run else {
            return Err(Error::corrupt("a row outside of a run"));
        };
        let moment = (row.occurred_at.millis(), row.sequence);
        if open.last.is_some_and(|last| last <= moment) {
            return Err(Error::corrupt(format!(
                "rows are not newest first: {} at sequence {}",
                open.key, row.sequence
            )));
        }
        open.last = Some(moment);
        open.leaves.push((row.sequence, row.leaf_hash));
        open.run.meet(&row);
        self.contents.meet(&row);
        open.waiting.push(row);
        if open.waiting.len() == BLOCK_ROWS {
            self.write_block()?;
        }
        Ok(())
    }

    /// Indexes and takes apart the rows that wait.
    fn write_block(&mut self) -> Result<(), Error> {
        let Some(open) = &mut self.run else { return Ok(()) };
        let rows = std::mem::take(&mut open.waiting);
        let parsed: Vec<Parsed<'_>> = rows.iter().map(|row| parse(row, &open.key)).collect::<Result<_, _>>()?;
        open.run.security += parsed.iter().filter(|parsed| parsed.event.security).count() as u64;
        self.bundle.block(&self.indexer.index(&parsed))?;
        for parsed in &parsed {
            self.columns.push(&open.key, parsed)?;
            if self.columns.rows() == ROW_GROUP_ROWS {
                write_row_group(&mut self.data, &mut self.columns)?;
            }
        }
        Ok(())
    }

    fn end_run(&mut self) -> Result<(), Error> {
        if self.run.as_ref().is_some_and(|open| !open.waiting.is_empty()) {
            self.write_block()?;
        }
        let Some(OpenRun {
            key, mut run, leaves, ..
        }) = self.run.take()
        else {
            return Ok(());
        };
        if run.rows == 0 {
            return Err(Error::corrupt(format!("a run without rows: {key}")));
        }
        let mut places: Vec<Option<(u32, Hash)>> = vec![None; leaves.len()];
        for (number, (sequence, hash)) in (0_u32..).zip(leaves) {
            let place = usize::try_from(sequence - run.first_sequence).ok();
            match place.and_then(|place| places.get_mut(place)) {
                Some(place @ None) => *place = Some((number, hash)),
                _ => {
                    return Err(Error::corrupt(format!(
                        "the sequences of a run have gaps: {key} at {sequence}"
                    )));
                }
            }
        }
        let (numbers, hashes): (Vec<u32>, Vec<Hash>) = places.into_iter().flatten().unzip();
        self.bundle.end_run(&mut run, &numbers, &hashes)?;
        self.contents.ledger_list.push(run.ledger);
        Ok(())
    }

    /// Ends the segment, synced to disk.
    ///
    /// # Errors
    /// As [`Writer::push`]; [`Error::Corrupt`] for a segment without rows.
    pub fn finish(mut self) -> Result<Contents, Error> {
        self.end_run()?;
        if self.columns.rows() > 0 {
            write_row_group(&mut self.data, &mut self.columns)?;
        }
        let (Some(first), Some(last)) = (self.contents.ledger_list.first(), self.contents.ledger_list.last()) else {
            return Err(Error::corrupt("a segment without rows"));
        };
        self.contents.ledgers = (*first, *last);
        self.contents.data = self.data.into_inner().map_err(failed)?.finish()?;
        self.contents.bundle = self.bundle.finish()?;
        Ok(self.contents)
    }
}

fn parse<'r>(row: &'r Row, key: &OrganizationKey) -> Result<Parsed<'r>, Error> {
    let event = Event::parse(&row.parts);
    let event = event.map_err(|error| {
        Error::corrupt(format!(
            "event {} (sequence {} of {key}): {error}",
            row.id, row.sequence
        ))
    })?;
    Ok(Parsed { row, event })
}

fn properties(compression: Compression) -> Result<WriterProperties, Error> {
    let level = ZstdLevel::try_new(compression.0).map_err(failed)?;
    let mut properties = WriterProperties::builder()
        .set_created_by("trailbook segment 1".to_owned())
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Codec::ZSTD(level))
        .set_max_row_group_row_count(None)
        .set_write_batch_size(PAGE_ROWS)
        .set_data_page_size_limit(usize::MAX)
        .set_statistics_enabled(EnabledStatistics::None);
    for column in COLUMNS {
        let path = || ColumnPath::from(column.name);
        properties = match column.encoding {
            Some(encoding) => properties
                .set_column_dictionary_enabled(path(), false)
                .set_column_encoding(path(), encoding)
                .set_column_data_page_row_count_limit(path(), PAGE_ROWS),
            None => properties
                .set_column_dictionary_enabled(path(), true)
                .set_column_dictionary_page_size_limit(path(), usize::MAX)
                .set_column_data_page_row_count_limit(path(), LARGE_PAGE_ROWS),
        };
        // What other engines prune by.
        if matches!(
            column.name,
            "project" | "organization" | "occurred_at" | "received_at" | "sequence" | "commit" | "action"
        ) {
            properties = properties.set_column_statistics_enabled(path(), EnabledStatistics::Chunk);
        }
    }
    Ok(properties.build())
}

fn write_row_group(data: &mut SerializedFileWriter<Hashing>, columns: &mut Columns) -> Result<(), Error> {
    let mut group = data.next_row_group().map_err(failed)?;
    let mut next = 0;
    while let Some(mut writer) = group.next_column().map_err(failed)? {
        write_column(&mut writer, columns.values(next), COLUMNS[next].kind)?;
        writer.close().map_err(failed)?;
        next += 1;
    }
    group.close().map_err(failed)?;
    columns.clear();
    Ok(())
}

fn write_column(writer: &mut SerializedColumnWriter<'_>, values: &Values, kind: Kind) -> Result<(), Error> {
    debug_assert!(matches!(kind, Kind::Text | Kind::Bytes) == matches!(values, Values::Bytes(..)));
    let written = match values {
        Values::Bytes(bytes, ends, present) => {
            let all = bytes::Bytes::copy_from_slice(bytes);
            let mut begin = 0;
            let slices = ends
                .iter()
                .map(|end| ByteArray::from(all.slice(std::mem::replace(&mut begin, *end)..*end)));
            let values: Vec<ByteArray> = slices.collect();
            writer
                .typed::<ByteArrayType>()
                .write_batch(&values, Some(present), None)
        }
        Values::Fixed(values, present) => {
            let values: Vec<FixedLenByteArray> = values
                .iter()
                .map(|value| FixedLenByteArray::from(value.to_vec()))
                .collect();
            writer
                .typed::<FixedLenByteArrayType>()
                .write_batch(&values, Some(present), None)
        }
        Values::Long(values) => writer
            .typed::<parquet::data_type::Int64Type>()
            .write_batch(values, None, None),
        Values::Int(values) => writer
            .typed::<parquet::data_type::Int32Type>()
            .write_batch(values, None, None),
        Values::Boolean(values) => writer
            .typed::<parquet::data_type::BoolType>()
            .write_batch(values, None, None),
    };
    written.map(drop).map_err(failed)
}

fn failed(error: parquet::errors::ParquetError) -> Error {
    Error::storage("write a segment", error)
}
