//! Found rows one after the other, newest or oldest first, over all blocks.
//!
//! A block is looked into only when the walk reaches its newest (or oldest) event, so that the first rows of a long listing
//! cost what they cost and no more. The walk holds blocks, no lock: its reader may be as slow as it likes.

use std::{
    cmp::Ordering,
    collections::{BinaryHeap, VecDeque},
    sync::Arc,
};

use trailbook_ledger::Row;

use crate::{
    Error,
    block::{Block, Moment, Moments},
    history::Strand,
    plan::Search,
    row_set::RowSet,
};

/// Rows that are fetched at a time first; then twice as many, and so on.
const FIRST_ROWS: usize = 64;
/// Most rows that are fetched at a time: pages of several hundred rows and their dictionaries are then read once or twice.
const ROWS_MAX: usize = 4_096;

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

/// A found row.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) block: Block,
    pub(crate) row: usize,
    pub(crate) moment: Moment,
}

/// The places of the rows that a question finds, in order. After an error there is nothing more to be asked of it.
pub(crate) struct Walk {
    search: Search,
    order: Order,
    after: Option<Moment>,
    /// The strands before the first step.
    coming: Vec<Strand>,
    /// Strands whose next block has not been looked into, by a rank that none of its rows exceeds.
    waiting: BinaryHeap<Waiting>,
    /// Blocks that have been, by the rank of their next row.
    open: BinaryHeap<Open>,
}

struct Waiting {
    rank: Rank,
    strand: Strand,
    /// How many of the strand's blocks have been looked into.
    passed: usize,
}

struct Open {
    rank: Rank,
    block: Block,
    moments: Arc<Moments>,
    found: RowSet,
    /// The positions in the block's order by time that are left, the next one first (ascending) or last (descending).
    left: std::ops::Range<usize>,
    next: usize,
}

impl Walk {
    /// The rows of a search; with `after`, those that come after this moment in the order.
    pub(crate) fn new(strands: &[Strand], search: Search, order: Order, after: Option<Moment>) -> Self {
        Self {
            search,
            order,
            after,
            coming: strands.to_vec(),
            waiting: BinaryHeap::with_capacity(strands.len()),
            open: BinaryHeap::new(),
        }
    }

    /// Lets a strand wait until the walk reaches its next block.
    fn wait(&mut self, strand: Strand, passed: usize) -> Result<(), Error> {
        let Some(block) = nth(&strand, passed, self.order) else {
            return Ok(());
        };
        let (oldest, newest) = block.reach()?;
        let rank = match self.order {
            Order::Descending => self.order.turn((newest, u64::MAX)),
            Order::Ascending => self.order.turn((oldest, 0)),
        };
        self.waiting.push(Waiting { rank, strand, passed });
        Ok(())
    }

    fn advance(&mut self) -> Result<Option<Hit>, Error> {
        for strand in std::mem::take(&mut self.coming) {
            self.wait(strand, 0)?;
        }
        while let Some(waiting) = self.next_waiting() {
            let Waiting { strand, passed, .. } = waiting;
            if let Some(block) = nth(&strand, passed, self.order) {
                self.look_into(block.clone())?;
            }
            self.wait(strand, passed + 1)?;
        }
        let Some(mut first) = self.open.pop() else {
            return Ok(None);
        };
        let hit = Hit {
            block: first.block.clone(),
            row: first.next,
            moment: self.order.turn(first.rank),
        };
        if first.step(self.order) {
            self.open.push(first);
        }
        Ok(Some(hit))
    }

    /// The waiting strand that may have the next row, if any may.
    fn next_waiting(&mut self) -> Option<Waiting> {
        let rank = self.waiting.peek()?.rank;
        let reached = self.open.peek().is_none_or(|open| rank > open.rank);
        reached.then(|| self.waiting.pop()).flatten()
    }

    fn look_into(&mut self, block: Block) -> Result<(), Error> {
        let found = self.search.select(&block)?;
        if found.is_empty() {
            return Ok(());
        }
        let moments = block.moments()?;
        let left = self.positions(&moments, found.length());
        let mut open = Open {
            rank: (0, 0),
            block,
            moments,
            found,
            left,
            next: 0,
        };
        if open.step(self.order) {
            self.open.push(open);
        }
        Ok(())
    }

