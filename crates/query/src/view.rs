//! One caller's view of one ledger at one moment: what every question is asked of.

use std::{ops::Range as Span, sync::Arc};

use trailbook_event::Timestamp;
use trailbook_ledger::{EventId, Row};

use crate::{
    Error, Question, Scope,
    block::Block,
    cursor::{Cursor, CursorKey, binding},
    history::{History, Strand},
    plan::{Search, select},
    row_set::RowSet,
    scope::Range,
    walk::{Hit, Order, Rows, Walk, fetch},
};

/// What a caller may read of a ledger, as it was when the view was opened. Cheap to clone. Every method looks at the
/// caller's own filter; those that count or collect take CPU time in proportion to the ledger: run them where blocking is fine.
#[derive(Clone)]
pub struct View {
    scope: Scope,
    /// Those that answers speak of.
    sequences: Span<u64>,
    epoch: u32,
    strands: Arc<[Strand]>,
    history: Arc<History>,
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

/// Where a long listing stands, so that it can go on after whatever interrupted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The ledger's size that the listing speaks of: later arrivals are not part of it.
    pub size: u64,
    /// The last event that was handed out: when it occurred, milliseconds, and its sequence. `None` at the beginning.
    pub last: Option<(i64, u64)>,
}

/// From an instant to another, both inclusive.
pub(crate) struct Extent {
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

impl View {
    /// A view of the first `size` rows in the blocks of `strands`; those of `history` are among them.
    pub(crate) fn new(
        scope: Scope,
        (size, epoch): (u64, u32),
        strands: Vec<Strand>,
        history: Arc<History>,
        cursor_key: CursorKey,
    ) -> Self {
        Self {
            scope,
            sequences: 0..size,
            epoch,
            strands: strands.into(),
            history,
            cursor_key,
        }
    }

    /// The ledger's size: answers speak of the events with a sequence below it.
    pub fn size(&self) -> u64 {
        self.sequences.end
    }

    /// The view of only those of its events that have these sequences.
    #[must_use]
    pub fn between(&self, sequences: Span<u64>) -> Self {
        let own = &self.sequences;
        Self {
            sequences: own.start.max(sequences.start)..own.end.min(sequences.end),
            ..self.clone()
        }
    }

    /// The ledger's epoch.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// A page of the events that a question is about.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a cursor of another listing, and one from before the ledger went on in a new epoch;
    /// [`Error::Corrupt`], [`Error::Storage`].
    pub fn page(&self, request: &PageRequest<'_>) -> Result<Page, Error> {
        let binding = binding(&self.scope, &request.question.filter);
        let cursor = request
            .cursor
            .map(|text| self.continued(text, request, binding))
            .transpose()?;
        let size = cursor.as_ref().map_or(self.size(), |cursor| cursor.size);
        let search = Search {
            sequences: self.sequences.start..size,
            ..self.search(&request.question)
        };
        let after = cursor.map(|cursor| cursor.last);
        let mut walk = Walk::new(&self.strands, search, request.order, after);
        let hits: Vec<Hit> = walk.by_ref().take(request.limit).collect::<Result<_, _>>()?;
        let range = request.question.range;
        let next = match (walk.next().transpose()?, hits.last()) {
            (Some(_), Some(last)) => Some(self.cursor_key.seal(&Cursor {
                order: request.order,
                range,
                epoch: self.epoch(),
                size,
                last: last.moment,
                binding,
            })),
            _ => None,
        };
        let rows = fetch(&hits)?;
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
        Rows::new(Walk::new(&self.strands, self.search(question), order, None))
    }

    /// The rest of the events that a question was about when the ledger had another size, after a place in the order.
    pub fn rows_from(&self, question: &Question, order: Order, place: Place) -> Rows {
        let search = Search {
            sequences: self.sequences.start..place.size.min(self.size()),
            ..self.search(question)
        };
        Rows::new(Walk::new(&self.strands, search, order, place.last))
    }

    /// Whether a question is about any event with a sequence below `sequence`. It looks at the newest first.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Storage`].
    pub fn any_before(&self, question: &Question, sequence: u64) -> Result<bool, Error> {
        let search = self.between(0..sequence).search(question);
        for block in self.strands.iter().rev().flat_map(|strand| strand.iter().rev()) {
            if !search.select(block)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many events a question is about.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Storage`].
    pub fn count(&self, question: &Question) -> Result<u64, Error> {
        let search = self.search(question);
        self.blocks()
            .try_fold(0, |count, block| Ok(count + search.count(block)? as u64))
    }

    /// The event with a Log ID; `None` when there is none, or none that the caller may see.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Storage`].
    pub fn event(&self, id: &EventId) -> Result<Option<Arc<Row>>, Error> {
        let Some((block, number)) = self.find(id)? else {
            return Ok(None);
        };
        let search = self.search(&Question::all());
        let mut row = RowSet::empty(block.length());
        row.insert(number);
        row.intersect(&block.within(&search.range, &search.sequences)?);
        if select(&block, &search.filter, row)?.is_empty() {
            return Ok(None);
        }
        Ok(block.rows(&[number])?.pop())
    }

    fn find(&self, id: &EventId) -> Result<Option<(Block, usize)>, Error> {
        let tail = self.blocks().filter_map(|block| Some((block, block.find_held(id)?)));
        // A row that has just been sealed is still in the tail, but no longer in its answers.
        match self.history.find(id)? {
            Some(found) => Ok(Some(found)),
            None => Ok(tail.map(|(block, row)| (block.clone(), row)).next()),
        }
    }

    /// A question with the caller's own filter.
    pub(crate) fn search(&self, question: &Question) -> Search {
        Search {
            filter: self.scope.narrowed(&question.filter),
            range: question.range,
            sequences: self.sequences.clone(),
        }
    }

    /// From when to when an answer in buckets reaches: the range of the search, and where that is open, its first or last
    /// event. `None` when there is nothing between.
    pub(crate) fn extent(&self, search: &Search) -> Result<Option<Extent>, Error> {
        let end = |order| {
            let first = Walk::new(&self.strands, search.clone(), order, None).next();
            Ok::<_, Error>(first.transpose()?.map(|hit| Timestamp::from_millis(hit.moment.0)))
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

    /// All blocks, those of one strand after those of another.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.strands.iter().flat_map(|strand| strand.iter())
    }
}
