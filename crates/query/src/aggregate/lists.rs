//! The terms of each row of a block, the other way round than postings.

use trailbook_event::filter::Field;

use crate::{
    Error,
    block::{Block, Terms},
};

/// A list of terms for each row.
pub(super) struct Lists {
    ends: Vec<u32>,
    numbers: Vec<u32>,
    /// The terms that the lists number.
    pub(super) terms: Terms,
}

impl Lists {
    /// The values that facets count: of actors and targets one each.
    pub(super) fn of_facet(block: &Block, field: &Field) -> Result<Self, Error> {
        let Some(subjects) = block.subjects(field)? else {
            return Self::of_values(block, field);
        };
        let terms = block.terms(field)?;
        let (ends, numbers) = lists(block.length(), || {
            subjects.iter().map(|subject| (subject.row, subject.value))
        });
        Ok(Self { ends, numbers, terms })
    }

    /// All values, as often as a row has them.
    pub(super) fn of_values(block: &Block, field: &Field) -> Result<Self, Error> {
        let terms = block.terms(field)?;
        let (ends, numbers) = lists(block.length(), || {
            (0..)
                .zip(terms.iter())
                .flat_map(|(term, (_, rows))| rows.iter().map(move |row| (usize::from(*row), term)))
        });
        Ok(Self { ends, numbers, terms })
    }

    pub(super) fn of(&self, row: usize) -> &[u32] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.numbers[start as usize..self.ends[row] as usize]
    }
}

/// Where each row's list ends, and all lists, one after the other.
fn lists<I: Iterator<Item = (usize, u32)>>(rows: usize, pairs: impl Fn() -> I) -> (Vec<u32>, Vec<u32>) {
    let mut next = vec![0_u32; rows + 1];
    pairs().for_each(|(row, _)| next[row + 1] += 1);
    for row in 0..rows {
        next[row + 1] += next[row];
    }
    let mut numbers = vec![0; next[rows] as usize];
    for (row, number) in pairs() {
        numbers[next[row] as usize] = number;
        next[row] += 1;
    }
    next.truncate(rows);
    (next, numbers)
}
