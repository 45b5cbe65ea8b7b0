//! The ledger as its users hold it: append, heads, rows.
//!
//! Not here: how a commit is made (`writer`, `draft`), checkpoints (`signer`), proofs (`prove`), starting (`open`).

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use trailbook_event::Admitted;

use crate::{
    Error, Head, IdempotencyKey, Measures, OrganizationKey, Receipt, Row, Submission, duplicates,
    manifest::CompactionLimits,
    redact,
    segment::Run,
    signer::CheckpointSigner,
    submission::{Announcements, Preparation},
    tail::LedgerState,
    writer::{Alteration, Command, Shared},
};

/// Most bytes of the tail that a byte of an event as sent takes, usually.
const MEMORY_OF_SENT: usize = 2;

/// How much the ledger holds in memory before it refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Events after which the tail is sealed, and that a sealing takes at a time.
    pub seal_events: u64,
    /// Milliseconds after which the tail is sealed, however small it is.
    pub seal_age_ms: i64,
    /// What compacting aims for.
    pub compaction: CompactionLimits,
    /// Segments whose files are open at a time.
    pub open_segments_max: usize,
    /// Days that events are kept where no policy says otherwise; `None` is for ever.
    pub retention_days: Option<u32>,
    /// Events in the tail.
    pub tail_events_max: usize,
    /// Bytes of the tail in memory, estimated.
    pub tail_bytes_max: usize,
    /// Events after which the writer stops gathering and commits.
    pub group_events_max: usize,
    /// Submissions that may wait for the writer.
    pub queue_submissions_max: usize,
    /// Bytes of the submissions that may wait for the writer.
    pub queue_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            seal_events: 200_000,
            seal_age_ms: 15 * 60_000,
            compaction: CompactionLimits::default(),
            open_segments_max: 256,
            retention_days: None,
            tail_events_max: 2_000_000,
            tail_bytes_max: 3 << 30,
            group_events_max: 8_192,
            queue_submissions_max: 4_096,
            queue_bytes_max: 256 << 20,
        }
    }
}

/// The ledgers of a deployment. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Ledger {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) commands: Mutex<Option<mpsc::Sender<Command>>>,
    pub(crate) writer: Mutex<Option<JoinHandle<()>>>,
    pub(crate) queue_bytes: Arc<tokio::sync::Semaphore>,
    pub(crate) signer: CheckpointSigner,
    /// Held while something is forgotten.
    pub(crate) forgetting: tokio::sync::Mutex<()>,
    pub(crate) deployment: String,
}

impl Ledger {
    /// Prepares events of `project` for [`Ledger::append`], on the caller's thread: nonces, commitments, compression.
    /// `country` gives the ISO 3166-1 alpha-2 code of an address, if it is known.
    pub fn prepare(
        &self,
        project: &str,
        events: Vec<Admitted>,
        idempotency: Option<IdempotencyKey>,
        country: &dyn Fn(IpAddr) -> Option<[u8; 2]>,
    ) -> Submission {
        let shared = &self.inner.shared;
        let preparation = Preparation {
            random: &*shared.random,
            secret: &shared.secret,
            measures: &shared.measures,
        };
        Submission::prepare(project, events, idempotency, country, preparation)
    }

    /// Adds to a submission what is told of each of its organizations that has no ledger: `tell` gives the event, of an organization of the
    /// same project and without a client id, or nothing. It is stored in the very commit that gives the organization its ledger, after
    /// the submission's events, and not at all when another commit comes first; receipts do not speak of it, and nothing is told of
    /// the ledger that it goes to.
    pub fn announce(&self, submission: &mut Submission, tell: &dyn Fn(&OrganizationKey) -> Option<Admitted>) {
        let organizations = submission.organizations.iter().enumerate();
        let unknown = organizations.filter(|(_, key)| self.state(key).is_err());
        let told: Vec<(u32, Admitted)> = unknown.filter_map(|(of, key)| Some((of as u32, tell(key)?))).collect();
        let Some((first, _)) = told.first() else { return };
        let project = submission.organizations[*first as usize].project().to_owned();
        let (of, mut events): (Vec<u32>, Vec<Admitted>) = told.into_iter().unzip();
        events.iter_mut().for_each(|event| event.client_id = None);
        let submission_of_events = self.prepare(&project, events, None, &|_| None);
        submission.announcements = Some(Box::new(Announcements {
            of,
            submission: submission_of_events,
        }));
    }

