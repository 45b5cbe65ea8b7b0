//! CSV by RFC 4180: a header row, CRLF, cells quoted where they must be. The export of the screen and of `/events.csv`.
//!
//! Cells
//! - A list of values (`targets.name`) is joined with `, `; what a target lacks is left out.
//! - Metadata values that are texts stand as they are; other values, `changes` and `metadata` are canonical JSON.
//! - Unset values and null are empty cells.
//! - Times are RFC 3339 with milliseconds, in UTC or in the zone asked for.
//!
//! - A rendered column is its template in the words of the labels, with `—` for what is missing beside others.
//!
//! Invariant: no cell begins with a character that makes a spreadsheet run it (see [`cell`]), the header row included.
//!
//! Not here: the header's labels (the caller passes them), which events.

mod cell;
mod column;

use jiff::tz::TimeZone;
use trailbook_event::Event;
use trailbook_ledger::Row;

use crate::{Error, json::Envelope};
pub use cell::neutralise;
pub use column::{Column, DEFAULT_COLUMNS};
pub(crate) use column::{OfTime, Source};

/// The media type of the file.
pub const CONTENT_TYPE: &str = "text/csv; charset=utf-8; header=present";

/// Writes rows, and hands over what it has written in chunks of the caller's choice.
pub struct Csv {
    columns: Vec<Column>,
    zone: Option<TimeZone>,
    writer: csv::Writer<Vec<u8>>,
    cell: String,
}

impl Csv {
    /// A file with these columns. Times are in UTC without a `zone`.
    pub fn new(columns: Vec<Column>, zone: Option<TimeZone>) -> Self {
        Self {
            columns,
            zone,
            writer: writer(),
            cell: String::new(),
        }
    }

    /// Writes the header row: the ids or labels of the columns, one for each.
    ///
    /// # Errors
    /// None in practice: memory takes all bytes.
    pub fn header(&mut self, names: &[impl AsRef<str>]) -> Result<(), Error> {
        for name in names {
            self.cell.clear();
            self.cell.push_str(name.as_ref());
            end_cell(&mut self.cell, &mut self.writer)?;
        }
        end_row(&mut self.writer)
    }

    /// Writes one event.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when its stored parts cannot be read.
    pub fn row(&mut self, row: &Row, envelope: &Envelope<'_>) -> Result<(), Error> {
        let event = Event::parse(&row.parts).map_err(|source| Error::Corrupt {
            sequence: row.sequence,
            source,
        })?;
        let source = Source {
            row,
            envelope,
            event: &event,
            zone: self.zone.as_ref(),
        };
        for column in &self.columns {
            self.cell.clear();
            column.write(&source, &mut self.cell);
            end_cell(&mut self.cell, &mut self.writer)?;
        }
        end_row(&mut self.writer)
    }

    /// What has been written since the last call.
    ///
    /// # Errors
    /// None in practice: memory takes all bytes.
    pub fn take(&mut self) -> Result<Vec<u8>, Error> {
        std::mem::replace(&mut self.writer, writer())
            .into_inner()
            .map_err(|error| Error::Output(error.into_error()))
    }
}

fn end_cell(cell: &mut String, writer: &mut csv::Writer<Vec<u8>>) -> Result<(), Error> {
    neutralise(cell);
    writer.write_field(cell).map_err(output)
}

fn end_row(writer: &mut csv::Writer<Vec<u8>>) -> Result<(), Error> {
    writer.write_record(None::<&[u8]>).map_err(output)
}

fn writer() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new())
}

fn output(error: csv::Error) -> Error {
    Error::Output(error.into())
}
