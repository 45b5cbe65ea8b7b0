//! Where a stream's deliveries go: one batch of events in, and what became of it out.
//!
//! Invariants
//! - A batch is the events of one organization, in sequence order. The same batch may be sent again, with the same [`Batch::id`].
//! - Nothing is taken for delivered that the destination did not say it has.
//!
//! Not here: which batches, when, and how often they are tried (`stream`); whose addresses may be reached (`outbound`).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use trailbook_ledger::Row;

/// One event on its way.
#[derive(Debug, Clone)]
pub struct Record {
    /// The event as it is stored.
    pub row: Arc<Row>,
    /// What the stream's mapping made of it: one JSON object, without line breaks.
    pub payload: Bytes,
}

/// Events that are delivered together.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'b> {
    /// Project of the organization.
    pub project: &'b str,
    /// The organization.
    pub organization: &'b str,
    /// The ledger's epoch.
    pub epoch: u32,
    /// The first sequence that the batch is about.
    pub begin: u64,
    /// The sequence after the last: between them are the events that the stream's filter lets through.
    pub end: u64,
    /// The events, at least one.
    pub records: &'b [Record],
    /// How long events of this organization are kept, milliseconds; `None` is for ever.
    pub kept_ms: Option<i64>,
}

impl Batch<'_> {
    /// Names the batch, the same whenever it is sent: `msg_` and 32 hexadecimal digits.
    pub fn id(&self) -> String {
        let (from, to) = self.ends();
        let name = format!("{}\0{}\0{}\0{from}\0{to}", self.project, self.organization, self.epoch);
        let digest = Sha256::digest(name);
        let mut id = String::from("msg_");
        digest[..16].iter().for_each(|byte| id.push_str(&format!("{byte:02x}")));
        id
    }

    /// The sequences of its first and last event.
    pub fn ends(&self) -> (u64, u64) {
        let sequence = |record: Option<&Record>| record.map_or(self.begin, |record| record.row.sequence);
        (sequence(self.records.first()), sequence(self.records.last()))
    }
}

/// An event that the destination will not take, whatever comes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its sequence.
    pub sequence: u64,
    /// What the destination said, in a sentence without secrets.
    pub reason: String,
}

/// Why a batch was not delivered. Sentences are for whoever set the stream up, and hold no secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Not now: the same batch is sent again. Part of it may have been taken.
    #[error("{reason}")]
    Later {
        /// What went wrong.
        reason: String,
        /// How long the destination asked to wait.
        after: Option<Duration>,
    },
    /// The destination does not take the batch as it is: it is sent again in halves, until the events are known that are to blame.
    #[error("{reason}")]
    Refused {
        /// What the destination said.
        reason: String,
    },
}

impl Failure {
    /// A failure that may pass.
    pub fn later(reason: impl Into<String>) -> Self {
        Self::Later {
            reason: reason.into(),
            after: None,
        }
    }
}

/// A destination that is ready to take batches.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Sends a batch, once. `Ok` says that every event has arrived durably, as far as the destination tells, but for those named.
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Refused>, Failure>;
}
