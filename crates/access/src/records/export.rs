//! Exports: files of an organization's events, made on request and kept for a day.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ViewOwner;

/// How long a finished export is kept, milliseconds.
pub const EXPORT_KEPT_MS: i64 = 24 * 3_600_000;

/// An export on request.
#[derive(Clone, Serialize, Deserialize)]
pub struct Export {
    /// `exp_…`.
    pub id: String,
    /// Project of the organization.
    pub project: String,
    /// The organization.
    pub organization: String,
    /// Whose it is: nobody else takes it.
    pub owner: ViewOwner,
    /// The credential that it was asked for with: of use as long as that stands.
    pub credential: String,
    /// The owner's display name.
    pub owner_name: Option<String>,
    /// What narrows everything that the owner saw, in the query language.
    pub own_filter: Option<String>,
    /// What is wanted.
    pub request: ExportRequest,
    /// The address that it is sent to.
    pub email: Option<String>,
    /// How far it is.
    pub state: ExportState,
    /// What was made so far.
    pub made: ExportMade,
    /// Why it failed, for the owner.
    pub error: Option<String>,
    /// What the owner should know: a code and a sentence.
    pub warning: Option<(String, String)>,
    /// Milliseconds.
    pub created_at: i64,
    /// Milliseconds.
    pub finished_at: Option<i64>,
}

/// What an export is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportRequest {
    /// The file's format.
    pub format: ExportFormat,
    /// Whether it is of everything that is retained.
    pub all: bool,
    /// From when on events occurred, milliseconds, inclusive.
    pub from: Option<i64>,
    /// Until when, milliseconds, exclusive.
    pub to: Option<i64>,
    /// Which events, in the query language.
    pub filter: String,
    /// The columns of a table.
    pub columns: Option<Vec<String>>,
    /// The zone of times.
    pub time_zone: Option<String>,
    /// Whether the header row has labels.
    pub labels: bool,
    /// The catalog's output mapping.
    pub mapping: Option<String>,
}

/// A format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// RFC 4180.
    Csv,
    /// An event a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
    /// A zip archive that proves itself.
    Evidence,
}

/// How far an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportState {
    /// Nobody has begun.
    Queued,
    /// It is being made.
    Running,
    /// The file is there.
    Ready,
    /// It could not be made.
    Failed,
    /// The file was there, and is not any more.
    Expired,
}

/// What was made of an export so far: whole parts of the file, and where to go on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportMade {
    /// The bytes of each part.
    pub parts: Vec<u64>,
    /// Events in them.
    pub rows: u64,
    /// Events that there will be.
    pub rows_in_all: u64,
    /// The ledger's size that the export speaks of.
    pub size: Option<u64>,
    /// Its epoch.
    pub epoch: Option<u32>,
    /// The last event that is in the parts: when it occurred, milliseconds, and its sequence.
    pub last: Option<(i64, u64)>,
    /// How often it was begun without getting any further.
    #[serde(default)]
    pub attempts: u32,
    /// Whether the owner was sent it.
    pub mailed: bool,
}

impl Export {
    /// The name of a part's object.
    pub fn part(&self, number: usize) -> String {
        format!("exports/{}/{number:06}", self.id)
    }

    /// The size of the file, or of what there is of it.
    pub fn bytes(&self) -> u64 {
        self.made.parts.iter().sum()
    }

    /// From when on it is gone, milliseconds; `None` when it is not finished.
    pub fn expires_at(&self) -> Option<i64> {
        Some(self.finished_at? + EXPORT_KEPT_MS)
    }
}
