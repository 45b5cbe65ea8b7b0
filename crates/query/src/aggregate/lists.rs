//! The terms of each row of a block, the other way round than postings.

use trailbook_event::filter::Field;

use crate::block::Block;

/// A list of terms for each row.
pub(super) struct Lists {
    ends: Vec<u32>,
    terms: Vec<u32>,
}

impl Lists {
    /// The values that facets count: of actors and targets one each.
    pub(super) fn of_facet(block: &Block, field: &Field) -> Self {
        match block.subjects(field) {
            Some(subjects) => Self::new(block.rows().len(), || {
                subjects.iter().map(|subject| (subject.row, subject.value))
            }),
            None => Self::of_values(block, field),
        }
    }

    /// All values, as often as a row has them.
    pub(super) fn of_values(block: &Block, field: &Field) -> Self {
        let terms = block.terms();
        Self::new(block.rows().len(), || {
            terms
                .of_field(field)
                .flat_map(|term| terms.postings(term).iter().map(move |row| (usize::from(*row), term)))
        })
    }

    fn new<I: Iterator<Item = (usize, u32)>>(rows: usize, pairs: impl Fn() -> I) -> Self {
        let mut next = vec![0_u32; rows + 1];
        pairs().for_each(|(row, _)| next[row + 1] += 1);
        for row in 0..rows {
            next[row + 1] += next[row];
        }
        let mut terms = vec![0; next[rows] as usize];
        for (row, term) in pairs() {
            terms[next[row] as usize] = term;
            next[row] += 1;
        }
        next.truncate(rows);
        Self { ends: next, terms }
    }

    pub(super) fn of(&self, row: usize) -> &[u32] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.terms[start as usize..self.ends[row] as usize]
    }
}
