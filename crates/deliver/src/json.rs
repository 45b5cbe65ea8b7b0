//! An event as it is returned: its canonical bytes inside the envelope, copied without being parsed. Every page, live feed and
//! JSON export goes through here, so it is written for speed.
//!
//! Invariant: apart from the envelope's members, every byte is a byte that was hashed.

use std::io::Write as _;

use trailbook_event::{Timestamp, json::write_string};
use trailbook_ledger::Row;

/// What surrounds an event's canonical bytes and is not kept in its row.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// The project that the event's ledger belongs to.
    pub project: &'a str,
    /// How long policy keeps an event after it was received, in milliseconds; `None` when it is kept for ever.
    pub kept_ms: Option<i64>,
}

impl Envelope<'_> {
    /// When policy lets an event go.
    pub(crate) fn expires_at(&self, row: &Row) -> Option<Timestamp> {
        let at = row.received_at.millis().saturating_add(self.kept_ms?);
        Some(Timestamp::from_millis(at))
    }
}

/// Appends one event as a JSON object: `id`, `project`, `sequence`, `epoch`, `received_at`, `expires_at`, `country`, `redacted`,
/// then the event's own members.
pub fn write_event(row: &Row, envelope: &Envelope<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":\"");
    row.id.write(out);
    out.extend_from_slice(b"\",\"project\":");
    write_string(envelope.project, out);
    out.extend_from_slice(b",\"sequence\":");
    write_number(row.sequence, out);
    out.extend_from_slice(b",\"epoch\":");
    write_number(row.epoch.into(), out);
    out.extend_from_slice(b",\"received_at\":");
    write_time(row.received_at, out);
    out.extend_from_slice(b",\"expires_at\":");
    match envelope.expires_at(row) {
        Some(time) => write_time(time, out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"country\":");
    match row.country() {
        Some(country) => write_string(country, out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"redacted\":[");
    for (position, part) in row.redacted().iter().enumerate() {
        out.extend_from_slice(if position == 0 { b"\"" } else { b",\"" });
        out.extend_from_slice(part.name().as_bytes());
        out.push(b'"');
    }
    out.extend_from_slice(b"],");
    row.parts.write_members(out);
    out.push(b'}');
}

/// Writing to a vector cannot fail.
pub(crate) fn write_number(number: u64, out: &mut Vec<u8>) {
    write!(out, "{number}").expect("a vector takes all bytes");
}

/// A time in quotes.
pub(crate) fn write_time(time: Timestamp, out: &mut Vec<u8>) {
    write!(out, "\"{time}\"").expect("a vector takes all bytes");
}
