//! The door to all questions: one index for each organization, opened as views.

use std::sync::{Arc, PoisonError, RwLock};

use rustc_hash::FxHashMap;
use trailbook_event::Filter;
use trailbook_ledger::{Head, OrganizationKey};

use crate::{Error, LiveFeed, Scope, Source, View, cursor::CursorKey, scope::Range, tail_index::TailIndex};

/// Answers questions over the ledgers of a [`Source`]. Cheap to clone; clones share their indexes.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    source: Box<dyn Source>,
    cursor_key: CursorKey,
    indexes: RwLock<FxHashMap<OrganizationKey, Arc<TailIndex>>>,
}

impl Engine {
    /// An engine over the rows of `source`. `cursor_secret` authenticates cursors: 32 random bytes that stay the same over
    /// restarts and on every node, or cursors handed out before are refused.
    pub fn new(source: impl Source, cursor_secret: [u8; 32]) -> Self {
        let shared = Shared {
            source: Box::new(source),
            cursor_key: CursorKey::new(cursor_secret),
            indexes: RwLock::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Opens what a caller may read, as it is now: every event that was acknowledged before is in the view.
    ///
    /// Indexes what the background has not come to yet (see [`Engine::catch_up`]), a few microseconds an event.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the organization has no ledger; [`Error::Corrupt`].
    pub fn view(&self, scope: &Scope) -> Result<View, Error> {
        let head = self.head(&scope.organization)?;
        let index = self.index(&scope.organization);
        let snapshot = index.at_least(&head, &scope.organization, &*self.shared.source)?;
        Ok(View::new(scope.clone(), snapshot, self.shared.cursor_key.clone()))
    }

    /// Indexes what was appended since the last time, so that no reader has to. To be called in the background, best a few
    /// times a second and not for every commit: the more events it finds, the cheaper each one is.
    ///
    /// # Errors
    /// As [`Engine::view`].
    pub fn catch_up(&self, organization: &OrganizationKey) -> Result<(), Error> {
        let head = self.head(organization)?;
        self.index(organization)
            .catch_up(&head, organization, &*self.shared.source)
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

    fn index(&self, organization: &OrganizationKey) -> Arc<TailIndex> {
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
