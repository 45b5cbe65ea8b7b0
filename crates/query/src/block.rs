//! Some rows of a ledger with everything that questions need to be answered fast: in memory ([`Held`], the tail) or read from
//! a segment when it is asked for ([`SealedBlock`]). Whatever it is, it never changes.
//!
//! Invariants
//! - At most [`ROWS_MAX`] rows, numbered from 0: in sequence order in the tail, in order of time elsewhere.
//! - The terms are exactly what `filter::values` and the words of `filter::searched_texts` hand over for each row.
//! - Rows below `from` and hidden ones are in no answer.
//!
//! Not here: which blocks there are (`tail_index`, `history`), what a filter selects (`plan`).

mod build;
mod dictionary;
mod held;
mod interner;
mod moments;
mod sealed;
mod subjects;

use std::{ops::Range as Span, sync::Arc};

use trailbook_event::{Event, Timestamp, filter::Field};
use trailbook_ledger::{EventId, Row};

pub(crate) use build::{Builder, Built};
pub(crate) use dictionary::{Dictionary, Group, Terms, Wanted};
pub(crate) use held::Held;
pub(crate) use moments::{Moment, Moments};
pub(crate) use sealed::{BlockKey, SealedBlock};
pub(crate) use subjects::{Subject, Subjects};

use crate::{Error, row_set::RowSet, scope::Range};

/// Most rows of a block: row numbers are 16 bits.
pub(crate) const ROWS_MAX: usize = trailbook_ledger::segment::BLOCK_ROWS;

/// Rows of a ledger. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    store: Store,
    from: u64,
    hidden: Option<Arc<RowSet>>,
}

#[derive(Debug, Clone)]
enum Store {
    Held(Arc<Held>),
    Sealed(Arc<SealedBlock>),
}

/// How a block lies to a range of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Overlap {
    Nothing,
    Partly,
    Whole,
}

impl Block {
    /// Rows in memory, of which those with a sequence below `from` are in no answer.
    pub(crate) fn held(held: Arc<Held>, from: u64) -> Self {
        Self {
            store: Store::Held(held),
            from,
            hidden: None,
        }
    }

    /// Sealed rows, of which those with a sequence below `from` and the hidden ones are in no answer.
    pub(crate) fn sealed(sealed: SealedBlock, from: u64, hidden: Option<RowSet>) -> Self {
        Self {
            store: Store::Sealed(Arc::new(sealed)),
            from,
            hidden: hidden.map(Arc::new),
        }
    }

    /// How many rows it has, in answers or not.
    pub(crate) fn length(&self) -> usize {
        match &self.store {
            Store::Held(held) => held.rows().len(),
            Store::Sealed(sealed) => sealed.length(),
        }
    }

    /// Where and when its rows are.
    pub(crate) fn moments(&self) -> Result<Arc<Moments>, Error> {
        match &self.store {
            Store::Held(held) => Ok(Arc::clone(held.moments())),
            Store::Sealed(sealed) => sealed.moments(),
        }
    }

    /// When the oldest and the newest row happened, in milliseconds.
    pub(crate) fn reach(&self) -> Result<(i64, i64), Error> {
        match &self.store {
            Store::Held(held) => Ok(held.moments().reach()),
            Store::Sealed(sealed) => sealed.reach(),
        }
    }

    /// Sequences between which its rows lie.
    fn sequences(&self) -> Span<u64> {
        match &self.store {
            Store::Held(held) => held.moments().sequences(),
            Store::Sealed(sealed) => sealed.sequences(),
        }
    }

    /// Whether all rows are in a range of time and in answers over the ledger's events with these sequences.
    pub(crate) fn is_whole(&self, range: &Range, sequences: &Span<u64>) -> Result<bool, Error> {
        Ok(self.hidden.is_none() && self.is_among(sequences) && self.overlap(range)? == Overlap::Whole)
    }

    /// The rows in a range of time that are in answers over the ledger's events with these sequences.
    pub(crate) fn within(&self, range: &Range, sequences: &Span<u64>) -> Result<RowSet, Error> {
        let length = self.length();
        let own = self.sequences();
        if own.end <= sequences.start || sequences.end <= own.start {
            return Ok(RowSet::empty(length));
        }
        let mut set = match self.overlap(range)? {
            Overlap::Nothing => return Ok(RowSet::empty(length)),
            Overlap::Whole => RowSet::up_to(length, length),
            Overlap::Partly => {
                let moments = self.moments()?;
                let mut set = range
                    .to
                    .map_or_else(|| RowSet::up_to(length, length), |to| moments.before(to));
                if let Some(from) = range.from {
                    set.subtract(&moments.before(from));
                }
                set
            }
        };
        if !self.is_among(sequences) {
            let wanted = self.from.max(sequences.start)..sequences.end;
            set.intersect(&self.moments()?.with_sequences(wanted));
        }
        if let Some(hidden) = &self.hidden {
            set.subtract(hidden);
        }
        Ok(set)
    }

