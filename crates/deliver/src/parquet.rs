//! Parquet for everybody's engines: one row an event, flat columns. The export `events.parquet` and the objects of streams.
//!
//! Values
//! - What an event does not say is null; an empty text stays an empty text.
//! - Times are timestamps in UTC, milliseconds. What targets say are lists, one for each field, with a place for each target.
//! - With columns of the caller's choice the file has these, each once, as texts like the cells of CSV; times stay timestamps.
//!   Nothing is put in front of what a spreadsheet would run: a Parquet file says which columns are texts.
//!
//! Invariant: memory is one row group, however long the file becomes.
//!
//! Not here: the segments of the ledger, which are Parquet files too (`trailbook-ledger`); which events.
//! See docs/formats/export.md.

mod field;

use std::{io::Write, sync::Arc};

use parquet::{
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::{
        properties::{EnabledStatistics, WriterProperties},
        writer::SerializedFileWriter,
    },
    schema::types::{ColumnPath, Type},
};
use trailbook_event::Event;
use trailbook_ledger::Row;

use crate::{
    Error,
    csv::{Column, Source},
    json::Envelope,
};
use field::Field;

/// The media type of the file.
pub const CONTENT_TYPE: &str = "application/vnd.apache.parquet";

/// Rows of a row group: what an engine reads at once.
const GROUP_ROWS: usize = 1 << 16;
/// A row group whose values take more bytes than this ends.
const GROUP_BYTES: usize = 64 << 20;
/// Columns whose values hardly repeat, so that a dictionary does not pay.
const WITHOUT_DICTIONARY: [&str; 5] = ["id", "sequence", "received_at", "occurred_at", "metadata"];

/// Writes events to `out`, a row group at a time. After an error the output is no file and must be dropped.
pub struct Writer<W: Write + Send> {
    file: SerializedFileWriter<W>,
    fields: Vec<Field>,
    /// Of the row group at hand.
    rows: usize,
}

impl<W: Write + Send> Writer<W> {
    /// Begins a file: with the columns of docs/formats/export.md, or with `columns`.
    ///
    /// # Errors
    /// [`Error::Output`] when the output takes nothing.
    pub fn new(out: W, columns: Option<Vec<Column>>) -> Result<Self, Error> {
        let fields = columns.map_or_else(Field::all, Field::chosen);
        let file = begin(out, &fields).map_err(output)?;
        Ok(Self { file, fields, rows: 0 })
    }

    /// Adds one event.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when its stored parts cannot be read; [`Error::Output`].
    pub fn push(&mut self, row: &Row, envelope: &Envelope<'_>) -> Result<(), Error> {
        let event = Event::parse(&row.parts).map_err(|source| Error::Corrupt {
            sequence: row.sequence,
            source,
        })?;
        let source = Source {
            row,
            envelope,
            event: &event,
            zone: None,
        };
        self.fields.iter_mut().for_each(|field| field.push(&source));
        self.rows += 1;
        let bytes: usize = self.fields.iter().map(Field::bytes).sum();
        if self.rows >= GROUP_ROWS || bytes >= GROUP_BYTES {
            self.end_group().map_err(output)?;
        }
        Ok(())
    }

    /// Writes what is left and the footer; gives the output back.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn finish(mut self) -> Result<W, Error> {
        if self.rows > 0 {
            self.end_group().map_err(output)?;
        }
        self.file.into_inner().map_err(output)
    }

    fn end_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.file.next_row_group()?;
        for field in &mut self.fields {
            let mut column = group.next_column()?.expect("each field is a column");
            field.write(&mut column)?;
            column.close()?;
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }
}

fn begin<W: Write + Send>(out: W, fields: &[Field]) -> Result<SerializedFileWriter<W>, ParquetError> {
    let columns = fields.iter().map(Field::column).collect::<Result<_, _>>()?;
    let schema = Type::group_type_builder("event").with_fields(columns).build()?;
    // Pages and encodings of the first version: every reader has them.
    let mut properties = WriterProperties::builder()
        .set_created_by("trailbook export 1".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(None)
        .set_offset_index_disabled(true)
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for name in WITHOUT_DICTIONARY {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(name), false);
    }
    SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties.build()))
}

fn output(error: ParquetError) -> Error {
    Error::Output(std::io::Error::other(error))
}
