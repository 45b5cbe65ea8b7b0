//! A checkpoint of the table's log: all that is true at a version, in one Parquet file, so that readers need not read the log from its
//! beginning. It follows from the manifest of that version alone; the same one gives the same bytes.
//!
//! It does not name the files that were removed: those are for whoever deletes them, and nobody else does.

use std::sync::Arc;

use bytes::Bytes;
use parquet::{
    basic::{Compression, ZstdLevel},
    column::writer::{ColumnWriter, ColumnWriterImpl},
    data_type::{ByteArray, DataType},
    errors::ParquetError,
    file::{
        properties::{EnabledStatistics, WriterProperties},
        reader::{FileReader, SerializedFileReader},
        writer::SerializedFileWriter,
    },
    schema::parser::parse_message_type,
};

use super::action::{
    BOUNDED, BOUNDED_COLUMNS, PROVIDER, READER_VERSION, SCHEMA, TABLE_NAME, WRITER_FEATURE, WRITER_VERSION,
    modification_time, stats,
};
use crate::{Error, database::StoredSegment, manifest::Manifest};

const MESSAGE: &str = "
message checkpoint {
  OPTIONAL group protocol {
    OPTIONAL INT32 minReaderVersion;
    OPTIONAL INT32 minWriterVersion;
    OPTIONAL group writerFeatures (LIST) { REPEATED group list { OPTIONAL BYTE_ARRAY element (STRING); } }
  }
  OPTIONAL group metaData {
    OPTIONAL BYTE_ARRAY id (STRING);
    OPTIONAL BYTE_ARRAY name (STRING);
    OPTIONAL group format {
      OPTIONAL BYTE_ARRAY provider (STRING);
      OPTIONAL group options (MAP) { REPEATED group key_value { REQUIRED BYTE_ARRAY key (STRING); OPTIONAL BYTE_ARRAY value (STRING); } }
    }
    OPTIONAL BYTE_ARRAY schemaString (STRING);
    OPTIONAL group partitionColumns (LIST) { REPEATED group list { OPTIONAL BYTE_ARRAY element (STRING); } }
    OPTIONAL group configuration (MAP) { REPEATED group key_value { REQUIRED BYTE_ARRAY key (STRING); OPTIONAL BYTE_ARRAY value (STRING); } }
  }
  OPTIONAL group add {
    OPTIONAL BYTE_ARRAY path (STRING);
    OPTIONAL group partitionValues (MAP) { REPEATED group key_value { REQUIRED BYTE_ARRAY key (STRING); OPTIONAL BYTE_ARRAY value (STRING); } }
    OPTIONAL INT64 size;
    OPTIONAL INT64 modificationTime;
    OPTIONAL BOOLEAN dataChange;
    OPTIONAL BYTE_ARRAY stats (STRING);
  }
  OPTIONAL group remove {
    OPTIONAL BYTE_ARRAY path (STRING);
    OPTIONAL INT64 deletionTimestamp;
    OPTIONAL BOOLEAN dataChange;
  }
}";

/// Leaves of each group.
const PROTOCOL: usize = 3;
const META_DATA: usize = 9;
const ADD: usize = 7;
const REMOVE: usize = 3;

/// What a row has in a leaf.
#[derive(Clone)]
enum Cell {
    /// Nothing, but the groups around it down to this depth.
    Nothing(i16),
    Text(ByteArray),
    Long(i64),
    Int(i32),
    Flag(bool),
}

/// The checkpoint of a manifest's newest version.
pub(super) fn checkpoint(manifest: &Manifest) -> Result<Vec<u8>, Error> {
    let mut rows = vec![
        row(0, protocol(), META_DATA + ADD + REMOVE),
        row(PROTOCOL, table(&manifest.lake().id), ADD + REMOVE),
    ];
    let files = manifest.segments();
    rows.extend(files.map(|segment| row(PROTOCOL + META_DATA, file(segment), REMOVE)));
    write(&rows).map_err(|error| Error::storage("make a checkpoint of the lake", error))
}

