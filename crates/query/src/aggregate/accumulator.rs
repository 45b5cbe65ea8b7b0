//! What is remembered of the values of each group, and the number that comes out.

use rustc_hash::{FxHashMap, FxHashSet};
use trailbook_event::filter::Field;

use super::{DISTINCT_MAX, Operation, groups::Members, lists::Lists, sum::Sum};
use crate::{Error, block::Block, percentile::nearest_rank, row_set::RowSet};

/// How many distinct values are remembered.
#[derive(Default)]
pub(super) struct Budget {
    used: usize,
}

impl Budget {
    fn take(&mut self) -> Result<(), Error> {
        self.used += 1;
        if self.used > DISTINCT_MAX {
            return Err(Error::too_large(format!(
                "The request has more than {DISTINCT_MAX} distinct values to count or rank; choose a smaller range or a \
                 narrower filter."
            )));
        }
        Ok(())
    }
}

/// One metric's state for every group.
pub(super) struct Accumulators {
    operation: Operation,
    field: Option<Field>,
    states: Vec<State>,
}

#[derive(Default)]
struct State {
    /// Events (count), or numbers.
    count: u64,
    sum: Sum,
    extreme: Option<f64>,
    /// How often each number came, by its bits.
    numbers: FxHashMap<u64, u64>,
    texts: FxHashSet<Box<str>>,
}

impl Accumulators {
    pub(super) fn new(operation: Operation, field: Option<Field>) -> Self {
        Self {
            operation,
            field,
            states: Vec::new(),
        }
    }

    /// Adds rows of a block to their groups.
    pub(super) fn add(
        &mut self,
        block: &Block,
        rows: &RowSet,
        members: &Members,
        budget: &mut Budget,
    ) -> Result<(), Error> {
        let Some(field) = self.field.clone() else {
            rows.iter()
                .flat_map(|row| members.of(row))
                .for_each(|group| self.state(*group).count += 1);
            return Ok(());
        };
        match self.operation {
            Operation::Count => {
                let lists = Lists::of_facet(block, &field)?;
                let having = rows.iter().filter(|row| !lists.of(*row).is_empty());
                having
                    .flat_map(|row| members.of(row))
                    .for_each(|group| self.state(*group).count += 1);
                Ok(())
            }
            Operation::Distinct => self.add_texts(&Lists::of_facet(block, &field)?, rows, members, budget),
            _ => self.add_numbers(block, &field, rows, members, budget),
        }
    }

    fn add_texts(&mut self, lists: &Lists, rows: &RowSet, members: &Members, budget: &mut Budget) -> Result<(), Error> {
        let mut met = FxHashSet::default();
        for row in rows.iter() {
            for (term, group) in lists
                .of(row)
                .iter()
                .flat_map(|term| members.of(row).iter().map(move |group| (term, group)))
            {
                // The terms of a block come again and again; only a new pair is worth comparing texts.
                if met.insert((*term, *group)) && self.state(*group).texts.insert(lists.terms.text(*term).into()) {
                    budget.take()?;
                }
            }
        }
        Ok(())
    }

    fn add_numbers(
        &mut self,
        block: &Block,
        field: &Field,
        rows: &RowSet,
        members: &Members,
        budget: &mut Budget,
    ) -> Result<(), Error> {
        let lists = Lists::of_values(block, field)?;
        let numbers: Vec<Option<f64>> = lists.terms.iter().map(|(text, _)| number(text)).collect();
        let operation = self.operation;
        for row in rows.iter() {
            for number in lists.of(row).iter().filter_map(|term| numbers[*term as usize]) {
                for group in members.of(row) {
                    if self.state(*group).add_number(operation, number) {
                        budget.take()?;
                    }
                }
            }
        }
        Ok(())
    }

    fn state(&mut self, group: u32) -> &mut State {
        let group = group as usize;
        if self.states.len() <= group {
            self.states.resize_with(group + 1, State::default);
        }
        &mut self.states[group]
    }

    /// The metric of a group.
    pub(super) fn value(&self, group: usize) -> Option<f64> {
        let nothing = State::default();
        let state = self.states.get(group).unwrap_or(&nothing);
        let value = match self.operation {
            Operation::Count => state.count as f64,
            Operation::Sum => state.sum.value(),
            Operation::Average if state.count == 0 => return None,
            Operation::Average => state.sum.value() / state.count as f64,
            Operation::Minimum | Operation::Maximum => state.extreme?,
            Operation::Percentile(percent) => state.percentile(percent)?,
            Operation::Distinct => state.texts.len() as f64,
        };
        // Beyond the largest number there is no value.
        value.is_finite().then_some(value)
    }
}

impl State {
    /// `true` when a number has to be remembered that was not known before.
    fn add_number(&mut self, operation: Operation, number: f64) -> bool {
        self.count += 1;
        match operation {
            Operation::Sum | Operation::Average => self.sum.add(number),
            Operation::Minimum => self.extreme = Some(self.extreme.map_or(number, |least| least.min(number))),
            Operation::Maximum => self.extreme = Some(self.extreme.map_or(number, |most| most.max(number))),
            Operation::Percentile(_) => {
                let times = self.numbers.entry(number.to_bits()).or_default();
                *times += 1;
                return *times == 1;
            }
            Operation::Count | Operation::Distinct => {}
        }
        false
    }

    fn percentile(&self, percent: u8) -> Option<f64> {
        let mut sorted: Vec<(f64, u64)> = self
            .numbers
            .iter()
            .map(|(bits, count)| (f64::from_bits(*bits), *count))
            .collect();
        sorted.sort_unstable_by(|(left, _), (right, _)| left.total_cmp(right));
        nearest_rank(&sorted, u64::from(percent))
    }
}

/// The number that a metadata value's text is: digits with an optional sign, fraction and exponent.
pub(super) fn number(text: &str) -> Option<f64> {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let unsigned = text.strip_prefix('-').unwrap_or(text).as_bytes();
    if !is_digit(unsigned.first()) || !is_digit(unsigned.last()) {
        return None;
    }
    // Minus zero is zero.
    text.parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .map(|number| number + 0.0)
}
