//! Found rows one after the other, newest or oldest first, over all blocks.
//!
//! A block is looked into only when the walk reaches its newest (or oldest) event, so that the first rows of a long listing
//! cost what they cost and no more. The walk holds blocks, no lock: its reader may be as slow as it likes.

use std::{cmp::Ordering, collections::BinaryHeap, sync::Arc};

use trailbook_ledger::Row;

use crate::{
    Error,
    block::{Block, Moment},
    plan::Search,
    row_set::RowSet,
};

/// In which order events are listed: by `occurred_at`, then by sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Newest first.
    #[default]
    Descending,
    /// Oldest first.
    Ascending,
}

/// A moment such that what comes earlier in the listing is greater.
type Rank = (i64, u64);

impl Order {
    /// Turns a moment to a rank and back.
    fn turn(self, moment: Moment) -> Rank {
        match self {
            Self::Descending => moment,
            Self::Ascending => (!moment.0, !moment.1),
        }
    }
}

/// The rows that a question finds, in order; made by [`crate::View::rows`].
///
/// An error ends it.
pub struct Rows {
    search: Search,
    order: Order,
    after: Option<Moment>,
    /// Blocks that have not been looked into; the last comes first.
    waiting: Vec<Arc<Block>>,
    /// Blocks that have been, by the rank of their next row.
    open: BinaryHeap<Open>,
}

struct Open {
    rank: Rank,
    block: Arc<Block>,
    found: RowSet,
    /// The positions in the block's order by time that are left, the next one first (ascending) or last (descending).
    left: std::ops::Range<usize>,
    next: usize,
}

impl Rows {
    /// The rows of a search; with `after`, those that come after this moment in the order.
    pub(crate) fn new(blocks: &[Arc<Block>], search: Search, order: Order, after: Option<Moment>) -> Self {
        let mut waiting = blocks.to_vec();
        waiting.sort_by_key(|block| first_rank(block, order));
        Self {
            search,
            order,
            after,
            waiting,
            open: BinaryHeap::new(),
        }
    }

    fn advance(&mut self) -> Result<Option<Arc<Row>>, Error> {
        while let Some(block) = self.waiting.pop_if(|block| {
            self.open
                .peek()
                .is_none_or(|open| first_rank(block, self.order).is_some_and(|rank| rank > open.rank))
        }) {
            self.look_into(block)?;
        }
        let Some(mut first) = self.open.pop() else {
            return Ok(None);
        };
        let row = Arc::clone(&first.block.rows()[first.next]);
        if first.step(self.order) {
            self.open.push(first);
        }
        Ok(Some(row))
    }

    fn look_into(&mut self, block: Arc<Block>) -> Result<(), Error> {
        let left = self.positions(&block);
        if left.is_empty() {
            return Ok(());
        }
        let found = self.search.select(&block)?;
        let mut open = Open {
            rank: (0, 0),
            block,
            found,
            left,
            next: 0,
        };
        if open.step(self.order) {
            self.open.push(open);
        }
        Ok(())
    }

    /// The positions in a block's order by time that lie in the range and after what was handed out before.
    fn positions(&self, block: &Block) -> std::ops::Range<usize> {
        let range = &self.search.range;
        let mut start = range
            .from
            .map_or(0, |from| block.position_where(|(time, _)| time >= from.millis()));
        let mut end = range.to.map_or(block.rows().len(), |to| {
            block.position_where(|(time, _)| time >= to.millis())
        });
        match (self.after, self.order) {
            (Some(after), Order::Descending) => end = end.min(block.position_where(|moment| moment >= after)),
            (Some(after), Order::Ascending) => start = start.max(block.position_where(|moment| moment > after)),
            (None, _) => {}
        }
        start..end
    }
}

impl Iterator for Rows {
    type Item = Result<Arc<Row>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose();
        if let Some(Err(_)) = next {
            self.waiting.clear();
            self.open.clear();
        }
        next
    }
}

impl Open {
    /// Goes to the next found row; `false` when there is none.
    fn step(&mut self, order: Order) -> bool {
        loop {
            let position = match order {
                Order::Descending => self.left.next_back(),
                Order::Ascending => self.left.next(),
            };
            let Some(position) = position else { return false };
            let row = self.block.in_time_order(position);
            if self.found.contains(row) {
                self.next = row;
                self.rank = order.turn(self.block.moment(row));
                return true;
            }
        }
    }
}

fn first_rank(block: &Block, order: Order) -> Option<Rank> {
    let (oldest, newest) = block.moments()?;
    Some(order.turn(if order == Order::Descending { newest } else { oldest }))
}

impl Ord for Open {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Open {}
