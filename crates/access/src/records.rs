//! The records: projects, organizations, people and credentials, as they are stored (JSON).
//!
//! Not here: how they change (`directory`), what they allow (`rights`, `caller`).

mod alert;
mod export;
mod saved_view;
pub mod stream;

use std::fmt;

pub use alert::{
    Alert, AlertGroup, AlertHealth, AlertMatch, AlertMessage, AlertState, AlertWebhook, Condition, Every, Found,
    FoundEvents, FoundPeriod, Grouping, Recipient,
};
pub use export::{EXPORT_KEPT_MS, Export, ExportFormat, ExportMade, ExportRequest, ExportState};
pub use saved_view::{OwnerKind, SavedView, ViewOwner};
use serde::{Deserialize, Serialize};
pub use stream::{
    Compression, Destination, Mapping, ObjectFormat, Objects, ParkedEvent, Stream, StreamHealth, StreamPosition,
    SyslogFormat,
};
use trailbook_ledger::OrganizationKey;

use crate::{
    PolicySettings,
    directory::{Kind, State, Table},
    password::PasswordHash,
    secret::SecretHash,
};

/// What names an organization among the records. Projects' names have no slash, so that it is never ambiguous.
pub fn owner(organization: &OrganizationKey) -> String {
    format!("{}/{}", organization.project(), organization.organization())
}

/// The organization of an [`owner`].
pub fn organization(owner: &str) -> Option<OrganizationKey> {
    let (project, organization) = owner.split_once('/')?;
    Some(OrganizationKey::new(project, organization))
}

/// An application that sends events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Whether an event makes its organization.
    pub organizations: Organizations,
    /// What its organizations inherit.
    pub policy: PolicySettings,
}

/// How a project's organizations come to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Organizations {
    /// The first event makes them.
    #[default]
    Auto,
    /// Somebody has to set them up.
    Declared,
}

/// A customer of a project that was set up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Organization {
    /// Its project.
    pub project: String,
    /// Its name.
    pub name: String,
    /// What was set for it; the rest is inherited.
    pub policy: PolicySettings,
}

/// A project's catalog, as it was sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredCatalog {
    /// Its project.
    pub project: String,
    /// Counts the catalogs that the project had, from 1.
    pub revision: u64,
    /// TOML or JSON.
    pub format: CatalogFormat,
    /// The text.
    pub text: String,
}

/// How a catalog is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatalogFormat {
    /// TOML.
    Toml,
    /// JSON.
    Json,
}

/// A person of the console, in one organization.
#[derive(Clone, Serialize, Deserialize)]
pub struct User {
    /// `usr_…`.
    pub id: String,
    /// Project of the organization.
    pub project: String,
    /// The organization.
    pub organization: String,
    /// E-mail address in lower case; unique in the organization.
    pub email: String,
    /// Display name.
    pub name: Option<String>,
    /// A word of the policy.
    pub role: String,
    /// Named permissions, sorted.
    pub permissions: Vec<String>,
    /// Whether the person may sign in.
    pub state: UserState,
    /// Whether somebody has read what was sent to the address.
    pub email_verified: bool,
    /// `None` when the person has no password.
    pub password: Option<PasswordHash>,
    /// Who they are at the organization's identity provider.
    pub identity: Option<Identity>,
    /// Milliseconds.
    pub created_at: i64,
}

/// Whether a person may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// Was invited and has not come yet.
    Invited,
    /// May sign in.
    Active,
    /// May not.
    Deactivated,
}

/// A person at an identity provider (OpenID Connect Core 2: `iss` and `sub`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// The person, for this provider.
    pub subject: String,
}

/// A key for programs.
#[derive(Clone, Serialize, Deserialize)]
pub struct ApiKey {
    /// `key_…`.
    pub id: String,
    /// SHA-256 of the secret.
    pub hash: SecretHash,
    /// The project that it works for.
    pub project: String,
    /// The only organization that it works for; `None` is all of the project.
    pub organization: Option<String>,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// From when on it is of no use, milliseconds.
    pub expires_at: Option<i64>,
    /// Milliseconds.
    pub created_at: i64,
    /// About when it was used, milliseconds.
    pub last_used_at: Option<i64>,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// Send events.
    #[serde(rename = "events:write")]
    Write,
    /// Look.
    #[serde(rename = "events:read")]
    Read,
    /// Take files.
    #[serde(rename = "exports")]
    Exports,
    /// Set up deliveries.
    #[serde(rename = "streams")]
    Streams,
    /// Administer.
    #[serde(rename = "admin")]
    Administer,
}

/// A token for the embedded viewer.
#[derive(Clone, Serialize, Deserialize)]
pub struct ViewerToken {
    /// `tok_…`.
    pub id: String,
    /// SHA-256 of the secret.
    pub hash: SecretHash,
    /// Project of the organization.
    pub project: String,
    /// The only organization that it shows.
    pub organization: String,
    /// Who looks, as the product says.
    pub actor: TokenActor,
    /// What it shows, in the query language; `None` is everything.
    pub filter: Option<String>,
    /// Whether it may take files.
    pub may_export: bool,
    /// The key or user that made it: it is of no use without them.
    pub made_by: String,
    /// Milliseconds.
    pub created_at: i64,
    /// From when on it is of no use, milliseconds.
    pub expires_at: i64,
}

/// Who looks at an embedded viewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenActor {
    /// The product's id.
    pub id: String,
    /// Display name.
    #[serde(default)]
    pub name: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// A word of the policy.
    #[serde(default)]
    pub role: Option<String>,
    /// Named permissions.
    #[serde(default)]
    pub permissions: Vec<String>,
}

