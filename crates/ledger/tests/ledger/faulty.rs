//! A database that fails as planned, and the plan, which objects can share.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use futures::future::BoxFuture;
use tokio::sync::watch;
use trailbook_ledger::database::{
    Answer, ChainHead, CommitError, Committed, Database, DatabaseError, Garbage, Group, LakeVersion, LedgerId, Loaded,
    StoredAnswer, StoredCheckpoint, StoredClientId, StoredRecord, StoredTile, Subtree, TailRow,
};
use trailbook_merkle::Hash;

/// What a fault does to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The call fails and nothing was done.
    Before,
    /// The connection is lost, and nothing was done.
    LostBefore,
    /// The connection is lost, but it was done.
    LostAfter,
    /// The sync fails.
    Sync,
    /// The process ends before anything was done.
    KilledBefore,
    /// The process ends when it was done.
    KilledAfter,
}

/// One planned fault: the how-manieth call of which verb.
struct Plan {
    verb: &'static str,
    countdown: usize,
    fault: Fault,
}

/// Which call fails, and what was called.
pub(crate) struct Faults {
    plan: Mutex<Option<Plan>>,
    calls: Mutex<BTreeMap<&'static str, usize>>,
    is_dead: watch::Sender<bool>,
}

impl Faults {
    /// No fault: calls are counted.
    pub(crate) fn none() -> Arc<Self> {
        Arc::new(Self {
            plan: Mutex::default(),
            calls: Mutex::default(),
            is_dead: watch::channel(false).0,
        })
    }

    /// A fault at the call of `verb` after the next so many.
    pub(crate) fn planned(verb: &'static str, countdown: usize, fault: Fault) -> Arc<Self> {
        let faults = Self::none();
        *faults.plan.lock().unwrap() = Some(Plan { verb, countdown, fault });
        faults
    }

    /// The fault for this call, if it is its turn. To the dead nothing is done any more.
    pub(crate) fn strikes(&self, verb: &'static str) -> Option<Fault> {
        if self.is_dead() {
            return Some(Fault::KilledBefore);
        }
        *self.calls.lock().unwrap().entry(verb).or_default() += 1;
        let mut plan = self.plan.lock().unwrap();
        let due = plan.as_mut().filter(|plan| plan.verb == verb)?;
        if due.countdown > 0 {
            due.countdown -= 1;
            return None;
        }
        plan.take().map(|plan| plan.fault)
    }

    /// Whether the planned fault has struck.
    pub(crate) fn has_struck(&self) -> bool {
        self.plan.lock().unwrap().is_none()
    }

    /// How often each verb was called.
    pub(crate) fn calls(&self) -> BTreeMap<&'static str, usize> {
        self.calls.lock().unwrap().clone()
    }

    /// Ends the process that the caller plays.
    pub(crate) async fn die<T>(&self) -> T {
        self.is_dead.send_replace(true);
        std::future::pending().await
    }

    /// Whether the process has ended.
    pub(crate) fn is_dead(&self) -> bool {
        *self.is_dead.borrow()
    }

    /// Waits for the process to end.
    pub(crate) async fn death(&self) {
        // The sender lives as long as this does.
        let _ = self.is_dead.subscribe().wait_for(|dead| *dead).await;
    }
}

/// A database that fails as planned.
pub(crate) struct Faulty {
    pub(crate) inner: Arc<dyn Database>,
    pub(crate) faults: Arc<Faults>,
}

