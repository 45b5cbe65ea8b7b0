//! The tail in memory: per organization the head of its ledger and the rows that are not yet sealed.
//!
//! Invariants
//! - What is here is committed: the writer publishes after the commit and before it acknowledges.
//! - A ledger's rows are its newest ones, in sequence order without gaps, up to its head.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
};

use rustc_hash::FxBuildHasher;
use trailbook_event::Timestamp;
use trailbook_merkle::{Frontier, Hash};

use crate::{
    OrganizationKey, Row,
    database::{LedgerId, StoredCheckpoint, StoredHead},
};

/// Where a ledger stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Number of events.
    pub size: u64,
    /// The current epoch, from 1.
    pub epoch: u32,
    /// When the newest event was received; of a ledger without events, when it was opened.
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
    /// Held while a checkpoint is signed: the monotonic time of the last signature since the start. See `signer`.
    pub(crate) signing: Arc<tokio::sync::Mutex<Option<std::time::Duration>>>,
    /// The newest checkpoint, whoever signed it.
    checkpoint: Mutex<Option<StoredCheckpoint>>,
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
            signing: Arc::default(),
            checkpoint: Mutex::default(),
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

    /// The newest checkpoint that was signed for it.
    pub(crate) fn checkpoint(&self) -> Option<StoredCheckpoint> {
        self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers the newest checkpoint.
    pub(crate) fn set_checkpoint(&self, checkpoint: StoredCheckpoint) {
        *self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner) = Some(checkpoint);
    }

    /// Rows of the tail from sequence `from` on, at most `limit`; sealed ones are not here.
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

    /// The rows of commits up to `through`.
    pub(crate) fn rows_through(&self, through: u64) -> Vec<Arc<Row>> {
        let inner = self.read();
        let end = inner.rows.partition_point(|row| row.commit <= through);
        inner.rows[..end].to_vec()
    }

    /// Lets go of the rows of commits up to `through`, which are sealed; answers how many, and the memory that they took.
    pub(crate) fn trim(&self, through: u64) -> (u64, u64) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let end = inner.rows.partition_point(|row| row.commit <= through);
        let gone: Vec<Arc<Row>> = inner.rows.drain(..end).collect();
        inner.first_sequence += end as u64;
        if inner.rows.capacity() > 4 * inner.rows.len() {
            inner.rows.shrink_to_fit();
        }
        drop(inner);
        let bytes = gone.iter().map(|row| row.memory()).sum::<usize>();
        (gone.len() as u64, bytes as u64)
    }

    /// Puts a redacted row in place of the row of the same sequence, if that is here; answers the memory that they take, before and after.
    pub(crate) fn put_redacted(&self, sequence: u64, redact: impl FnOnce(&Row) -> Row) -> (u64, u64) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let place = sequence.checked_sub(inner.first_sequence).map(|place| place as usize);
        let Some(row) = place.and_then(|place| inner.rows.get_mut(place)) else {
            return (0, 0);
        };
        let before = row.memory() as u64;
        *row = Arc::new(redact(row));
        (before, row.memory() as u64)
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

/// The commits whose events are in the tail.
#[derive(Default)]
pub(crate) struct TailCommits(Mutex<VecDeque<TailCommit>>);

struct TailCommit {
    number: u64,
    events: u64,
    at: Timestamp,
}

impl TailCommits {
    /// Adds the newest commit.
    pub(crate) fn add(&self, number: u64, events: u64, at: Timestamp) {
        self.lock().push_back(TailCommit { number, events, at });
    }

    /// The last of the oldest commits that have `events` together; `None` when there is none at all.
    pub(crate) fn first_of(&self, events: u64) -> Option<u64> {
        let commits = self.lock();
        let mut sum = 0;
        let enough = commits.iter().find(|commit| {
            sum += commit.events;
            sum >= events
        });
        enough.or(commits.back()).map(|commit| commit.number)
    }

    /// When the oldest commit was made.
    pub(crate) fn oldest(&self) -> Option<Timestamp> {
        self.lock().front().map(|commit| commit.at)
    }

    /// Lets go of the commits up to a number.
    pub(crate) fn remove_through(&self, number: u64) {
        let mut commits = self.lock();
        let end = commits.partition_point(|commit| commit.number <= number);
        commits.drain(..end);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<TailCommit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All ledgers of the deployment.
#[derive(Default)]
pub(crate) struct Ledgers {
    by_key: RwLock<HashMap<OrganizationKey, Arc<LedgerState>, FxBuildHasher>>,
    by_id: RwLock<HashMap<LedgerId, Arc<LedgerState>, FxBuildHasher>>,
}

impl Ledgers {
    pub(crate) fn get(&self, key: &OrganizationKey) -> Option<Arc<LedgerState>> {
        self.by_key
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()
    }

    pub(crate) fn by_id(&self, ledger: LedgerId) -> Option<Arc<LedgerState>> {
        self.by_id
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&ledger)
            .cloned()
    }

    pub(crate) fn insert(&self, ledger: Arc<LedgerState>) {
        self.by_id
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(ledger.id, Arc::clone(&ledger));
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
