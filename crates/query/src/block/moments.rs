//! Where and when the rows of a block are.

use std::ops::Range;

use trailbook_event::Timestamp;
use trailbook_ledger::Row;

use crate::row_set::RowSet;

/// An event's place in time: `occurred_at` in milliseconds, then sequence.
pub(crate) type Moment = (i64, u64);

/// `occurred_at` and sequence of each row, so that looking for them does not touch the rows.
#[derive(Debug)]
pub(crate) struct Moments {
    /// In milliseconds.
    times: Box<[i64]>,
    /// Row numbers by (`occurred_at`, sequence); `None` when that is the order of the rows.
    order: Option<Box<[u16]>>,
    first_sequence: u64,
    /// How far each row's sequence is above the first; `None` when they follow one another.
    sequences: Option<Box<[u32]>>,
}

impl Moments {
    /// Of rows in sequence order.
    pub(crate) fn of_rows(rows: &[impl AsRef<Row>]) -> Self {
        let times: Box<[i64]> = rows.iter().map(|row| row.as_ref().occurred_at.millis()).collect();
        let order = (!times.is_sorted()).then(|| {
            let mut order: Box<[u16]> = (0..times.len()).map(|row| row as u16).collect();
            order.sort_by_key(|row| times[usize::from(*row)]);
            order
        });
        let sequences: Vec<u64> = rows.iter().map(|row| row.as_ref().sequence).collect();
        let first_sequence = sequences.first().copied().unwrap_or_default();
        Self {
            times,
            order,
            first_sequence,
            sequences: distances(&sequences, first_sequence),
        }
    }

    /// Of rows in the order of their moments; `first_sequence` is not above any sequence, nor more than 2³² below. `None` when
    /// they are not that.
    pub(crate) fn in_order(times: Vec<i64>, sequences: &[u64], first_sequence: u64) -> Option<Self> {
        let moments = || times.iter().zip(sequences);
        let is_near = |sequence: &u64| {
            sequence
                .checked_sub(first_sequence)
                .is_some_and(|distance| distance <= u64::from(u32::MAX))
        };
        let fits = times.len() == sequences.len() && sequences.iter().all(is_near);
        (fits && moments().is_sorted()).then(|| Self {
            order: None,
            first_sequence,
            sequences: distances(sequences, first_sequence),
            times: times.into(),
        })
    }

    /// When a row happened, in milliseconds.
    pub(crate) fn time(&self, row: usize) -> i64 {
        self.times[row]
    }

    /// The place in time of a row.
    pub(crate) fn moment(&self, row: usize) -> Moment {
        (self.times[row], self.sequence(row))
    }

    fn sequence(&self, row: usize) -> u64 {
        let distance = self
            .sequences
            .as_ref()
            .map_or(row as u64, |sequences| u64::from(sequences[row]));
        self.first_sequence + distance
    }

    /// Sequences between which the rows lie.
    pub(crate) fn sequences(&self) -> Range<u64> {
        let distance = match &self.sequences {
            Some(sequences) => sequences.iter().max().map_or(0, |most| u64::from(*most) + 1),
            None => self.times.len() as u64,
        };
        self.first_sequence..self.first_sequence + distance
    }

    /// The row at a position of the order by time.
    pub(crate) fn in_time_order(&self, position: usize) -> usize {
        self.order
            .as_ref()
            .map_or(position, |order| usize::from(order[position]))
    }

    /// Whether the rows stand in the order of their moments.
    pub(crate) fn are_in_order(&self) -> bool {
        self.order.is_none()
    }

    /// When the oldest and the newest row happened; an empty block has none and says zero.
    pub(crate) fn reach(&self) -> (i64, i64) {
        let last = self.times.len().saturating_sub(1);
        let time = |position| {
            self.times
                .get(self.in_time_order(position))
                .copied()
                .unwrap_or_default()
        };
        (time(0), time(last))
    }

    /// The positions in the order by time from which `reached` holds on; it must hold for all later moments.
    pub(crate) fn position_where(&self, reached: impl Fn(Moment) -> bool) -> usize {
        let (mut low, mut high) = (0, self.times.len());
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

    /// The rows that happened before an instant.
    pub(crate) fn before(&self, instant: Timestamp) -> RowSet {
        let length = self.times.len();
        let end = self.position_where(|(time, _)| time >= instant.millis());
        let Some(order) = self.order.as_ref().filter(|_| end < length) else {
            return RowSet::up_to(end, length);
        };
        let mut set = RowSet::empty(length);
        order[..end].iter().for_each(|row| set.insert(usize::from(*row)));
        set
    }

    /// The rows with these sequences.
    pub(crate) fn with_sequences(&self, wanted: Range<u64>) -> RowSet {
        let length = self.times.len();
        let mut set = RowSet::empty(length);
        (0..length)
            .filter(|row| wanted.contains(&self.sequence(*row)))
            .for_each(|row| set.insert(row));
        set
    }

    /// Bytes that they take in memory.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>() + 12 * self.times.len()
    }
}

fn distances(sequences: &[u64], first: u64) -> Option<Box<[u32]>> {
    let follow = sequences
        .iter()
        .zip(first..)
        .all(|(sequence, expected)| *sequence == expected);
    (!follow).then(|| sequences.iter().map(|sequence| (sequence - first) as u32).collect())
}
