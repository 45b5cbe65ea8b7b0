//! What was set for how long events are kept, by scope.
//!
//! Not here: what that comes to for an organization (`manifest`), who may set it.

use std::sync::Arc;

use crate::OrganizationKey;

/// The organization of every project whose ledger holds Trailbook's own acts.
const OF_TRAILBOOK: &str = "_system";

/// What a retention is set for. Above both is the deployment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetentionScope {
    /// A project: all its organizations that have nothing of their own, but for Trailbook's.
    Project(Arc<str>),
    /// One organization.
    Organization(OrganizationKey),
}

impl RetentionScope {
    /// The scope that this one inherits from; `None` is the deployment. Trailbook's own acts are the deployment's: what is
    /// set for a project, by its catalog too, neither expires nor holds them.
    pub fn above(&self) -> Option<Self> {
        match self {
            Self::Project(_) => None,
            Self::Organization(key) if key.organization() == OF_TRAILBOOK => None,
            Self::Organization(key) => Some(Self::Project(key.project().into())),
        }
    }

    /// The name of the project that it is or belongs to.
    pub fn project(&self) -> &str {
        match self {
            Self::Project(project) => project,
            Self::Organization(key) => key.project(),
        }
    }

    /// The organization's name, if it is one.
    pub fn organization(&self) -> Option<&str> {
        match self {
            Self::Project(_) => None,
            Self::Organization(key) => Some(key.organization()),
        }
    }
}

impl From<&OrganizationKey> for RetentionScope {
    fn from(key: &OrganizationKey) -> Self {
        Self::Organization(key.clone())
    }
}

/// What was set for a scope. What was not set is that of the scope above, as [`RetentionScope::above`] says, then the
/// deployment's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRetention {
    /// Of what; there need not be a ledger yet.
    pub scope: RetentionScope,
    /// `None`: not set; `Some(None)`: for ever; otherwise days.
    pub days: Option<Option<u32>>,
    /// Whether nothing may expire; `None`: not set.
    pub legal_hold: Option<bool>,
    /// A shortening that waits.
    pub pending: Option<PendingRetention>,
}

/// A shortening of the retention that is not in force yet and can be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingRetention {
    /// As [`StoredRetention::days`].
    pub days: Option<Option<u32>>,
    /// From when on, milliseconds.
    pub at: i64,
}

impl StoredRetention {
    /// The days that are set at a moment (milliseconds).
    pub fn days_at(&self, now: i64) -> Option<Option<u32>> {
        match self.pending {
            Some(pending) if pending.at <= now => pending.days,
            _ => self.days,
        }
    }
}

/// Days as they are stored: 0 is for ever, null is not set.
pub(crate) fn encode_days(days: Option<Option<u32>>) -> Option<u32> {
    days.map(Option::unwrap_or_default)
}

/// Reads what [`encode_days`] wrote.
pub(crate) fn decode_days(stored: Option<u32>) -> Option<Option<u32>> {
    stored.map(|days| (days > 0).then_some(days))
}