/// How many rows a checkpoint has.
pub(super) fn rows(checkpoint: Bytes) -> Result<i64, Error> {
    let reader = SerializedFileReader::new(checkpoint);
    let reader = reader.map_err(|error| Error::corrupt(format!("a checkpoint of the lake: {error}")))?;
    Ok(reader.metadata().file_metadata().num_rows())
}

/// A row with nothing before and after the leaves of one group.
fn row(before: usize, leaves: Vec<Cell>, after: usize) -> Vec<Cell> {
    let nothing = |count| vec![Cell::Nothing(0); count];
    [nothing(before), leaves, nothing(after)].concat()
}

fn text(text: &str) -> Cell {
    Cell::Text(ByteArray::from(text))
}

fn protocol() -> Vec<Cell> {
    vec![
        Cell::Int(READER_VERSION),
        Cell::Int(WRITER_VERSION),
        text(WRITER_FEATURE),
    ]
}

fn table(id: &str) -> Vec<Cell> {
    let no_options = Cell::Nothing(3);
    vec![
        text(id),
        text(TABLE_NAME),
        text(PROVIDER),
        no_options.clone(),
        no_options,
        text(&SCHEMA),
        Cell::Nothing(2),
        text(BOUNDED),
        text(BOUNDED_COLUMNS),
    ]
}

fn file(segment: &StoredSegment) -> Vec<Cell> {
    vec![
        text(&segment.data.name),
        Cell::Nothing(2),
        Cell::Nothing(2),
        Cell::Long(segment.data.bytes as i64),
        Cell::Long(modification_time(segment)),
        Cell::Flag(false),
        text(&stats(segment)),
    ]
}

fn write(rows: &[Vec<Cell>]) -> Result<Vec<u8>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_created_by("trailbook lake 1".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true);
    let schema = Arc::new(parse_message_type(MESSAGE)?);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build()))?;
    let mut group = writer.next_row_group()?;
    let mut leaf = 0;
    while let Some(mut column) = group.next_column()? {
        let cells = || rows.iter().map(|row| &row[leaf]);
        match column.untyped() {
            ColumnWriter::ByteArrayColumnWriter(column) => fill(column, cells(), |cell| match cell {
                Cell::Text(text) => Some(text.clone()),
                _ => None,
            }),
            ColumnWriter::Int64ColumnWriter(column) => fill(column, cells(), |cell| match cell {
                Cell::Long(long) => Some(*long),
                _ => None,
            }),
            ColumnWriter::Int32ColumnWriter(column) => fill(column, cells(), |cell| match cell {
                Cell::Int(int) => Some(*int),
                _ => None,
            }),
            ColumnWriter::BoolColumnWriter(column) => fill(column, cells(), |cell| match cell {
                Cell::Flag(flag) => Some(*flag),
                _ => None,
            }),
            _ => Err(ParquetError::General("the schema has no other types".to_owned())),
        }?;
        column.close()?;
        leaf += 1;
    }
    group.close()?;
    writer.into_inner()
}

/// Writes a leaf: no cell repeats, as no list or map has more than one entry.
fn fill<'r, T: DataType>(
    column: &mut ColumnWriterImpl<'_, T>,
    cells: impl Iterator<Item = &'r Cell>,
    value: impl Fn(&Cell) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let full = column.get_descriptor().max_def_level();
    let repeats = column.get_descriptor().max_rep_level() > 0;
    let (mut depths, mut values) = (Vec::new(), Vec::new());
    for cell in cells {
        depths.push(match cell {
            Cell::Nothing(depth) => *depth,
            _ => full,
        });
        values.extend(value(cell));
    }
    let repetitions = vec![0; depths.len()];
    let repetitions = repeats.then_some(&repetitions[..]);
    column.write_batch(&values, Some(&depths), repetitions).map(drop)
}
