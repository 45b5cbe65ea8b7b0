//! The door to all questions: one index for each organization, opened as views.

use std::sync::{Arc, PoisonError, RwLock};

use rustc_hash::FxHashMap;
use trailbook_event::Filter;
use trailbook_ledger::{Head, OrganizationKey};

use crate::{
    CacheSizes, Error, LiveFeed, Scope, Source, View,
    caches::Caches,
    cursor::CursorKey,
    history::{self, Strand},
    scope::Range,
    tail_index::TailIndex,
};

/// Answers questions over the ledgers of a [`Source`]. Cheap to clone; clones share their indexes.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    source: Box<dyn Source>,
    cursor_key: CursorKey,
    caches: Arc<Caches>,
    indexes: RwLock<FxHashMap<OrganizationKey, Arc<Index>>>,
}

/// What is known of one organization's ledger.
#[derive(Default)]
struct Index {
    tail: TailIndex,
    history: history::Newest,
}

impl Engine {
    /// An engine over the rows of `source` that keeps so much of sealed rows in memory. `cursor_secret` authenticates cursors:
    /// 32 random bytes that stay the same over restarts and on every node, or cursors handed out before are refused.
    pub fn new(source: impl Source, cursor_secret: [u8; 32], cache: CacheSizes) -> Self {
        let shared = Shared {
            source: Box::new(source),
            cursor_key: CursorKey::new(cursor_secret),
            caches: Arc::new(Caches::new(cache)),
            indexes: RwLock::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// What was asked of the caches of sealed rows: the cache, how often it had it, how often not.
    pub fn cache_counts(&self) -> [(&'static str, u64, u64); 4] {
        self.shared.caches.counts()
    }

    /// Opens what a caller may read, as it is now: every event that was acknowledged before is in the view.
    ///
    /// Indexes what the background has not come to yet (see [`Engine::catch_up`]), a few microseconds an event. May read files.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the organization has no ledger; [`Error::Corrupt`], [`Error::Storage`].
    pub fn view(&self, scope: &Scope) -> Result<View, Error> {
        let shared = &self.shared;
        let head = self.head(&scope.organization)?;
        let index = self.index(&scope.organization);
        // The tail first: what is sealed in between is found in both, and then read from the segment.
        let tail = index.tail.at_least(&head, &scope.organization, &*shared.source)?;
        let sealed = shared.source.sealed(&scope.organization)?;
        let tail = index.tail.settled(tail, &sealed)?;
        if tail.first_sequence() > sealed.end.max(sealed.floor) {
            return Err(Error::corrupt(format!(
                "events are neither in the tail nor sealed: ledger={} sequences={}..{}; run `trailbook fsck`",
                scope.organization,
                sealed.end,
                tail.first_sequence()
            )));
        }
        let history = index.history.of(sealed, &shared.caches)?;
        let strands: Vec<Strand> = history.strands().chain(tail.strands(history.sealed())).collect();
        Ok(View::new(
            scope.clone(),
            (tail.size, tail.epoch),
            strands,
            history,
            shared.cursor_key.clone(),
        ))
    }

    /// Indexes what was appended since the last time, so that no reader has to. To be called in the background, best a few
    /// times a second and not for every commit: the more events it finds, the cheaper each one is.
    ///
    /// # Errors
    /// As [`Engine::view`].
    pub fn catch_up(&self, organization: &OrganizationKey) -> Result<(), Error> {
        let head = self.head(organization)?;
        self.index(organization)
            .tail
            .catch_up(&head, organization, &*self.shared.source)
    }

    /// Lets go of rows that were sealed since the last time. To be called in the background after the ledger has sealed;
    /// otherwise those of an organization that nobody reads stay in memory.
    pub fn trim(&self) {
        let indexes = self.shared.indexes.read().unwrap_or_else(PoisonError::into_inner);
        let indexes: Vec<_> = indexes
            .iter()
            .map(|(key, index)| (key.clone(), Arc::clone(index)))
            .collect();
        for (organization, index) in indexes {
            // The head before the rows: a row that comes in between is not below either.
            let head = self.shared.source.head(&organization);
            let first = self.shared.source.tail(&organization, 0, 1);
            let first = first.first().map(|row| row.sequence);
            index
                .tail
                .trim(first.or(head.map(|head| head.size)).unwrap_or_default());
        }
    }

    /// The range that the first page of a cursor spoke of. Whoever continues a listing asks for exactly this range: what
    /// was resolved from the clock then must not shift.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the text is no cursor of this deployment.
    pub fn cursor_range(&self, cursor: &str) -> Result<Range, Error> {
        self.shared.cursor_key.open(cursor).map(|cursor| cursor.range)
    }

    /// Follows the events of a scope that pass `filter`, in sequence order: those after the sequence `after`, or those that
    /// are appended from now on.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the organization has no ledger.
    pub fn live(&self, scope: &Scope, filter: &Filter, after: Option<u64>) -> Result<LiveFeed, Error> {
        let commits = self.shared.source.commits();
        let head = self.head(&scope.organization)?;
        let next = after.map_or(head.size, |sequence| sequence.saturating_add(1));
        Ok(LiveFeed::new(
            self.clone(),
            scope.organization.clone(),
            scope.narrowed(filter),
            commits,
            next,
        ))
    }

    pub(crate) fn source(&self) -> &dyn Source {
        &*self.shared.source
    }

    fn head(&self, organization: &OrganizationKey) -> Result<Head, Error> {
        self.shared.source.head(organization).ok_or(Error::NotFound)
    }

    fn index(&self, organization: &OrganizationKey) -> Arc<Index> {
        let known = self
            .shared
            .indexes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(organization)
            .cloned();
        known.unwrap_or_else(|| {
            let mut indexes = self.shared.indexes.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(indexes.entry(organization.clone()).or_default())
        })
    }
}