    /// The positions in a block's order by time that come after what was handed out before.
    fn positions(&self, moments: &Moments, length: usize) -> std::ops::Range<usize> {
        match (self.after, self.order) {
            (Some(after), Order::Descending) => 0..moments.position_where(|moment| moment >= after),
            (Some(after), Order::Ascending) => moments.position_where(|moment| moment > after)..length,
            (None, _) => 0..length,
        }
    }
}

impl Iterator for Walk {
    type Item = Result<Hit, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

/// The rows of hits, in their order: those of one block at a time.
pub(crate) fn fetch(hits: &[Hit]) -> Result<Vec<Arc<Row>>, Error> {
    let mut rows: Vec<Option<Arc<Row>>> = vec![None; hits.len()];
    let mut blocks: Vec<(&Block, Vec<usize>)> = Vec::new();
    for (place, hit) in hits.iter().enumerate() {
        match blocks.iter_mut().find(|(block, _)| block.is_same(&hit.block)) {
            Some((_, places)) => places.push(place),
            None => blocks.push((&hit.block, vec![place])),
        }
    }
    for (block, mut places) in blocks {
        places.sort_unstable_by_key(|place| hits[*place].row);
        let numbers: Vec<usize> = places.iter().map(|place| hits[*place].row).collect();
        for (place, row) in places.into_iter().zip(block.rows(&numbers)?) {
            rows[place] = Some(row);
        }
    }
    let all: Option<Vec<Arc<Row>>> = rows.into_iter().collect();
    all.ok_or_else(|| Error::corrupt("a segment has fewer rows than its runs say; run `trailbook fsck`"))
}

/// The rows that a question finds, in order; made by [`crate::View::rows`].
///
/// Rows are found some at a time and read after that. An error ends it.
pub struct Rows {
    walk: Option<Walk>,
    fetched: VecDeque<Arc<Row>>,
    at_a_time: usize,
}

/// Found rows that are not yet read, so that several batches can be read side by side.
pub struct Batch(Vec<Hit>);

impl Batch {
    /// Reads them, in their order.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Storage`].
    pub fn read(&self) -> Result<Vec<Arc<Row>>, Error> {
        fetch(&self.0)
    }
}

impl Rows {
    pub(crate) fn new(walk: Walk) -> Self {
        Self {
            walk: Some(walk),
            fetched: VecDeque::new(),
            at_a_time: FIRST_ROWS,
        }
    }

    /// The next found rows, of which there are more from call to call, up to some thousand; `None` when there are none left.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Storage`].
    pub fn next_batch(&mut self) -> Result<Option<Batch>, Error> {
        let Some(walk) = &mut self.walk else { return Ok(None) };
        let hits = walk.take(self.at_a_time).collect::<Result<Vec<_>, _>>();
        self.at_a_time = ROWS_MAX.min(2 * self.at_a_time);
        if !hits.as_ref().is_ok_and(|hits| !hits.is_empty()) {
            self.walk = None;
        }
        Ok(Some(hits?).filter(|hits| !hits.is_empty()).map(Batch))
    }

    fn advance(&mut self) -> Result<Option<Arc<Row>>, Error> {
        if self.fetched.is_empty()
            && let Some(batch) = self.next_batch()?
        {
            self.fetched = batch.read()?.into();
        }
        Ok(self.fetched.pop_front())
    }
}

impl Iterator for Rows {
    type Item = Result<Arc<Row>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose();
        if !matches!(next, Some(Ok(_))) {
            self.walk = None;
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
            let row = self.moments.in_time_order(position);
            if self.found.contains(row) {
                self.next = row;
                self.rank = order.turn(self.moments.moment(row));
                return true;
            }
        }
    }
}

/// The strand's block at a place of the listing's order.
fn nth(strand: &Strand, place: usize, order: Order) -> Option<&Block> {
    match order {
        Order::Descending => strand.iter().rev().nth(place),
        Order::Ascending => strand.get(place),
    }
}

macro_rules! ordered_by_rank {
    ($($name:ident),*) => {$(
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.rank.cmp(&other.rank)
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.rank == other.rank
            }
        }

        impl Eq for $name {}
    )*};
}

ordered_by_rank!(Waiting, Open);
