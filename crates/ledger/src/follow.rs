//! What other nodes committed, taken into memory in the order of commits.
//!
//! Invariants
//! - Memory holds all commits up to its head and none above it, whoever made them; each is taken in once.
//! - A commit that does not continue the chain of hashes is not taken in: the database is not the one that it was.
//! - [`Ledger::catch_up`] returns when everything is visible that anybody was acknowledged before it was called.
//!
//! Not here: this node's own commits (`writer`), where commits come from (`database`).

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Mutex, watch};
use trailbook_event::Timestamp;
use trailbook_merkle::Frontier;

use crate::{
    Error, EventId, Ledger, Row,
    chain::{self, ChangedHead},
    database::{ChainHead, Change, Committed, LedgerId, RecordChange, StoredHead, TailRow},
    open::{frontier_of, rows_of},
    tail::{LedgerHead, LedgerState},
    writer::Shared,
};

/// Bytes of commits that are read at a time.
const READ_BYTES: usize = 16 << 20;
/// How often the newest commit is compared with what was published, and published itself.
const ANCHOR_EVERY: Duration = Duration::from_secs(10);
/// After a failure.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What the next commit is numbered from, beside the heads. Whoever holds it moves memory on.
pub(crate) struct Place {
    /// The newest Log ID.
    pub(crate) last_id: EventId,
    /// The number for the next ledger.
    pub(crate) next_ledger: LedgerId,
}

/// Hears of control records in the order of their commits; an error stops the process.
pub(crate) type Observer = Box<dyn Fn(u64, &[&RecordChange]) -> Result<(), String> + Send + Sync>;

/// Asking for the newest commit: once for all who wait.
pub(crate) struct Asking {
    begun: AtomicU64,
    finished: Mutex<Finished>,
}

struct Finished {
    /// Which asking it was.
    asking: u64,
    outcome: Result<(), Error>,
}

impl Default for Asking {
    fn default() -> Self {
        Self {
            begun: AtomicU64::new(0),
            finished: Mutex::new(Finished {
                asking: 0,
                outcome: Ok(()),
            }),
        }
    }
}

/// Why a commit of somebody else cannot be taken in.
enum Astray {
    /// Its era is a later one.
    Era,
    /// It does not continue the chain.
    Chain,
    /// It cannot be read, or does not fit what is in memory.
    Damaged(String),
}

impl Ledger {
    /// Returns when memory has everything that was acknowledged before this was called, by whichever node. Costs a question to the
    /// database, which those who wait share; nothing where nobody else commits. After the database went back, memory is all there is.
    ///
    /// # Errors
    /// [`Error::Storage`] when the database does not answer.
    pub async fn catch_up(&self) -> Result<(), Error> {
        self.inner.shared.catch_up().await
    }

    /// Lets `observer` hear of all control records as they are, and from then on of each that is written or removed, by this node or
    /// another, in the order of the commits, whose number comes with it, and before anybody who waits for the commit. Commits that this
    /// node has yet to follow come again then. An error of the observer stops the process. To be called once.
    ///
    /// # Errors
    /// [`Error::Storage`]; [`Error::Corrupt`] with what the observer says of the records as they are.
    pub async fn observe_records(
        &self,
        observer: impl Fn(u64, &[&RecordChange]) -> Result<(), String> + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let shared = &self.inner.shared;
        // Memory does not move on meanwhile: nothing goes unheard.
        let _held = shared.place.lock().await;
        for stored in self.records().await? {
            let record = RecordChange {
                kind: stored.kind,
                id: stored.id,
                expected: None,
                value: Some(stored.value),
            };
            observer(stored.version, &[&record]).map_err(Error::corrupt)?;
        }
        if shared.observer.set(Box::new(observer)).is_err() {
            tracing::error!("records are observed already");
        }
        Ok(())
    }
}