impl Faulty {
    fn pass<'a, T: Send + 'a>(&'a self, verb: &'static str, call: Answer<'a, T>) -> Answer<'a, T> {
        match self.faults.strikes(verb) {
            None => call,
            Some(Fault::LostAfter) => Box::pin(async move {
                call.await?;
                Err(DatabaseError("lost after".to_owned()))
            }),
            Some(_) => Box::pin(async { Err(DatabaseError("lost before".to_owned())) }),
        }
    }
}

impl Database for Faulty {
    fn load(&self, secret: [u8; 32], deployment: String) -> Answer<'_, Loaded> {
        self.pass("load", self.inner.load(secret, deployment))
    }
    fn tail(&self, after: u64, through: u64, bytes_max: usize) -> Answer<'_, Vec<TailRow>> {
        self.pass("tail", self.inner.tail(after, through, bytes_max))
    }
    fn newest(&self) -> Answer<'_, Option<ChainHead>> {
        self.inner.newest()
    }
    fn since(&self, known: u64, bytes_max: usize) -> Answer<'_, Vec<Committed>> {
        self.inner.since(known, bytes_max)
    }
    fn news(&self) -> Option<watch::Receiver<u64>> {
        self.inner.news()
    }
    fn session(&self) -> u64 {
        self.inner.session()
    }
    fn lock(&self, known: u64) -> Answer<'_, (ChainHead, Vec<Committed>)> {
        self.pass("lock", self.inner.lock(known))
    }
    fn unlock(&self) -> BoxFuture<'_, ()> {
        self.inner.unlock()
    }
    fn commit(&self, group: Group) -> BoxFuture<'_, Result<(), CommitError>> {
        match self.faults.strikes("commit") {
            None => self.inner.commit(group),
            Some(Fault::Before) => Box::pin(async { Err(CommitError::NotCommitted("before".to_owned())) }),
            Some(Fault::Sync) => Box::pin(async { Err(CommitError::Fatal("sync".to_owned())) }),
            Some(Fault::LostBefore) => Box::pin(async { Err(CommitError::Unknown("lost before".to_owned())) }),
            Some(Fault::LostAfter) => Box::pin(async move {
                self.inner.commit(group).await?;
                Err(CommitError::Unknown("lost after".to_owned()))
            }),
            Some(Fault::KilledBefore) => Box::pin(self.faults.die()),
            Some(Fault::KilledAfter) => Box::pin(async move {
                self.inner.commit(group).await?;
                self.faults.die().await
            }),
        }
    }
    fn committed(&self, token: [u8; 16]) -> Answer<'_, Option<u64>> {
        self.pass("committed", self.inner.committed(token))
    }
    fn chain(&self, commit: u64) -> Answer<'_, Option<Hash>> {
        self.pass("chain", self.inner.chain(commit))
    }
    fn answer(&self, key: [u8; 32]) -> Answer<'_, Option<StoredAnswer>> {
        self.pass("answer", self.inner.answer(key))
    }
    fn client_ids(&self, keys: Vec<[u8; 16]>, since: i64) -> Answer<'_, Vec<StoredClientId>> {
        self.pass("client_ids", self.inner.client_ids(keys, since))
    }
    fn remembered(&self, since: i64) -> Answer<'_, (Vec<([u8; 32], i64)>, Vec<([u8; 16], i64)>)> {
        self.pass("remembered", self.inner.remembered(since))
    }
    fn subtrees(&self, ledger: LedgerId, level: u8, begin: u64, end: u64) -> Answer<'_, Vec<Subtree>> {
        self.pass("subtrees", self.inner.subtrees(ledger, level, begin, end))
    }
    fn tiles(&self, ledger: u64, first: u64, end: u64) -> Answer<'_, Vec<StoredTile>> {
        self.inner.tiles(ledger, first, end)
    }

    fn garbage(&self, now: i64) -> Answer<'_, Vec<Garbage>> {
        self.inner.garbage(now)
    }

    fn lease(&self, job: String, holder: String, now: i64, until: i64) -> Answer<'_, bool> {
        self.inner.lease(job, holder, now, until)
    }

    fn release(&self, holder: String) -> Answer<'_, ()> {
        self.inner.release(holder)
    }

    fn lake(&self, first: u64, count: u32) -> Answer<'_, Vec<LakeVersion>> {
        self.inner.lake(first, count)
    }

    fn records(&self) -> Answer<'_, Vec<StoredRecord>> {
        self.pass("records", self.inner.records())
    }
    fn checkpoint(&self, ledger: LedgerId, size: u64) -> Answer<'_, Option<StoredCheckpoint>> {
        self.pass("checkpoint", self.inner.checkpoint(ledger, size))
    }
    fn checkpoints(&self, ledger: LedgerId) -> Answer<'_, Vec<StoredCheckpoint>> {
        self.pass("checkpoints", self.inner.checkpoints(ledger))
    }
}
