//! The tail in memory: per organization the head of its ledger and the rows that are not yet sealed.
//!
//! Invariants
//! - What is here is committed: the writer publishes after the commit and before it acknowledges.
//! - A ledger's rows are its newest ones, in sequence order without gaps, up to its head.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use rustc_hash::FxBuildHasher;
use trailbook_event::Timestamp;
use trailbook_merkle::{Frontier, Hash};

use crate::{
    OrganizationKey, Row,
    database::{LedgerId, StoredCheckpoint, StoredHead},
};

/// Memory of a row beside its body: the row, its place in lists, its share of allocations. Measured with 200,000 rows.
pub(crate) const ROW_OVERHEAD_BYTES: usize = 240;

/// Where a ledger stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Number of events.
    pub size: u64,
    /// The current epoch, from 1.
    pub epoch: u32,
    /// When the newest event was received.
    pub received_at: Timestamp,
}

/// The state of a ledger that the next append starts from.
#[derive(Debug, Clone)]
pub(crate) struct LedgerHead {
    pub(crate) epoch: u32,
    pub(crate) frontier: Frontier,
    pub(crate) received_at: Timestamp,
}

/// One organization's ledger in memory.
pub(crate) struct LedgerState {
    pub(crate) id: LedgerId,
    pub(crate) key: OrganizationKey,
    inner: RwLock<Inner>,
    /// Held while a checkpoint is signed; the newest one. See `signer`.
    pub(crate) signed: tokio::sync::Mutex<Option<Signed>>,
}

/// The newest checkpoint of a ledger.
pub(crate) struct Signed {
    pub(crate) checkpoint: StoredCheckpoint,
    /// Monotonic time of the signature; none when it is from before the start.
    pub(crate) at: Option<std::time::Duration>,
}

struct Inner {
    head: LedgerHead,
    first_sequence: u64,
    rows: Vec<Arc<Row>>,
}

impl LedgerState {
    pub(crate) fn new(id: LedgerId, key: OrganizationKey, head: LedgerHead) -> Self {
        let first_sequence = head.frontier.size();
        Self {
            id,
            key,
            inner: RwLock::new(Inner {
                head,
                first_sequence,
                rows: Vec::new(),
            }),
            signed: tokio::sync::Mutex::new(None),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn head(&self) -> Head {
        let inner = self.read();
        Head {
            size: inner.head.frontier.size(),
            epoch: inner.head.epoch,
            received_at: inner.head.received_at,
        }
    }

    pub(crate) fn ledger_head(&self) -> LedgerHead {
        self.read().head.clone()
    }

    /// Rows from sequence `from` on, at most `limit`.
    pub(crate) fn rows(&self, from: u64, limit: usize) -> Vec<Arc<Row>> {
        let inner = self.read();
        let start = from.saturating_sub(inner.first_sequence).min(inner.rows.len() as u64) as usize;
        inner.rows[start..].iter().take(limit).cloned().collect()
    }

    /// The hash of leaf `sequence`, if its row is here.
    pub(crate) fn leaf_hashes(&self, begin: u64, end: u64) -> Option<Vec<Hash>> {
        let inner = self.read();
        let start = begin.checked_sub(inner.first_sequence)? as usize;
        let stop = end.checked_sub(inner.first_sequence)? as usize;
        Some(inner.rows.get(start..stop)?.iter().map(|row| row.leaf_hash).collect())
    }

    /// Appends committed rows and moves the head.
    pub(crate) fn publish(&self, head: LedgerHead, rows: impl IntoIterator<Item = Arc<Row>>) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.rows.extend(rows);
        inner.head = head;
        debug_assert_eq!(
            inner.first_sequence + inner.rows.len() as u64,
            inner.head.frontier.size()
        );
    }

    /// Says that rows begin at `first_sequence` although the head lies further on: they are about to be loaded.
    pub(crate) fn expect_rows_from(&self, first_sequence: u64) {
        self.inner
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .first_sequence = first_sequence;
    }

    /// The head as it is stored.
    pub(crate) fn stored(&self, head: &LedgerHead, new: bool) -> StoredHead {
        StoredHead {
            ledger: self.id,
            key: self.key.clone(),
            epoch: head.epoch,
            size: head.frontier.size(),
            frontier: head.frontier.hashes().iter().flat_map(|hash| hash.0).collect(),
            received_at: head.received_at.millis(),
            new,
        }
    }
}

/// All ledgers of the deployment.
#[derive(Default)]
pub(crate) struct Ledgers {
    by_key: RwLock<HashMap<OrganizationKey, Arc<LedgerState>, FxBuildHasher>>,
}

impl Ledgers {
    pub(crate) fn get(&self, key: &OrganizationKey) -> Option<Arc<LedgerState>> {
        self.by_key
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()
    }

    pub(crate) fn insert(&self, ledger: Arc<LedgerState>) {
        self.by_key
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(ledger.key.clone(), ledger);
    }

    pub(crate) fn all(&self) -> Vec<Arc<LedgerState>> {
        let mut all: Vec<_> = self
            .by_key
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect();
        all.sort_by_key(|ledger| ledger.id);
        all
    }
}