impl Shared {
    /// See [`Ledger::catch_up`].
    pub(crate) async fn catch_up(&self) -> Result<(), Error> {
        if self.is_alone || self.is_astray() {
            return Ok(());
        }
        let asking = &self.asking;
        let arrived = asking.begun.load(Ordering::SeqCst);
        let mut finished = asking.finished.lock().await;
        if finished.asking > arrived {
            return finished.outcome.clone();
        }
        let number = asking.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let outcome = match self.ask().await {
            Err(_) if self.is_astray() => Ok(()),
            outcome => outcome,
        };
        *finished = Finished {
            asking: number,
            outcome: outcome.clone(),
        };
        outcome
    }

    /// Asks for the newest commit, and takes in what is missing.
    async fn ask(&self) -> Result<(), Error> {
        let before = self.chain_head();
        let newest = self.database.newest().await;
        let newest = newest.map_err(|error| Error::storage("ask for the newest commit", error))?;
        let Some(newest) = newest else { return Ok(()) };
        self.require_era(newest)?;
        // What is in memory was committed: the database has it, unless it went back.
        let is_behind = newest.commit < before.commit || newest.commit == before.commit && newest.chain != before.chain;
        if is_behind && newest.era == before.era {
            return Err(self.went_back(newest).await);
        }
        loop {
            let known = self.chain_head();
            if newest.commit <= known.commit {
                break;
            }
            let missed = self.database.since(known.commit, READ_BYTES).await;
            let missed = missed.map_err(|error| Error::storage("read what others committed", error))?;
            if missed.is_empty() && self.chain_head().commit == known.commit {
                return Err(self.stop(format!(
                    "what was committed above {} is not remembered any more, for this node was not heard of for too long: it has to start \
                     again (newest={})",
                    known.commit, newest.commit
                )));
            }
            let mut place = self.place.lock().await;
            self.take_in(&mut place, missed).await?;
        }
        Ok(())
    }

    /// Takes in what others committed; what memory has already is left out.
    ///
    /// # Errors
    /// [`Error::Refused`] when it contradicts memory; from then on everything is refused.
    pub(crate) async fn take_in(&self, place: &mut Place, missed: Vec<Committed>) -> Result<(), Error> {
        for committed in missed {
            if committed.head.commit <= self.chain_head().commit {
                continue;
            }
            let head = committed.head;
            match self.take_in_one(place, committed) {
                Ok(()) => {}
                Err(Astray::Chain) => return Err(self.went_back(head).await),
                Err(Astray::Era) => return self.require_era(head),
                Err(Astray::Damaged(what)) => {
                    return Err(self.stop(format!("commit {} of another node: {what}", head.commit)));
                }
            }
        }
        Ok(())
    }

