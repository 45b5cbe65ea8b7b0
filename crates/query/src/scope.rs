//! Whose ledger is asked, and which of its events.

use trailbook_event::{Filter, Timestamp};
use trailbook_ledger::OrganizationKey;

/// What a caller may read: one organization's ledger, and of it what the caller's own filter lets through.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The ledger.
    pub organization: OrganizationKey,
    /// The caller's own filter; it holds for every event that any answer speaks of. `None` lets everything through.
    pub own: Option<Filter>,
}

impl Scope {
    /// The filter that holds when `filter` and the caller's own one hold.
    pub(crate) fn narrowed(&self, filter: &Filter) -> Filter {
        match &self.own {
            Some(own) => own.clone().and(filter.clone()),
            None => filter.clone(),
        }
    }
}

/// A resolved range of `occurred_at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    /// Inclusive; `None` is open.
    pub from: Option<Timestamp>,
    /// Exclusive; `None` is open.
    pub to: Option<Timestamp>,
}

/// Which events a question is about.
#[derive(Debug, Clone)]
pub struct Question {
    /// What must hold for an event.
    pub filter: Filter,
    /// The resolved range: defaults and bounds of the policy are the server's business.
    pub range: Range,
}

impl Question {
    /// The question about every event.
    pub fn all() -> Self {
        Self {
            filter: Filter::all(),
            range: Range::default(),
        }
    }
}