    /// The rows that happened before an instant.
    pub(crate) fn before(&self, instant: Timestamp) -> Result<RowSet, Error> {
        let length = self.length();
        let range = Range {
            from: None,
            to: Some(instant),
        };
        Ok(match self.overlap(&range)? {
            Overlap::Nothing => RowSet::empty(length),
            Overlap::Whole => RowSet::up_to(length, length),
            Overlap::Partly => self.moments()?.before(instant),
        })
    }

    /// Whether all rows are in answers over the events with these sequences.
    fn is_among(&self, wanted: &Span<u64>) -> bool {
        let own = self.sequences();
        self.from.max(wanted.start) <= own.start && own.end <= wanted.end
    }

    fn overlap(&self, range: &Range) -> Result<Overlap, Error> {
        let of = |(oldest, newest): (i64, i64)| {
            let (from, to) = (range.from.map(Timestamp::millis), range.to.map(Timestamp::millis));
            if from.is_some_and(|from| newest < from) || to.is_some_and(|to| oldest >= to) {
                Overlap::Nothing
            } else if from.is_none_or(|from| oldest >= from) && to.is_none_or(|to| newest < to) {
                Overlap::Whole
            } else {
                Overlap::Partly
            }
        };
        // What is known without reading may say it already.
        if let Store::Sealed(sealed) = &self.store {
            match of(sealed.run_reach()) {
                Overlap::Partly => {}
                known => return Ok(known),
            }
        }
        self.reach().map(of)
    }

    /// The terms of a field.
    pub(crate) fn terms(&self, field: &Field) -> Result<Terms, Error> {
        match &self.store {
            Store::Held(held) => Ok(held.terms(field)),
            Store::Sealed(sealed) => sealed.terms(field),
        }
    }

    /// Adds the rows that have a wanted value of a field to a set.
    pub(crate) fn mark(&self, field: &Field, wanted: Wanted<'_>, set: &mut RowSet) -> Result<(), Error> {
        match &self.store {
            Store::Held(held) => {
                held.mark(held.group(field), wanted, set);
                Ok(())
            }
            Store::Sealed(sealed) => sealed.mark(field, wanted, set),
        }
    }

    /// Adds the rows that have a wanted word to a set.
    pub(crate) fn mark_words(&self, wanted: Wanted<'_>, set: &mut RowSet) -> Result<(), Error> {
        match &self.store {
            Store::Held(held) => {
                held.mark(Some(Group::WORDS), wanted, set);
                Ok(())
            }
            Store::Sealed(sealed) => sealed.mark_group(Group::WORDS, wanted, set),
        }
    }

    /// What facets count of the actor or of the targets: one value each, with its label. `None` for other fields, whose
    /// facets count the terms.
    pub(crate) fn subjects(&self, field: &Field) -> Result<Option<Arc<Subjects>>, Error> {
        let group = match field {
            Field::Actor => Group::ACTORS,
            Field::Target => Group::TARGETS,
            _ => return Ok(None),
        };
        match &self.store {
            Store::Held(held) => Ok(Some(held.subjects(group))),
            Store::Sealed(sealed) => sealed.subjects(group).map(Some),
        }
    }

    /// Rows by their numbers, which ascend.
    pub(crate) fn rows(&self, numbers: &[usize]) -> Result<Vec<Arc<Row>>, Error> {
        match &self.store {
            Store::Held(held) => Ok(numbers.iter().map(|number| Arc::clone(&held.rows()[*number])).collect()),
            Store::Sealed(sealed) => sealed.rows(numbers),
        }
    }

    /// The row with a Log ID, when the block is in memory and has it.
    pub(crate) fn find_held(&self, id: &EventId) -> Option<usize> {
        match &self.store {
            Store::Held(held) => held.rows().binary_search_by_key(id, |row| row.id).ok(),
            Store::Sealed(_) => None,
        }
    }

    /// Whether another block has the same rows.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.store, &other.store) {
            (Store::Held(left), Store::Held(right)) => Arc::ptr_eq(left, right),
            (Store::Sealed(left), Store::Sealed(right)) => left.key() == right.key(),
            _ => false,
        }
    }
}

/// Reads the event of a row.
pub(crate) fn event(row: &Row) -> Result<Event<'_>, Error> {
    Event::parse(&row.parts).map_err(|_| Error::unreadable(row.sequence))
}
