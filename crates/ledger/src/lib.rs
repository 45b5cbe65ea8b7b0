//! One organization's append-only log of events: append, tail, checkpoints, proofs, fsck.
//!
//! Invariants
//! - An acknowledged event is committed and synced, with its sequence and its ledger's head, in one transaction.
//! - Sequences of a ledger are 0, 1, 2 … without gaps; nothing edits a stored event.
//! - Every write of a process to the database passes its one writer; what other processes commit is followed.
//!
//! Not here: filters and pages (`trailbook-query`), HTTP (`trailbook`), hashing rules (`trailbook-merkle`).
//! See docs/formats/ledger.md.

pub mod backup;
mod chain;
mod compact;
pub mod database;
mod draft;
mod duplicates;
mod error;
mod expire;
mod expiring;
mod follow;
mod forgotten;
mod frame;
mod fsck;
mod history;
mod inputs;
mod keep;
mod lake;
mod leaves;
mod ledger;
mod manifest;
mod measures;
mod names;
mod objects;
mod open;
mod output;
mod pieces;
mod postgres;
mod prove;
mod recover;
mod redact;
mod reindex;
mod retention;
mod rewrite;
mod row;
mod seal;
mod sealed;
pub mod segment;
mod settle;
mod signer;
mod sqlite;
mod stats;
mod submission;
mod tail;
mod tail_row;
mod writer;

pub use compact::Compacted;
pub use database::RetentionScope;
pub use error::Error;
pub use fsck::{Finding, Fsck, fsck};
pub use history::{Overlay, Redaction};
pub use inputs::{Clock, Random};
pub use keep::{Job, LEASE_MS};
pub use ledger::{Ledger, Limits};
pub use manifest::{CompactionLimits, DAY_MS, Retention, RetentionChange};
pub use measures::{BUCKETS_MS, Durations, Measures, Stage};
pub use names::{EventId, OrganizationKey};
pub use objects::{ObjectCache, ObjectFiles};
pub use open::Parts;
pub use postgres::{Check, ConnectError, ImportError, Imported, Node, Postgres, PostgresOptions, examine, import};
pub use recover::{Recovered, recover_in_new_epoch};
pub use reindex::{Reindexed, reindex};
pub use row::{PartSecret, Row, Secrets};
pub use seal::SealedTail;
pub use sealed::{Sealed, SealedRun, SegmentHandle};
pub use settle::Settlement;
pub use signer::{Origin, SignedCheckpoint};
pub use sqlite::{DATABASE_FILE, DirectoryLock, OpenError, Sqlite, SqliteState, examine_sqlite};
pub use stats::{LevelStats, OrganizationStats, Stats};
pub use submission::{IdempotencyKey, Receipt, Stored, Submission};
pub use tail::Head;
