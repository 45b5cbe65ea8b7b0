//! A backup: a directory that holds one state of a deployment, whole, and says what that is.
//!
//! Invariants
//! - `backup.json` is written last: without it a directory is no backup.
//! - It names every other file with length and SHA-256, and where every ledger stood.
//!
//! Not here: keeping objects from being deleted meanwhile (`pin`), the commands (`trailbook`).
//! See docs/operate/backup.md.

mod files;
mod make;
mod pin;
mod restore;

use std::{io, path::Path, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Error, Finding, database::Loaded, open::frontier_of};

pub use make::{Source, back_up};
pub use restore::{check_restored, restore};

/// The file that says what is in a backup.
pub const CONTENTS_FILE: &str = "backup.json";
/// Where objects are in a data directory and in a backup.
pub const OBJECTS_DIRECTORY: &str = "objects";
/// The version of [`Contents`].
const FORMAT: u32 = 1;

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    format: u32,
    /// When it was begun, RFC 3339.
    pub made_at: String,
    /// The deployment's name.
    pub deployment: String,
    /// Its era.
    pub era: u32,
    /// The newest commit in it.
    pub commit: u64,
    /// The ledgers, in the order of their creation.
    pub ledgers: Vec<KeptLedger>,
    /// All other files.
    pub files: Vec<KeptFile>,
}

/// Where a ledger stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptLedger {
    /// Its project.
    pub project: String,
    /// Its organization.
    pub organization: String,
    /// Its epoch.
    pub epoch: u32,
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree, hexadecimal.
    pub root: String,
}

/// A file in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFile {
    /// Its path in the backup.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
}

/// Why there is no backup, or nothing restored from it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It cannot be done like this; the text says what to do.
    #[error("{0}")]
    Refused(String),
    /// Files are missing or are not what they must be.
    #[error("files are missing or damaged: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Damaged(Vec<Finding>),
    /// The operating system refuses.
    #[error("cannot use a file: path={path}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// SQLite refuses.
    #[error("cannot copy or read the database")]
    Database(#[from] rusqlite::Error),
    /// What is stored makes no sense.
    #[error(transparent)]
    Ledger(#[from] Error),
    /// Whoever called has to stop.
    #[error("stopped: {0}")]
    Stopped(String),
}

impl BackupError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

impl Contents {
    /// Reads what a backup says of itself.
    ///
    /// # Errors
    /// [`BackupError::Refused`] when the directory is no backup or one that was not finished.
    pub fn read(backup: &Path) -> Result<Self, BackupError> {
        let path = backup.join(CONTENTS_FILE);
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BackupError::Refused(format!(
                    "{} is no backup, or one that was not finished: it has no {CONTENTS_FILE}",
                    backup.display()
                )));
            }
            bytes => bytes.map_err(BackupError::io(&path))?,
        };
        let read: Result<Self, _> = serde_json::from_slice(&bytes);
        let contents = read.map_err(|error| BackupError::Refused(format!("{} is damaged: {error}", path.display())))?;
        if contents.format != FORMAT {
            return Err(BackupError::Refused(format!(
                "{} has format {}, this program knows {FORMAT}: use the program that made it",
                path.display(),
                contents.format
            )));
        }
        Ok(contents)
    }
}

/// Where the ledgers of a loaded database stand.
fn ledgers(loaded: &Loaded) -> Result<Vec<KeptLedger>, Error> {
    let kept = |head: &crate::database::StoredHead| {
        Ok(KeptLedger {
            project: head.key.project().to_owned(),
            organization: head.key.organization().to_owned(),
            epoch: head.epoch,
            size: head.size,
            root: hex(&frontier_of(head)?.root().0),
        })
    };
    loaded.heads.iter().map(kept).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn finding(place: impl Into<String>, detail: impl Into<String>) -> Finding {
    Finding {
        place: place.into(),
        detail: detail.into(),
    }
}