    fn take_in_one(&self, place: &mut Place, committed: Committed) -> Result<(), Astray> {
        let previous = self.chain_head();
        let Committed { head, heads, tail, .. } = committed;
        if head.era > previous.era {
            return Err(Astray::Era);
        }
        let heads = with_frontiers(heads)?;
        if head.commit != previous.commit + 1 || chain_of(previous, head, &heads) != head.chain {
            return Err(Astray::Chain);
        }
        let mut rows = match tail {
            Some(body) => self.read_rows(place, head.commit, body)?,
            None => HashMap::new(),
        };
        let at = Timestamp::from_millis(committed.committed_at);
        let events: usize = rows.values().map(Vec::len).sum();
        if events > 0 {
            self.tail_commits.add(head.commit, events as u64, at);
            self.measures.tail_events.fetch_add(events as u64, Ordering::Relaxed);
        }
        for (stored, frontier) in heads.into_values() {
            let rows = rows.remove(&stored.ledger).unwrap_or_default();
            self.move_head(place, stored, frontier, rows)?;
        }
        if let Some(ledger) = rows.keys().next() {
            return Err(Astray::Damaged(format!("events without a head: ledger={ledger}")));
        }
        for checkpoint in committed.checkpoints {
            if let Some(ledger) = self.ledgers.by_id(checkpoint.ledger) {
                ledger.set_checkpoint(checkpoint);
            }
        }
        self.remember(&committed.answers, &committed.client_ids, at.millis());
        self.make_visible(head, &committed.changes);
        self.measures.followed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// The rows of a commit, by ledger.
    fn read_rows(
        &self,
        place: &mut Place,
        commit: u64,
        body: bytes::Bytes,
    ) -> Result<HashMap<LedgerId, Vec<Arc<Row>>>, Astray> {
        let read = rows_of(&TailRow { commit, body }).map_err(|error| Astray::Damaged(error.to_string()))?;
        let mut rows = HashMap::<LedgerId, Vec<Arc<Row>>>::new();
        for (ledger, row) in read {
            place.last_id = place.last_id.max(row.id);
            rows.entry(ledger).or_default().push(Arc::new(row));
        }
        Ok(rows)
    }

    /// Moves a ledger on to a head, over rows that lead up to it.
    fn move_head(
        &self,
        place: &mut Place,
        stored: StoredHead,
        frontier: Frontier,
        rows: Vec<Arc<Row>>,
    ) -> Result<(), Astray> {
        let head = LedgerHead {
            epoch: stored.epoch,
            frontier,
            received_at: Timestamp::from_millis(stored.received_at),
        };
        let known = self.ledgers.by_id(stored.ledger);
        let is_new = known.is_none();
        let ledger = known.unwrap_or_else(|| {
            let empty = LedgerHead {
                frontier: Frontier::new(),
                ..head.clone()
            };
            Arc::new(LedgerState::new(stored.ledger, stored.key, empty))
        });
        let size = ledger.head().size;
        let leads_up = rows.iter().zip(size..).all(|(row, sequence)| row.sequence == sequence);
        if !leads_up || size + rows.len() as u64 != head.frontier.size() {
            return Err(Astray::Damaged(format!(
                "its events do not follow: ledger={}",
                ledger.key
            )));
        }
        let bytes: usize = rows.iter().map(|row| row.memory()).sum();
        self.measures.tail_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        ledger.publish(head, rows);
        if is_new {
            place.next_ledger = place.next_ledger.max(ledger.id + 1);
            self.ledgers.insert(ledger);
        }
        Ok(())
    }

    /// Remembers keys that were stored.
    pub(crate) fn remember(&self, answers: &[[u8; 32]], client_ids: &[[u8; 16]], at: i64) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        answers.iter().for_each(|key| remembered.insert(key, at));
        client_ids.iter().for_each(|key| remembered.insert(key, at));
    }

    /// Makes the changes of a commit visible, and then the commit.
    pub(crate) fn make_visible(&self, head: ChainHead, changes: &[Change]) {
        self.apply(changes);
        let records = changes.iter().filter_map(|change| match change {
            Change::Record(record) => Some(record),
            _ => None,
        });
        let records: Vec<&RecordChange> = records.collect();
        if let Some(observer) = self.observer.get()
            && !records.is_empty()
            && let Err(what) = observer(head.commit, &records)
        {
            self.stop(format!("a record of commit {}: {what}", head.commit));
        }
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = head;
        self.commits.send_replace(head.commit);
    }

    /// From now on refuses everything: the database lacks commits that there were, or has others in their place. `stored` is where it stands.
    pub(crate) async fn went_back(&self, stored: ChainHead) -> Error {
        let known = self.chain_head();
        let reason = format!(
            "the database (commit {}, era {}) does not continue what this node knows of it (commit {}, era {}): it went back in time, as a \
             standby that lagged or a restored copy does. Reads go on. Put the newer database back and start again, or continue in a new \
             epoch with `trailbook recover`",
            stored.commit, stored.era, known.commit, known.era
        );
        tracing::error!(reason, "writing and signing are refused");
        self.refuse(reason.clone());
        self.astray.store(true, Ordering::SeqCst);
        // Other nodes, which may know less, find it there.
        if let Err(error) = self.anchors.put(known).await {
            tracing::error!(%error, "what this node knows of the database could not be published for the others");
        }
        Error::Refused { reason }
    }

