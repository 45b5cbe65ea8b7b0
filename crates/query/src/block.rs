//! Consecutive rows of a ledger with everything that questions need to be answered fast, immutable once built.
//!
//! Invariants
//! - Rows stand in sequence order, without gaps; at most [`ROWS_MAX`].
//! - The terms are exactly what `filter::values` and the words of `filter::searched_texts` hand over for each row.
//!
//! Not here: which blocks there are (`tail_index`), what a filter selects (`plan`).

mod build;
mod subjects;
mod terms;

use std::sync::Arc;

use trailbook_event::{Event, Timestamp, filter::Field};
use trailbook_ledger::Row;

pub(crate) use subjects::Subjects;
pub(crate) use terms::{Group, Terms};

use crate::{Error, row_set::RowSet, scope::Range};

/// Most rows of a block: row numbers are 16 bits.
pub(crate) const ROWS_MAX: usize = 1 << 15;

/// An indexed run of rows.
#[derive(Debug)]
pub(crate) struct Block {
    rows: Box<[Arc<Row>]>,
    /// `occurred_at` of each row in milliseconds, so that looking for a time does not touch the rows.
    times: Box<[i64]>,
    /// Row numbers by (`occurred_at`, sequence); `None` when that is the order of the rows.
    order: Option<Box<[u16]>>,
    part_bytes: usize,
    terms: Terms,
    actors: Subjects,
    targets: Subjects,
}

/// An event's place in time: `occurred_at` in milliseconds, then sequence.
pub(crate) type Moment = (i64, u64);

impl Block {
    /// Indexes rows that follow one another.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a row whose parts cannot be read.
    pub(crate) fn build(rows: Vec<Arc<Row>>) -> Result<Self, Error> {
        build::build(rows)
    }

    pub(crate) fn rows(&self) -> &[Arc<Row>] {
        &self.rows
    }

    pub(crate) fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The sequence of the first row.
    pub(crate) fn first_sequence(&self) -> u64 {
        self.rows.first().map_or(0, |row| row.sequence)
    }

    /// The bytes of the rows' parts.
    pub(crate) fn part_bytes(&self) -> usize {
        self.part_bytes
    }

    /// When a row happened, in milliseconds.
    pub(crate) fn time(&self, row: usize) -> i64 {
        self.times[row]
    }

    /// The place in time of a row.
    pub(crate) fn moment(&self, row: usize) -> Moment {
        (self.times[row], self.first_sequence() + row as u64)
    }

    /// The row at a position of the order by time.
    pub(crate) fn in_time_order(&self, position: usize) -> usize {
        self.order
            .as_ref()
            .map_or(position, |order| usize::from(order[position]))
    }

    /// The first and the last moment; `None` for an empty block.
    pub(crate) fn moments(&self) -> Option<(Moment, Moment)> {
        let last = self.rows.len().checked_sub(1)?;
        Some((
            self.moment(self.in_time_order(0)),
            self.moment(self.in_time_order(last)),
        ))
    }

    /// The positions in the order by time from which `reached` holds on; it must hold for all later moments.
    pub(crate) fn position_where(&self, reached: impl Fn(Moment) -> bool) -> usize {
        let (mut low, mut high) = (0, self.rows.len());
        while low < high {
            let middle = low.midpoint(high);
            if reached(self.moment(self.in_time_order(middle))) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// The rows with a sequence below `size` in a range of time.
    pub(crate) fn within(&self, range: &Range, size: u64) -> RowSet {
        let known = size.saturating_sub(self.first_sequence()).min(self.rows.len() as u64) as usize;
        let mut set = RowSet::up_to(known, self.rows.len());
        if let Some(from) = range.from {
            set.subtract(&self.before(from));
        }
        if let Some(to) = range.to {
            set.intersect(&self.before(to));
        }
        set
    }

    /// The rows that happened before an instant.
    pub(crate) fn before(&self, instant: Timestamp) -> RowSet {
        let length = self.rows.len();
        let end = self.position_where(|(time, _)| time >= instant.millis());
        let Some(order) = &self.order else {
            return RowSet::up_to(end, length);
        };
        if end == length {
            return RowSet::up_to(length, length);
        }
        let mut set = RowSet::empty(length);
        order[..end].iter().for_each(|row| set.insert(usize::from(*row)));
        set
    }

    /// Reads the event of a row.
    pub(crate) fn event(&self, row: usize) -> Result<Event<'_>, Error> {
        let row = &self.rows[row];
        Event::parse(&row.parts).map_err(|_| Error::Corrupt { sequence: row.sequence })
    }

    /// What facets count of the actor or of the targets: one value each, with its label. `None` for other fields, whose
    /// facets count the terms.
    pub(crate) fn subjects(&self, field: &Field) -> Option<&Subjects> {
        match field {
            Field::Actor => Some(&self.actors),
            Field::Target => Some(&self.targets),
            _ => None,
        }
    }
}