/// How long somebody stays signed in, milliseconds.
pub const SESSION_MS: i64 = 7 * 24 * 3_600_000;
/// How long a session may be unused, milliseconds.
pub const SESSION_IDLE_MS: i64 = 12 * 3_600_000;

/// A person who is signed in.
#[derive(Clone, Serialize, Deserialize)]
pub struct Session {
    /// `ses_…`.
    pub id: String,
    /// SHA-256 of the secret.
    pub hash: SecretHash,
    /// Who.
    pub user: String,
    /// Milliseconds.
    pub created_at: i64,
    /// About when it was used, milliseconds.
    pub last_used_at: i64,
}

/// A link that was sent to somebody, for one use.
#[derive(Clone, Serialize, Deserialize)]
pub struct Link {
    /// `lnk_…`.
    pub id: String,
    /// SHA-256 of the secret.
    pub hash: SecretHash,
    /// Who may use it.
    pub user: String,
    /// What it is for.
    pub purpose: LinkPurpose,
    /// Whether it went to the user's address, and nowhere else.
    pub mailed: bool,
    /// From when on it is of no use, milliseconds.
    pub expires_at: i64,
}

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkPurpose {
    /// To become a user.
    Invitation,
    /// To choose a new password.
    PasswordReset,
}

/// An organization's identity provider.
#[derive(Clone, Serialize, Deserialize)]
pub struct SingleSignOn {
    /// Project of the organization.
    pub project: String,
    /// The organization.
    pub organization: String,
    /// The provider.
    pub issuer: String,
    /// Who we are there.
    pub client_id: String,
    /// Our secret there, encrypted with the deployment's key.
    pub client_secret: String,
    /// The claim that has a person's groups.
    pub groups_claim: String,
    /// Roles by group, in order: the first that a person has counts.
    pub roles: Vec<(String, String)>,
    /// The role of people without such a group; `None` refuses them.
    pub default_role: Option<String>,
}

macro_rules! kind {
    ($record:ty, $kind:literal, $table:ident, $id:expr, $owner:expr $(, $credential:expr)?) => {
        impl Kind for $record {
            const KIND: &'static str = $kind;
            fn id(&self) -> String {
                let id: fn(&Self) -> String = $id;
                id(self)
            }
            fn owner(&self) -> String {
                let owner: fn(&Self) -> String = $owner;
                owner(self)
            }
            $(fn credential(&self) -> Option<[u8; 32]> {
                let credential: fn(&Self) -> &SecretHash = $credential;
                Some(*credential(self).bytes())
            })?
            fn table(state: &State) -> &Table<Self> {
                &state.$table
            }
            fn table_mut(state: &mut State) -> &mut Table<Self> {
                &mut state.$table
            }
        }
    };
}

fn of(project: &str, organization: &str) -> String {
    format!("{project}/{organization}")
}

kind!(Project, "project", projects, |p| p.name.clone(), |p| p.name.clone());
kind!(
    Organization,
    "organization",
    organizations,
    |o| of(&o.project, &o.name),
    |o| o.project.clone()
);
kind!(StoredCatalog, "catalog", catalogs, |c| c.project.clone(), |c| c
    .project
    .clone());
kind!(User, "user", users, |u| u.id.clone(), |u| of(
    &u.project,
    &u.organization
));
kind!(ApiKey, "key", keys, |k| k.id.clone(), |k| k.project.clone(), |k| &k
    .hash);
kind!(
    ViewerToken,
    "viewer_token",
    viewer_tokens,
    |t| t.id.clone(),
    |t| of(&t.project, &t.organization),
    |t| &t.hash
);
kind!(
    Session,
    "session",
    sessions,
    |s| s.id.clone(),
    |s| s.user.clone(),
    |s| &s.hash
);
kind!(Link, "link", links, |l| l.id.clone(), |l| l.user.clone(), |l| &l.hash);
kind!(
    SingleSignOn,
    "single_sign_on",
    single_sign_ons,
    |s| of(&s.project, &s.organization),
    |s| of(&s.project, &s.organization)
);

kind!(SavedView, "view", views, |v| v.id.clone(), |v| of(
    &v.project,
    &v.organization
));

kind!(Export, "export", exports, |e| e.id.clone(), |e| of(
    &e.project,
    &e.organization
));
kind!(Stream, "stream", streams, |s| s.id.clone(), |s| match &s.organization {
    Some(organization) => of(&s.project, organization),
    None => s.project.clone(),
});
kind!(
    StreamHealth,
    "stream_health",
    stream_health,
    |h| h.stream.clone(),
    |h| h.stream.clone()
);
kind!(
    StreamPosition,
    "stream_position",
    stream_positions,
    |p| format!("{}/{}", p.stream, p.organization),
    |p| p.stream.clone()
);
kind!(
    ParkedEvent,
    "parked_event",
    parked_events,
    |p| format!("{}/{}/{}", p.stream, p.organization, p.sequence),
    |p| p.stream.clone()
);

kind!(Alert, "alert", alerts, |a| a.id.clone(), |a| of(
    &a.project,
    &a.organization
));
kind!(AlertState, "alert_state", alert_states, |s| s.alert.clone(), |s| s
    .alert
    .clone());
kind!(AlertMessage, "alert_message", alert_messages, |m| m.id.clone(), |m| m
    .alert
    .clone());
kind!(AlertHealth, "alert_health", alert_health, |h| h.alert.clone(), |h| h
    .alert
    .clone());

impl fmt::Debug for User {
    /// Which person it is, and nothing about them.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "User({})", self.id)
    }
}

impl User {
    /// The organization that the person belongs to.
    pub fn key(&self) -> OrganizationKey {
        OrganizationKey::new(self.project.as_str(), self.organization.as_str())
    }
}
