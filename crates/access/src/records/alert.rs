//! Alerts: questions that are put to every event of an organization as it comes, and who is told what they find.
//!
//! Invariants
//! - A webhook's secret is nowhere but in [`Alert::secrets`], encrypted.
//! - What is to be told is written in the commit that moves the alert's position, and stays until it was told or given up.
//!
//! Not here: when an alert fires and how it is told (`trailbook-deliver`), the encryption (`trailbook`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An alert.
#[derive(Clone, Serialize, Deserialize)]
pub struct Alert {
    /// `alr_…`.
    pub id: String,
    /// Project of the organization.
    pub project: String,
    /// The organization.
    pub organization: String,
    /// What people call it.
    pub name: String,
    /// Which events, in the query language; empty is all.
    pub filter: String,
    /// When it fires.
    pub condition: Condition,
    /// How long it is quiet after it fired, seconds.
    pub quiet_seconds: u32,
    /// Who gets a letter.
    pub recipients: Vec<Recipient>,
    /// Where a request is sent.
    pub webhook: Option<AlertWebhook>,
    /// The webhook's secrets by name, as JSON, encrypted with the deployment's key for this alert.
    pub secrets: String,
    /// The names of the secrets that are set.
    pub secret_names: Vec<String>,
    /// Whether it looks at events at all.
    pub enabled: bool,
    /// Milliseconds.
    pub created_at: i64,
    /// Milliseconds.
    pub updated_at: i64,
}

/// Somebody who gets letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The address, in lower case.
    pub address: String,
    /// Whether somebody named it who may name any address; else it must be that of a user who may look.
    pub vouched: bool,
}

/// Where an alert is told by webhook, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertWebhook {
    /// Where to.
    pub url: String,
    /// Further headers. Those that are credentials are secrets: `header.NAME`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// When an alert fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AlertCondition)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// At every event that the filter lets through.
    Any {},
    /// When there are so many of them within a time.
    Threshold {
        /// How many, from 2 to 1,000.
        count: u32,
        /// Within how many seconds, from 60 to 86,400, by the time of receipt.
        window_seconds: u32,
        /// What is counted separately; null counts all together.
        #[serde(default)]
        by: Option<Grouping>,
    },
    /// When an actor who is known has a value that they never had before.
    FirstSeen {
        /// The field, such as `country` or `ip`.
        field: String,
    },
    /// Every day or week at eight in the morning, whatever happened.
    Digest {
        /// How often.
        every: Every,
    },
}

/// What events are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AlertGrouping)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// Who did it.
    Actor,
    /// The address that it came from.
    Ip,
    /// What it was done to.
    Target,
}

/// How often a digest is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AlertEvery)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// Every day.
    Day,
    /// Every Monday.
    Week,
}

/// How far an alert has come, and what it remembers of the events before. One for each alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertState {
    /// The alert.
    pub alert: String,
    /// The ledger's epoch that the sequences are of.
    pub epoch: u32,
    /// The first sequence that it has not looked at; of a digest, that was in none.
    pub next: u64,
    /// Until when its digests told what happened, milliseconds; of other alerts since when it looks.
    pub since: i64,
    /// What it remembers, by what it counts separately; the empty text where it counts all together.
    pub groups: BTreeMap<String, AlertGroup>,
    /// When it fired last, milliseconds.
    pub last_fired_at: Option<i64>,
    /// How often it fired.
    pub fired: u64,
}

impl AlertState {
    /// That of an alert which looks at what comes from now on.
    pub fn begin(alert: &str, (epoch, size): (u32, u64), now: i64) -> Self {
        Self {
            alert: alert.to_owned(),
            epoch,
            next: size,
            since: now,
            groups: BTreeMap::new(),
            last_fired_at: None,
            fired: 0,
        }
    }
}

/// What an alert remembers of the events of one group. Times are milliseconds, and those of receipt but where it is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertGroup {
    /// When its newest event came.
    pub seen_at: i64,
    /// The newest events that may count together with later ones.
    pub recent: Vec<AlertMatch>,
    /// Until when nothing is told.
    pub quiet_until: i64,
    /// Events that came meanwhile.
    pub untold: u64,
    /// When the first of these happened.
    pub untold_since: Option<i64>,
}

/// An event that an alert counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, i64, i64)", into = "(u64, i64, i64)")]
pub struct AlertMatch {
    /// Its sequence.
    pub sequence: u64,
    /// When it was received, milliseconds.
    pub received_at: i64,
    /// When it happened, milliseconds.
    pub occurred_at: i64,
}

impl From<(u64, i64, i64)> for AlertMatch {
    fn from((sequence, received_at, occurred_at): (u64, i64, i64)) -> Self {
        Self {
            sequence,
            received_at,
            occurred_at,
        }
    }
}

impl From<AlertMatch> for (u64, i64, i64) {
    fn from(counted: AlertMatch) -> Self {
        (counted.sequence, counted.received_at, counted.occurred_at)
    }
}

/// Something that an alert found and that is still to be told to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertMessage {
    /// `msg_…`, the same however often it is sent.
    pub id: String,
    /// The alert.
    pub alert: String,
    /// Milliseconds.
    pub fired_at: i64,
    /// What it found.
    pub found: Found,
    /// The addresses that it has not gone to.
    pub to: Vec<String>,
    /// Whether it has not gone to the webhook.
    pub webhook: bool,
    /// Tries that failed one after the other.
    pub failures: u32,
    /// When it is tried next, milliseconds.
    pub retry_at: i64,
}

/// What an alert found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// Events.
    Events(FoundEvents),
    /// What happened in a time, for a digest.
    Digest(FoundPeriod),
}

impl Found {
    /// The last sequence that it is about, for messages in the order of what they tell.
    pub fn end(&self) -> u64 {
        match self {
            Self::Events(found) => found.sequences.1,
            Self::Digest(found) => found.sequences.1,
        }
    }
}

/// Events that made an alert fire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundEvents {
    /// How many.
    pub count: u64,
    /// Further ones that came while the alert was quiet.
    pub meanwhile: u64,
    /// What they have in common, where they are counted separately.
    pub group: Option<String>,
    /// The value that was new.
    pub value: Option<String>,
    /// The sequences of the first and the last.
    pub sequences: (u64, u64),
    /// When the earliest and the latest happened, those that came meanwhile included; milliseconds.
    pub occurred: (i64, i64),
}

/// What a digest tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPeriod {
    /// How many events.
    pub count: u64,
    /// From the first sequence to the one after the last.
    pub sequences: (u64, u64),
    /// Received from then, inclusive, until then, exclusive; milliseconds.
    pub received: (i64, i64),
}

/// How telling an alert is getting on. One for each alert that was told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertHealth {
    /// The alert.
    pub alert: String,
    /// What did not reach somebody, and why; `None` when the last message reached everybody.
    pub last_error: Option<String>,
}
