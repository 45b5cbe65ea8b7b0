//! Words in a row, and the form of an event's texts in which they are looked for.

use super::{Record, searched_texts};
use crate::text;

/// Before and after every word.
const WORD_END: char = '\u{1f}';
/// Between texts, so that no words in a row reach over two of them.
const TEXT_END: char = '\u{1e}';

/// One or more words in a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Words {
    written: String,
    /// Every word after a `WORD_END`.
    row: String,
}

impl Words {
    /// The words of a text; `None` when it has none.
    pub fn new(written: impl Into<String>) -> Option<Self> {
        let written = written.into();
        let mut row = String::new();
        push_row(&written, &mut row);
        (!row.is_empty()).then_some(Self { written, row })
    }

    /// The text as it was written.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The words in their order, as [`text::tokens`] hands them over.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.row.split(WORD_END).skip(1)
    }

    /// Whether the words occur in a row, the last as a word or the beginning of one.
    pub(super) fn begin_in(&self, searchable: &str) -> bool {
        searchable.contains(&self.row)
    }

    /// Whether exactly these words occur in a row.
    pub(super) fn occur_in(&self, searchable: &str) -> bool {
        searchable
            .match_indices(&self.row)
            .any(|(at, row)| searchable[at + row.len()..].starts_with(WORD_END))
    }
}

/// All searched texts of an event as rows of words.
pub(super) fn searchable(record: &Record<'_>) -> String {
    let mut rows = String::with_capacity(512);
    searched_texts(record, &mut |text| {
        push_row(text, &mut rows);
        rows.push(WORD_END);
        rows.push(TEXT_END);
    });
    rows
}

fn push_row(text: &str, row: &mut String) {
    text::tokens(text, &mut |token| {
        row.push(WORD_END);
        row.push_str(token);
    });
}
