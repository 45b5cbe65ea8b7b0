//! Which rows of a block a filter selects, by the block's terms; events are only read where words must stand in a row.

use std::ops::Range as Span;

use trailbook_event::{
    Filter, Record,
    filter::{Field, Pattern, Words},
};

use crate::{
    Error, Range,
    block::{Block, Wanted, event},
    row_set::RowSet,
};

/// Rows that are read at a time to look for words in a row.
const READ_ROWS: usize = 512;

/// A filter over a range of time and the events of a ledger with these sequences.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub(crate) filter: Filter,
    pub(crate) range: Range,
    pub(crate) sequences: Span<u64>,
}

impl Search {
    /// The rows of a block that this search finds.
    pub(crate) fn select(&self, block: &Block) -> Result<RowSet, Error> {
        select(block, &self.filter, block.within(&self.range, &self.sequences)?)
    }

    /// How many rows of a block this search finds; without looking where all of them are found.
    pub(crate) fn count(&self, block: &Block) -> Result<usize, Error> {
        if self.finds_all(block)? {
            return Ok(block.length());
        }
        Ok(self.select(block)?.count())
    }

    /// Whether it is plain, without looking, that this search finds all rows of a block.
    pub(crate) fn finds_all(&self, block: &Block) -> Result<bool, Error> {
        Ok(self.filter.is_all() && block.is_whole(&self.range, &self.sequences)?)
    }
}

/// The rows of `within` for which a filter holds.
pub(crate) fn select(block: &Block, filter: &Filter, within: RowSet) -> Result<RowSet, Error> {
    if within.is_empty() {
        return Ok(within);
    }
    match filter {
        Filter::And(filters) => select_all(block, filters, within),
        Filter::Or(filters) => {
            let mut found = RowSet::empty(within.length());
            for filter in filters {
                found.unite(&select(block, filter, within.clone())?);
            }
            Ok(found)
        }
        Filter::Not(filter) => {
            let mut rest = within.clone();
            rest.subtract(&select(block, filter, within)?);
            Ok(rest)
        }
        Filter::Field { field, patterns } => with_value(block, field, patterns, within),
        Filter::Word(words) | Filter::Phrase(words) => with_words(block, filter, words, within),
        Filter::Before(instant) => {
            let mut found = within;
            found.intersect(&block.before(*instant)?);
            Ok(found)
        }
        Filter::After(instant) => {
            let mut found = within;
            found.subtract(&block.before(*instant)?);
            Ok(found)
        }
    }
}

/// What may have to read events comes last, when the fewest rows are left.
fn select_all(block: &Block, filters: &[Filter], within: RowSet) -> Result<RowSet, Error> {
    let mut found = within;
    for reads in [false, true] {
        for filter in filters.iter().filter(|filter| reads_events(filter) == reads) {
            found = select(block, filter, found)?;
        }
    }
    Ok(found)
}

fn reads_events(filter: &Filter) -> bool {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => filters.iter().any(reads_events),
        Filter::Not(filter) => reads_events(filter),
        Filter::Word(words) | Filter::Phrase(words) => words.tokens().nth(1).is_some(),
        Filter::Field { .. } | Filter::Before(_) | Filter::After(_) => false,
    }
}

fn with_value(block: &Block, field: &Field, patterns: &[Pattern], mut within: RowSet) -> Result<RowSet, Error> {
    let mut found = RowSet::empty(within.length());
    for pattern in patterns {
        match pattern {
            Pattern::Whole(text) => block.mark(field, Wanted::Whole(text.folded()), &mut found)?,
            Pattern::Prefix(text) => block.mark(field, Wanted::Prefix(text.folded()), &mut found)?,
            Pattern::Network(_) => block
                .terms(field)?
                .iter()
                .filter(|(text, _)| pattern.matches(text))
                .for_each(|(_, rows)| found.insert_all(rows)),
        }
    }
    within.intersect(&found);
    Ok(within)
}

/// One word is decided by the terms alone. Of several, the terms say which rows have them all, and reading those events
/// says whether they stand in a row.
fn with_words(block: &Block, filter: &Filter, words: &Words, mut within: RowSet) -> Result<RowSet, Error> {
    let mut tokens = words.tokens().peekable();
    let mut several = false;
    while let Some(token) = tokens.next() {
        let is_last = tokens.peek().is_none();
        several |= !is_last;
        let wanted = match filter {
            Filter::Word(_) if is_last => Wanted::Prefix(token),
            _ => Wanted::Whole(token),
        };
        let mut having = RowSet::empty(within.length());
        block.mark_words(wanted, &mut having)?;
        within.intersect(&having);
        if within.is_empty() {
            return Ok(within);
        }
    }
    if several {
        verified(block, filter, &within)
    } else {
        Ok(within)
    }
}

/// The rows whose events, read, pass a filter.
fn verified(block: &Block, filter: &Filter, candidates: &RowSet) -> Result<RowSet, Error> {
    let numbers: Vec<usize> = candidates.iter().collect();
    let mut found = RowSet::empty(candidates.length());
    for numbers in numbers.chunks(READ_ROWS) {
        for (number, row) in numbers.iter().zip(block.rows(numbers)?) {
            let event = event(&row)?;
            if filter.matches(&Record {
                occurred_at: row.occurred_at,
                country: row.country(),
                event: &event,
            }) {
                found.insert(*number);
            }
        }
    }
    Ok(found)
}
