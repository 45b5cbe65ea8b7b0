//! A row's event, read without its metadata: mappings copy metadata and changes as they are, and only look into changes.
//!
//! Not here: whether the bytes are those that were hashed (`trailbook-ledger`).

use trailbook_event::{Event, Part, Parts, PartsError};
use trailbook_ledger::Row;

use crate::Error;

/// The parts of a row, ready to be read.
#[derive(Debug)]
pub(super) struct Opened<'r> {
    sequence: u64,
    /// The event without its metadata.
    parts: Parts<Vec<u8>>,
    /// JSON of the list of changes, as it was hashed.
    pub(super) changes: &'r [u8],
    /// JSON of the metadata, as it was hashed; `None` when there are none.
    pub(super) metadata: Option<&'r [u8]>,
}

const BEFORE_CHANGES: &[u8] = b"{\"changes\":";
const BEFORE_MESSAGE: &[u8] = b",\"message\":";
const BEFORE_METADATA: &[u8] = b",\"metadata\":";

impl<'r> Opened<'r> {
    /// # Errors
    /// The details are not what admission writes.
    pub(super) fn of(row: &'r Row) -> Result<Self, Error> {
        let [.., begin, _] = row.parts.ends();
        let source = PartsError {
            part: Part::Details,
            offset: begin as usize,
        };
        Self::split(row).ok_or(Error::Corrupt {
            sequence: row.sequence,
            source,
        })
    }

    fn split(row: &'r Row) -> Option<Self> {
        let details = row.parts.part(Part::Details);
        let after = details.strip_prefix(BEFORE_CHANGES)?;
        let (changes, after) = after.split_at_checked(value_end(after))?;
        let message = after.strip_prefix(BEFORE_MESSAGE)?;
        let (_, after) = message.split_at_checked(value_end(message))?;
        let metadata = after.strip_prefix(BEFORE_METADATA)?.strip_suffix(b"}")?;

        let kept = row.parts.bytes().len() - metadata.len() - 1;
        let mut bytes = Vec::with_capacity(kept + 5);
        bytes.extend_from_slice(&row.parts.bytes()[..kept]);
        bytes.extend_from_slice(b"null}");
        let mut ends = row.parts.ends();
        ends[4] = u32::try_from(bytes.len()).ok()?;
        Some(Self {
            sequence: row.sequence,
            parts: Parts::new(bytes, ends)?,
            changes,
            metadata: (metadata != b"null").then_some(metadata),
        })
    }

    /// The event; it has no metadata.
    ///
    /// # Errors
    /// The stored parts are not what admission writes.
    pub(super) fn event(&self) -> Result<Event<'_>, Error> {
        Event::parse(&self.parts).map_err(|source| Error::Corrupt {
            sequence: self.sequence,
            source,
        })
    }
}

/// Where the first value of a canonical text ends: before the comma or bracket that belongs to what is around it.
fn value_end(text: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at = string_end(text, at),
            b'[' | b'{' => depth += 1,
            b']' | b'}' | b',' if depth == 0 => return at,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// The closing quote of the string that begins here.
fn string_end(text: &[u8], begin: usize) -> usize {
    let mut at = begin + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::value_end;

    #[test]
    fn a_value_ends_where_what_is_around_it_goes_on() {
        for (value, rest) in [
            ("null", ",\"a\":1"),
            ("\"a,]}\\\"\\\\\"", ",1"),
            ("[1,{\"a\":\"]\"},[]]", ",\"message\":null"),
            ("{}", "}"),
            ("12", ""),
            ("\"open", ""),
        ] {
            assert_eq!(value_end(format!("{value}{rest}").as_bytes()), value.len(), "{value}");
        }
    }
}
