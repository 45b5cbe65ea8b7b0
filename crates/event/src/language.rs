//! The query language of the search box: text to [`Filter`] and back.
//!
//! Invariants
//! - `parse(print(filter)) == filter` for every filter in normal form (within the limits below).
//! - No text makes the parser panic, and its work is bounded by the text's length.
//!
//! Not here: what filters mean (`filter`). See docs/query-language.md.

mod near;
mod print;
mod read;
mod scan;

pub(crate) use near::near;

use crate::{Filter, Timestamp};

/// Longest query in bytes.
pub const QUERY_BYTES_MAX: usize = 8 * 1024;
/// Deepest nesting of parentheses.
pub const QUERY_DEPTH_MAX: usize = 32;
/// Most words, phrases and values in one query.
pub const QUERY_TERMS_MAX: usize = 256;

/// A query that cannot be read: where, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: expected {expected}")]
pub struct QueryError {
    /// The place, counted in characters from 1.
    pub column: usize,
    /// What was expected there, as a noun phrase.
    pub expected: String,
}

/// The instant at which a day (year, month, day) begins in the reader's time zone; `None` when there is no such day.
pub type DayStart<'d> = &'d dyn Fn(i16, i8, i8) -> Option<Timestamp>;

/// Reads a query. An empty one is the filter that holds for every event.
///
/// # Errors
/// The first place where the text leaves the language, or one that is too long, too deep or has too many terms.
pub fn parse(text: &str, day_start: DayStart<'_>) -> Result<Filter, QueryError> {
    read::Reader::new(text, day_start).query()
}
