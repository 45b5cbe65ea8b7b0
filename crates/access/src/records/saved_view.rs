//! Saved views: queries that somebody asks again and again, kept for oneself or for everybody who may look.

use serde::{Deserialize, Serialize};

/// A query of an organization's log, kept under a name.
#[derive(Clone, Serialize, Deserialize)]
pub struct SavedView {
    /// `view_…`.
    pub id: String,
    /// Project of the organization.
    pub project: String,
    /// The organization.
    pub organization: String,
    /// Who saved it.
    pub owner: ViewOwner,
    /// The owner's display name when they saved it last.
    pub owner_name: Option<String>,
    /// Its name.
    pub name: String,
    /// Whether everybody sees it who may look.
    pub shared: bool,
    /// What it shows, in the query language.
    pub filter: String,
    /// Of which time, as the screen's address says it.
    pub range: Option<String>,
    /// The ids of its columns; `None` are those of the policy.
    pub columns: Option<Vec<String>>,
    /// Milliseconds.
    pub created_at: i64,
    /// Milliseconds.
    pub updated_at: i64,
}

/// Whose a view is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewOwner {
    /// What kind of caller.
    pub kind: OwnerKind,
    /// Its id; of the people of embedded viewers the product's.
    pub id: String,
}

/// The kinds of callers that save views. The ids of one kind have nothing to do with those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerKind {
    /// The root key.
    Root,
    /// An API key.
    Key,
    /// A person of the console.
    User,
    /// Somebody who looks at an embedded viewer.
    Viewer,
}

impl SavedView {
    /// Whether the view is there for somebody: one's own are, and those that are shared.
    pub fn is_there_for(&self, somebody: &ViewOwner) -> bool {
        self.shared || self.owner == *somebody
    }
}
