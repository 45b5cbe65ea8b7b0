//! Which groups there are, and which of them each row belongs to.

use rustc_hash::FxHashMap;
use trailbook_event::{Timestamp, filter::Field};

use super::{AggregateRow, GROUPS_MAX, lists::Lists};
use crate::{Error, block::Block, calendar::bucket_of, row_set::RowSet};

/// In place of a term: the row has no value.
const NO_VALUE: u32 = u32::MAX;

/// A group: its interval (0 without intervals) and its values.
type Key = (usize, Vec<Option<Box<str>>>);

/// The groups met so far, numbered by appearance.
pub(super) struct Groups<'r> {
    fields: &'r [Field],
    /// The beginnings of the intervals.
    starts: Option<Vec<i64>>,
    known: FxHashMap<Key, u32>,
}

/// The groups of each row of one block.
pub(super) struct Members {
    ends: Vec<u32>,
    groups: Vec<u32>,
}

impl Members {
    pub(super) fn of(&self, row: usize) -> &[u32] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.groups[start as usize..self.ends[row] as usize]
    }
}

impl<'r> Groups<'r> {
    pub(super) fn new(fields: &'r [Field], starts: Option<Vec<i64>>) -> Self {
        let mut known = FxHashMap::default();
        if fields.is_empty() && starts.is_none() {
            known.insert((0, Vec::new()), 0);
        }
        Self { fields, starts, known }
    }

    /// The groups of the found rows.
    pub(super) fn assign(&mut self, block: &Block, found: &RowSet) -> Result<Members, Error> {
        let lists = self.fields.iter().map(|field| Lists::of_facet(block, field));
        let lists: Vec<Lists> = lists.collect::<Result<_, _>>()?;
        let moments = self.starts.as_ref().map(|_| block.moments()).transpose()?;
        let mut met = FxHashMap::default();
        let mut members = Members {
            ends: Vec::with_capacity(found.length()),
            groups: Vec::new(),
        };
        let mut values: Vec<Vec<u32>> = vec![Vec::new(); lists.len()];
        for row in 0..found.length() {
            if found.contains(row) {
                let interval = match (&self.starts, &moments) {
                    (Some(starts), Some(moments)) => bucket_of(starts, moments.time(row)),
                    _ => 0,
                };
                for (values, list) in values.iter_mut().zip(&lists) {
                    distinct(list.of(row), values);
                }
                self.combine(&lists, interval, &values, &mut met, &mut members.groups)?;
            }
            members.ends.push(members.groups.len() as u32);
        }
        Ok(members)
    }

    /// Adds the group of every combination of values. `met` remembers this block's combinations by their terms.
    fn combine(
        &mut self,
        lists: &[Lists],
        interval: usize,
        values: &[Vec<u32>],
        met: &mut FxHashMap<(usize, Vec<u32>), u32>,
        groups: &mut Vec<u32>,
    ) -> Result<(), Error> {
        let mut places = vec![0; values.len()];
        loop {
            let terms: Vec<u32> = values
                .iter()
                .zip(&places)
                .map(|(values, place)| values[*place])
                .collect();
            let combination = (interval, terms);
            let group = match met.get(&combination) {
                Some(group) => *group,
                None => {
                    let group = self.number(lists, &combination)?;
                    met.insert(combination, group);
                    group
                }
            };
            groups.push(group);
            let Some(turning) = (0..places.len()).rev().find(|at| places[*at] + 1 < values[*at].len()) else {
                return Ok(());
            };
            places[turning] += 1;
            places[turning + 1..].fill(0);
        }
    }

    fn number(&mut self, lists: &[Lists], (interval, terms): &(usize, Vec<u32>)) -> Result<u32, Error> {
        let text = |(term, list): (&u32, &Lists)| (*term != NO_VALUE).then(|| Box::from(list.terms.text(*term)));
        let next = self.known.len();
        let number = *self
            .known
            .entry((*interval, terms.iter().zip(lists).map(text).collect()))
            .or_insert(next as u32);
        if self.known.len() > GROUPS_MAX {
            return Err(Error::too_large(format!(
                "The answer has more than {GROUPS_MAX} groups; group by fewer fields, or choose a longer interval or a \
                 smaller range."
            )));
        }
        Ok(number)
    }

    /// The answer: groups by interval and then by value, those without a value first.
    pub(super) fn rows(self, metrics: impl Fn(usize) -> Vec<Option<f64>>) -> Vec<AggregateRow> {
        let mut groups: Vec<(Key, u32)> = self.known.into_iter().collect();
        groups.sort_unstable();
        let start = |interval: usize| {
            self.starts
                .as_ref()
                .map(|starts| Timestamp::from_millis(starts[interval]))
        };
        groups
            .into_iter()
            .map(|((interval, values), number)| AggregateRow {
                group: values.into_iter().map(|value| value.map(String::from)).collect(),
                start: start(interval),
                metrics: metrics(number as usize),
            })
            .collect()
    }
}

/// A row's distinct terms, or the one that says that it has none.
fn distinct(terms: &[u32], into: &mut Vec<u32>) {
    into.clear();
    into.extend_from_slice(terms);
    into.sort_unstable();
    into.dedup();
    if into.is_empty() {
        into.push(NO_VALUE);
    }
}