    /// Stores a submission whole or not at all. When it returns `Ok`, the events are durable and every read sees them.
    /// Safe to repeat with the same idempotency key or client ids. Dropping the future does not undo anything.
    pub async fn append(&self, mut submission: Submission) -> Result<Receipt, Error> {
        let inner = &self.inner;
        inner.shared.refused()?;
        let bytes = u32::try_from(submission.memory()).unwrap_or(u32::MAX);
        let overloaded = |limit| Error::Overloaded {
            limit,
            retry_after_seconds: 1,
        };
        let room = Arc::clone(&inner.queue_bytes).try_acquire_many_owned(bytes);
        // It goes with the submission: a caller who goes away leaves that in the queue.
        submission.room = Some(room.map_err(|_| overloaded("queue_bytes_max"))?);
        let (answer, answered) = oneshot::channel();
        let commands = self.commands()?;
        commands
            .try_send(Command::Append(submission, answer))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => overloaded("queue_submissions_max"),
                mpsc::error::TrySendError::Closed(_) => closed(),
            })?;
        answered.await.unwrap_or(Err(Error::Unknown))
    }

    /// The writer's queue, unless the ledger is closed.
    pub(crate) fn commands(&self) -> Result<mpsc::Sender<Command>, Error> {
        self.inner
            .commands
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or_else(closed)
    }

    /// Where the organization's ledger stands; `None` when it has none: nothing was ever stored for it, and it was not opened.
    pub fn head(&self, organization: &OrganizationKey) -> Option<Head> {
        self.state(organization).ok().map(|ledger| ledger.head())
    }

    /// All ledgers and where they stand, in the order of their creation.
    pub fn heads(&self) -> Vec<(OrganizationKey, Head)> {
        self.inner
            .shared
            .ledgers
            .all()
            .iter()
            .map(|ledger| (ledger.key.clone(), ledger.head()))
            .collect()
    }

    /// The committed rows of the tail from sequence `from` on, at most `limit`, in sequence order; sealed ones are not
    /// among them. Cheap: rows are shared.
    pub fn tail(&self, organization: &OrganizationKey, from: u64, limit: usize) -> Vec<Arc<Row>> {
        self.state(organization)
            .map(|ledger| ledger.rows(from, limit))
            .unwrap_or_default()
    }

    /// The committed rows from sequence `from` on (or from the floor, when that is higher), at most `limit` and possibly fewer, in
    /// sequence order without gaps; none when there are no more. Reads files when they are sealed.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Corrupt`], [`Error::Storage`].
    pub fn rows(&self, organization: &OrganizationKey, from: u64, limit: usize) -> Result<Vec<Arc<Row>>, Error> {
        let ledger = self.state(organization)?;
        let from = from.max(self.floor(&ledger));
        let tail = ledger.rows(from, limit);
        if tail.first().is_some_and(|row| row.sequence == from) || from >= ledger.head().size {
            return Ok(tail);
        }
        self.sealed_rows(&ledger, from, limit)
    }

    /// Rows of the run that has `from`, redactions carried out.
    fn sealed_rows(&self, ledger: &LedgerState, from: u64, limit: usize) -> Result<Vec<Arc<Row>>, Error> {
        let history = &self.inner.shared.history;
        // Before the manifest: what is carried out in between is honoured twice, and not never.
        let overlay = history.overlay(ledger.id);
        let runs = history.runs(&history.manifest(), ledger.id)?;
        let has = |run: &Run| (run.first_sequence..run.first_sequence + run.rows).contains(&from);
        let Some((stored, run)) = runs.into_iter().find(|(_, run)| has(run)) else {
            return Err(Error::corrupt(format!(
                "an event is neither in the tail nor sealed: ledger={} sequence={from}; run `trailbook fsck`",
                ledger.key
            )));
        };
        let end = (run.first_sequence + run.rows).min(from.saturating_add(limit as u64));
        let segment = history.open(&stored)?;
        let mut numbers = segment.numbers(&run, from..end)?;
        numbers.sort_unstable();
        let mut rows = segment.rows(&run, &numbers)?;
        rows.sort_unstable_by_key(|row| row.sequence);
        let honoured = |row: Row| match overlay.get(&row.sequence) {
            Some(redaction) => redact::redacted(&row, &redaction.secrets),
            None => row,
        };
        Ok(rows.into_iter().map(honoured).map(Arc::new).collect())
    }

    /// Commits an alteration; answers the commit's number.
    pub(crate) async fn change(&self, alteration: Alteration) -> Result<u64, Error> {
        let (answer, answered) = oneshot::channel();
        let command = Command::Change(alteration, answer);
        self.commands()?.send(command).await.map_err(|_| closed())?;
        answered.await.unwrap_or(Err(Error::Unknown))
    }

    pub(crate) fn state(&self, organization: &OrganizationKey) -> Result<Arc<LedgerState>, Error> {
        self.inner.shared.ledgers.get(organization).ok_or(Error::NotFound)
    }

    /// The last commit that was sealed, 0 when there is none.
    pub fn sealed_through(&self) -> u64 {
        self.inner.shared.history.manifest().sealed_through()
    }

    /// The number of the newest commit; a change says that there are new rows.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.inner.shared.commits.subscribe()
    }

    /// Becomes `Some` with the reason when the process must stop because a sync failed.
    pub fn fatal(&self) -> watch::Receiver<Option<String>> {
        self.inner.shared.fatal.subscribe()
    }

    /// A secret of this deployment for `purpose`, the same after every restart.
    pub fn secret(&self, purpose: &str) -> [u8; 32] {
        duplicates::keyed(
            b"trailbook/secret/v1\0",
            &self.inner.shared.secret,
            &[purpose.as_bytes()],
        )
    }

    /// `Ok` when it can store now; otherwise why not. `bytes` are those of the events as they were sent.
    pub fn ready(&self, bytes: usize) -> Result<(), Error> {
        let shared = &self.inner.shared;
        shared.refused()?;
        shared.room_for(1, bytes.saturating_mul(MEMORY_OF_SENT))?;
        self.commands().map(drop)
    }

    /// Whether the tail has as many events as are sealed at a time, or half of what it may have.
    pub fn is_tail_full(&self) -> bool {
        let (limits, measures) = (&self.inner.shared.limits, &self.inner.shared.measures);
        let (events_max, bytes_max) = (limits.tail_events_max as u64, limits.tail_bytes_max as u64);
        measures.tail_events.load(Ordering::Relaxed) >= limits.seal_events.min(events_max / 2)
            || measures.tail_bytes.load(Ordering::Relaxed) >= bytes_max / 2
    }

    /// What is measured.
    pub fn measures(&self) -> &Measures {
        &self.inner.shared.measures
    }

    /// Stops taking events, writes what waits, gives leases back, and records the newest commit among the objects.
    pub async fn close(&self) -> Result<(), Error> {
        let commands = self
            .inner
            .commands
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(commands);
        let writer = self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            writer.await.map_err(|error| Error::storage("stop the writer", error))?;
        }
        let shared = &self.inner.shared;
        let holders = std::mem::take(&mut *shared.holders.lock().unwrap_or_else(PoisonError::into_inner));
        for holder in holders {
            // Otherwise the leases end by themselves.
            if let Err(error) = shared.database.release(holder).await {
                tracing::warn!(%error, "leases could not be given back");
                break;
            }
        }
        let head = shared.chain_head();
        if head.commit > 0 && shared.refused().is_ok() {
            shared.anchors.put(head).await?;
        }
        Ok(())
    }
}

fn closed() -> Error {
    Error::Refused {
        reason: "the server is stopping".to_owned(),
    }
}
