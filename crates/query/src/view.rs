//! One caller's view of one ledger at one moment: what every question is asked of.

use std::sync::Arc;

use trailbook_event::Timestamp;
use trailbook_ledger::{EventId, Row};

use crate::{
    Error, Question, Scope,
    block::Block,
    cursor::{Cursor, CursorKey, binding},
    plan::{Search, select},
    row_set::RowSet,
    scope::Range,
    tail_index::Snapshot,
    walk::{Order, Rows},
};

/// What a caller may read of a ledger, as it was when the view was opened. Cheap to clone. Every method looks at the
/// caller's own filter; those that count or collect take CPU time in proportion to the ledger: run them where blocking is fine.
#[derive(Clone)]
pub struct View {
    scope: Scope,
    snapshot: Arc<Snapshot>,
    cursor_key: CursorKey,
}

/// Which page.
#[derive(Debug, Clone)]
pub struct PageRequest<'c> {
    /// Which events. With a cursor, the range is that of [`crate::Engine::cursor_range`].
    pub question: Question,
    /// Newest or oldest first.
    pub order: Order,
    /// Most rows of a page, at least 1; the caller has checked its bound.
    pub limit: usize,
    /// [`Page::next`] of the page before; `None` for the first page.
    pub cursor: Option<&'c str>,
}

/// A page of a listing.
#[derive(Debug, Clone)]
pub struct Page {
    /// The events, in the order asked for.
    pub rows: Vec<Arc<Row>>,
    /// Continues after the last row; `None` when there is nothing more.
    pub next: Option<String>,
    /// The resolved range.
    pub range: Range,
    /// The ledger's size that the listing speaks of: that of its first page.
    pub size: u64,
}

/// From an instant to another, both inclusive.
pub(crate) struct Extent {
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

impl View {
    pub(crate) fn new(scope: Scope, snapshot: Arc<Snapshot>, cursor_key: CursorKey) -> Self {
        Self {
            scope,
            snapshot,
            cursor_key,
        }
    }

    /// The ledger's size: answers speak of the events with a sequence below it.
    pub fn size(&self) -> u64 {
        self.snapshot.size
    }

    /// The ledger's epoch.
    pub fn epoch(&self) -> u32 {
        self.snapshot.epoch
    }

    /// A page of the events that a question is about.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a cursor of another listing, and one from before the ledger went on in a new epoch.
    pub fn page(&self, request: &PageRequest<'_>) -> Result<Page, Error> {
        let binding = binding(&self.scope, &request.question.filter);
        let cursor = request
            .cursor
            .map(|text| self.continued(text, request, binding))
            .transpose()?;
        let size = cursor.as_ref().map_or(self.size(), |cursor| cursor.size);
        let search = Search {
            size,
            ..self.search(&request.question)
        };
        let after = cursor.map(|cursor| cursor.last);
        let mut found = Rows::new(&self.snapshot.blocks, search, request.order, after);
        let rows = found.by_ref().take(request.limit).collect::<Result<Vec<_>, _>>()?;
        let range = request.question.range;
        let next = match (found.next().transpose()?, rows.last()) {
            (Some(_), Some(last)) => Some(self.cursor_key.seal(&Cursor {
                order: request.order,
                range,
                epoch: self.epoch(),
                size,
                last: (last.occurred_at.millis(), last.sequence),
                binding,
            })),
            _ => None,
        };
        Ok(Page {
            rows,
            next,
            range,
            size,
        })
    }

    /// A cursor that continues this very listing.
    fn continued(&self, text: &str, request: &PageRequest<'_>, binding: [u8; 16]) -> Result<Cursor, Error> {
        let cursor = self.cursor_key.open(text)?;
        if cursor.epoch != self.epoch() || cursor.size > self.size() {
            return Err(Error::invalid(
                "`cursor` is from before this ledger was restored to an earlier state; begin again without it.",
            ));
        }
        let same = cursor.binding == binding && cursor.order == request.order && cursor.range == request.question.range;
        if !same {
            return Err(Error::invalid(
                "`cursor` belongs to a listing with another organization, filter, range or order; send it with the \
                 parameters of its first page, or begin again without it.",
            ));
        }
        Ok(cursor)
    }

    /// The events that a question is about, one after the other; see [`Rows`].
    pub fn rows(&self, question: &Question, order: Order) -> Rows {
        Rows::new(&self.snapshot.blocks, self.search(question), order, None)
    }

    /// How many events a question is about.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn count(&self, question: &Question) -> Result<u64, Error> {
        let search = self.search(question);
        self.blocks()
            .try_fold(0, |count, block| Ok(count + search.select(block)?.count() as u64))
    }

    /// The event with a Log ID; `None` when there is none, or none that the caller may see.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn event(&self, id: &EventId) -> Result<Option<Arc<Row>>, Error> {
        // Log IDs ascend with the sequence.
        let after = self
            .snapshot
            .blocks
            .partition_point(|block| block.rows().first().is_some_and(|row| row.id <= *id));
        let Some(block) = after.checked_sub(1).map(|place| &self.snapshot.blocks[place]) else {
            return Ok(None);
        };
        let Ok(number) = block.rows().binary_search_by_key(id, |row| row.id) else {
            return Ok(None);
        };
        let mut row = RowSet::empty(block.rows().len());
        row.insert(number);
        let seen = select(block, &self.search(&Question::all()).filter, row)?;
        Ok((!seen.is_empty()).then(|| Arc::clone(&block.rows()[number])))
    }

    /// A question with the caller's own filter.
    pub(crate) fn search(&self, question: &Question) -> Search {
        Search {
            filter: self.scope.narrowed(&question.filter),
            range: question.range,
            size: self.size(),
        }
    }

    /// From when to when an answer in buckets reaches: the range of the search, and where that is open, its first or last
    /// event. `None` when there is nothing between.
    pub(crate) fn extent(&self, search: &Search) -> Result<Option<Extent>, Error> {
        let end = |order| {
            let first = Rows::new(&self.snapshot.blocks, search.clone(), order, None)
                .next()
                .transpose()?;
            Ok(first.map(|row| row.occurred_at))
        };
        let first = search
            .range
            .from
            .map_or_else(|| end(Order::Ascending), |from| Ok(Some(from)))?;
        let before = |to: Timestamp| Timestamp::from_millis(to.millis().saturating_sub(1));
        let last = search
            .range
            .to
            .map_or_else(|| end(Order::Descending), |to| Ok(Some(before(to))))?;
        Ok(first
            .zip(last)
            .filter(|(first, last)| first <= last)
            .map(|(first, last)| Extent { first, last }))
    }

    pub(crate) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.snapshot.blocks.iter().map(Arc::as_ref)
    }
}
