//! JSON lines: one event a line, as [`crate::json`] writes it. Canonical JSON has no line breaks, so a line is an event.

use trailbook_ledger::Row;

use crate::json::{Envelope, write_event};

/// The media type of the file.
pub const CONTENT_TYPE: &str = "application/x-ndjson";

/// Appends one event and its newline.
pub fn write_line(row: &Row, envelope: &Envelope<'_>, out: &mut Vec<u8>) {
    write_event(row, envelope, out);
    out.push(b'\n');
}
