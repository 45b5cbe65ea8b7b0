//! The traces that have a certain event.

use rustc_hash::FxHashSet;
use trailbook_event::{filter::Field, text};

use super::DISTINCT_MAX;
use crate::{Error, block::Block, plan::Search, row_set::RowSet};

/// Trace ids, folded: like filters, they are compared without case.
pub(super) struct Traces(FxHashSet<String>);

impl Traces {
    /// The traces of the events that a search finds.
    pub(super) fn of<'b>(blocks: impl Iterator<Item = &'b Block>, search: &Search) -> Result<Self, Error> {
        let mut traces = FxHashSet::default();
        for block in blocks {
            let found = search.select(block)?;
            if found.is_empty() {
                continue;
            }
            for (text, rows) in block.terms(&Field::TraceId)?.iter() {
                if rows.iter().any(|row| found.contains(usize::from(*row))) {
                    traces.insert(text::fold_case(text).into_owned());
                }
            }
            if traces.len() > DISTINCT_MAX {
                return Err(Error::too_large(format!(
                    "`in_trace_of` finds more than {DISTINCT_MAX} traces; choose a smaller range or a narrower filter."
                )));
            }
        }
        Ok(Self(traces))
    }

    /// The rows of a block that belong to one of these.
    pub(super) fn rows(&self, block: &Block) -> Result<RowSet, Error> {
        let mut set = RowSet::empty(block.length());
        for (text, rows) in block.terms(&Field::TraceId)?.iter() {
            if self.0.contains(&*text::fold_case(text)) {
                set.insert_all(rows);
            }
        }
        Ok(set)
    }
}