    /// Stops the process: memory cannot go on.
    fn stop(&self, reason: String) -> Error {
        tracing::error!(reason, "the process must stop");
        self.refuse(reason.clone());
        self.fatal.send_replace(Some(reason.clone()));
        Error::Refused { reason }
    }

    /// Compares the database with what was published, and publishes its newest commit.
    async fn look_at_anchors(&self) -> Result<(), Error> {
        let known = self.chain_head();
        match self.anchors.contradiction(known, &*self.database).await? {
            Some(reason) => {
                tracing::error!(reason, "writing and signing are refused");
                self.refuse(reason);
                Ok(())
            }
            None if known.commit > 0 => self.anchors.put(known).await,
            None => Ok(()),
        }
    }
}

/// Follows other nodes until the ledger is gone.
pub(crate) async fn follow(shared: Weak<Shared>, mut news: watch::Receiver<u64>) {
    let mut anchors_due = tokio::time::interval(ANCHOR_EVERY);
    loop {
        let looks = tokio::select! {
            changed = news.changed() => {
                if changed.is_err() {
                    return;
                }
                false
            }
            _ = anchors_due.tick() => true,
        };
        let Some(shared) = shared.upgrade() else { return };
        let followed = if shared.is_astray() {
            shared.look_for_another_era().await
        } else if looks && shared.refused().is_ok() {
            shared.look_at_anchors().await
        } else {
            shared.catch_up().await
        };
        if let Err(error) = followed {
            tracing::warn!(%error, "other nodes cannot be followed at the moment");
            drop(shared);
            tokio::time::sleep(TRY_AGAIN_AFTER).await;
        }
    }
}

impl Shared {
    /// Whether the database is not the one that memory comes from: nothing of it can be taken in any more.
    fn is_astray(&self) -> bool {
        self.astray.load(Ordering::SeqCst)
    }

    /// Where nothing can be taken in: stops the process once a recovery has moved the deployment on.
    async fn look_for_another_era(&self) -> Result<(), Error> {
        let newest = self.database.newest().await;
        let newest = newest.map_err(|error| Error::storage("ask for the newest commit", error))?;
        newest.map_or(Ok(()), |newest| self.require_era(newest))
    }

    /// Stops the process when the deployment has gone on in a later era than memory's.
    fn require_era(&self, newest: ChainHead) -> Result<(), Error> {
        if newest.era > self.chain_head().era {
            return Err(self.stop(format!(
                "the deployment goes on in era {} since a recovery: this node has to start again",
                newest.era
            )));
        }
        Ok(())
    }
}

/// Heads by ledger, with their compact ranges.
fn with_frontiers(heads: Vec<StoredHead>) -> Result<BTreeMap<LedgerId, (StoredHead, Frontier)>, Astray> {
    let heads = heads.into_iter().map(|stored| {
        let frontier = frontier_of(&stored).map_err(|error| Astray::Damaged(error.to_string()))?;
        Ok((stored.ledger, (stored, frontier)))
    });
    heads.collect()
}

/// The chain hash that a commit has when it follows `previous`.
fn chain_of(
    previous: ChainHead,
    head: ChainHead,
    heads: &BTreeMap<LedgerId, (StoredHead, Frontier)>,
) -> trailbook_merkle::Hash {
    let changed = heads.values().map(|(stored, frontier)| ChangedHead {
        ledger: stored.ledger,
        epoch: stored.epoch,
        size: stored.size,
        root: frontier.root(),
    });
    let changed: Vec<ChangedHead> = changed.collect();
    chain::next(previous.chain, head.era, head.commit, &changed)
}
