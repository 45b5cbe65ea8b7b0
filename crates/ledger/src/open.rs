//! Starting: what is stored is read back, checked against itself and against the objects, and the writer set to work.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use object_store::ObjectStore;
use tokio::sync::{Semaphore, mpsc, watch};
use trailbook_event::Timestamp;
use trailbook_merkle::{CompactRange, Frontier, Hash};

use crate::{
    Error, EventId, Ledger, Limits, Row,
    chain::Anchors,
    database::{Database, LedgerId, Loaded, StoredHead, TailRow},
    duplicates::{REMEMBERED_MS, Remembered},
    follow::{self, Asking, Place},
    frame::Body,
    history::History,
    inputs::{Clock, Random, random_bytes},
    keep,
    ledger::Inner,
    measures::Measures,
    objects::{ObjectFiles, Objects},
    row::Secrets,
    segment::Indexer,
    signer::CheckpointSigner,
    tail::{LedgerHead, LedgerState, TailCommits},
    tail_row::{self, Numbering},
    writer::{Shared, Writer},
};

/// Bytes of tail rows that are read at a time while starting.
const LOAD_BYTES: usize = 16 << 20;

/// The parts that a ledger is made of. Clones share them; one ledger at a time is made of them.
#[derive(Clone)]
pub struct Parts {
    /// Orders and remembers.
    pub database: Arc<dyn Database>,
    /// Keeps what is not for a database. What it acknowledged has to be synced.
    pub objects: Arc<dyn ObjectStore>,
    /// Where the objects are found as files: a local store's own, or copies of a remote one's.
    pub object_files: ObjectFiles,
    /// Makes the search index of what is sealed.
    pub indexer: Arc<dyn Indexer>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives random bytes.
    pub random: Arc<dyn Random>,
    /// Where the time goes; shared with the database.
    pub measures: Arc<Measures>,
    /// The Ed25519 secret that checkpoints are signed with.
    pub signing_key: [u8; 32],
    /// How much is held in memory.
    pub limits: Limits,
}

impl Ledger {
    /// Reads back what is stored and starts the writer, on the current tokio runtime, which has several threads. A database that
    /// contradicts what was published opens for reading only: then appends and checkpoints answer [`Error::Refused`]. Before that it
    /// forgets what was forgotten after it was made; when it cannot, it does not open.
    pub async fn open(parts: Parts) -> Result<Self, Error> {
        // From before what is loaded: nothing that others commit from now on goes unheard.
        let news = parts.database.news();
        let loaded = load(&parts).await?;
        let anchors = Anchors::new(Arc::clone(&parts.objects));
        let contradiction = anchors.contradiction(loaded.head, &*parts.database).await?;
        let ledger = Self::start(parts, loaded, anchors).await?;
        let shared = &ledger.inner.shared;
        if let Some(reason) = contradiction {
            // Whoever follows would refuse at once, and nothing could be forgotten any more.
            ledger.forget_again().await?;
            tracing::error!(reason, "writing and signing are refused");
            shared.refuse(reason);
        }
        if let Some(news) = news {
            tokio::spawn(follow::follow(Arc::downgrade(shared), news));
        }
        Ok(ledger)
    }

    /// Starts from what was loaded; nobody is followed. `recover` comes here with a state that it has moved to a new epoch.
    pub(crate) async fn start(parts: Parts, loaded: Loaded, anchors: Anchors) -> Result<Self, Error> {
        let session = parts.database.session();
        let now = parts.clock.now();
        let seen = (
            now.max(Timestamp::from_millis(loaded.committed_at)),
            parts.clock.monotonic(),
        );
        let refusal = (loaded.committed_at > now.millis() + 60_000).then(|| {
            format!(
                "the clock shows {now}, before the last commit at {}: set the clock right and restart",
                Timestamp::from_millis(loaded.committed_at)
            )
        });
        if let Some(reason) = &refusal {
            tracing::error!(reason, "writing and signing are refused");
        }
        let since = now.millis() - REMEMBERED_MS;
        let remembered = remember(&*parts.database, since).await?;
        let objects = Objects::new(parts.objects, parts.object_files);
        objects.clear_scratch()?;
        let shared = Arc::new(Shared {
            is_alone: parts.database.news().is_none(),
            astray: AtomicBool::new(false),
            database: parts.database,
            ledgers: Arc::default(),
            history: Arc::new(History::new(objects, &loaded, &parts.limits)),
            indexer: parts.indexer,
            tail_commits: TailCommits::default(),
            floors_from: parts.clock.monotonic() + keep::floors_wait(now, loaded.committed_at),
            clock: parts.clock,
            random: parts.random,
            measures: parts.measures,
            limits: parts.limits,
            secret: loaded.secret,
            commits: watch::channel(loaded.head.commit).0,
            refusal: Mutex::new(refusal),
            fatal: watch::channel(None).0,
            head: Mutex::new(loaded.head),
            place: tokio::sync::Mutex::new(Place {
                last_id: EventId::from_bytes([0; 16]),
                next_ledger: 1,
            }),
            remembered: Mutex::new(remembered),
            anchors,
            asking: Asking::default(),
            observer: OnceLock::new(),
            holders: Mutex::default(),
        });
        let last_id = load_ledgers(&shared, loaded.heads, (loaded.sealed_through, loaded.head.commit)).await?;
        // Of these the stored bytes are still whole.
        let redactions = loaded.redactions.iter().filter(|redaction| !redaction.rewritten);
        redactions.for_each(|redaction| shared.redact_tail(redaction));
        // What is sealed has ids up to the time of the last commit.
        let sealed_id = EventId::first(u64::try_from(loaded.committed_at + 1).unwrap_or_default(), [0; 10]);
        let last_id = last_id.max(sealed_id);
        let ledgers = shared.ledgers.all();
        for checkpoint in loaded.checkpoints {
            if let Ok(position) = ledgers.binary_search_by_key(&checkpoint.ledger, |ledger| ledger.id) {
                ledgers[position].set_checkpoint(checkpoint);
            }
        }
        *shared.place.lock().await = Place {
            last_id,
            next_ledger: ledgers.last().map_or(1, |ledger| ledger.id + 1),
        };
        let (commands, queue) = mpsc::channel(shared.limits.queue_submissions_max);
        let writer = Writer {
            shared: Arc::clone(&shared),
            commands: queue,
            session,
            looked_at: Duration::ZERO,
            seen,
            forgotten_at: 0,
        };
        let queue_bytes = Arc::new(Semaphore::new(
            shared.limits.queue_bytes_max.min(Semaphore::MAX_PERMITS),
        ));
        Ok(Self {
            inner: Arc::new(Inner {
                shared,
                commands: Mutex::new(Some(commands)),
                writer: Mutex::new(Some(tokio::spawn(writer.run()))),
                queue_bytes,
                signer: CheckpointSigner::new(parts.signing_key),
                forgetting: tokio::sync::Mutex::default(),
                deployment: loaded.deployment,
            }),
        })
    }
}

/// Reads the stored state; the first time, names the deployment.
pub(crate) async fn load(parts: &Parts) -> Result<Loaded, Error> {
    let name = random_bytes::<6>(&*parts.random)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    let loaded = parts
        .database
        .load(random_bytes(&*parts.random), format!("trailbook/{name}"))
        .await;
    loaded.map_err(|error| Error::storage("load the ledgers", error))
}

async fn remember(database: &dyn Database, since: i64) -> Result<Remembered, Error> {
    let (answers, client_ids) = database
        .remembered(since)
        .await
        .map_err(|error| Error::storage("load the keys of the last day", error))?;
    let mut remembered = Remembered::default();
    answers.iter().for_each(|(key, at)| remembered.insert(key, *at));
    client_ids.iter().for_each(|(key, at)| remembered.insert(key, *at));
    Ok(remembered)
}

/// The compact range of a stored head.
pub(crate) fn frontier_of(stored: &StoredHead) -> Result<Frontier, Error> {
    let damaged = || Error::corrupt(format!("the head of a ledger: ledger={}", stored.key));
    let (hashes, rest) = stored.frontier.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(damaged());
    }
    let range = CompactRange::new(0, stored.size, hashes.iter().copied().map(Hash).collect()).map_err(|_| damaged())?;
    Frontier::try_from(range).map_err(|_| damaged())
}

/// Fills the ledgers from stored heads and the tail rows above `after` up to `through`; answers the newest Log ID.
async fn load_ledgers(shared: &Shared, heads: Vec<StoredHead>, (after, through): (u64, u64)) -> Result<EventId, Error> {
    let mut ledgers = HashMap::new();
    for stored in heads {
        let head = LedgerHead {
            epoch: stored.epoch,
            frontier: frontier_of(&stored)?,
            received_at: Timestamp::from_millis(stored.received_at),
        };
        let ledger = Arc::new(LedgerState::new(stored.ledger, stored.key, head));
        shared.ledgers.insert(Arc::clone(&ledger));
        ledgers.insert(
            ledger.id,
            Loading {
                ledger,
                rows: Vec::new(),
            },
        );
    }
    let (mut commit, mut last_id) = (after, EventId::from_bytes([0; 16]));
    loop {
        let rows = shared.database.tail(commit, through, LOAD_BYTES).await;
        let rows = rows.map_err(|error| Error::storage("read the tail", error))?;
        let Some(last) = rows.last() else { break };
        commit = last.commit;
        for row in rows {
            last_id = last_id.max(load_tail_row(shared, &mut ledgers, &row)?);
        }
    }
    for (_, loading) in ledgers {
        loading.finish()?;
    }
    Ok(last_id)
}

struct Loading {
    ledger: Arc<LedgerState>,
    rows: Vec<Arc<Row>>,
}

impl Loading {
    /// Publishes the rows, which must lead up to the head.
    fn finish(self) -> Result<(), Error> {
        let head = self.ledger.ledger_head();
        let size = head.frontier.size();
        let first = size.checked_sub(self.rows.len() as u64);
        let contiguous = self
            .rows
            .iter()
            .enumerate()
            .all(|(position, row)| Some(row.sequence) == first.map(|f| f + position as u64));
        match first.filter(|_| contiguous) {
            Some(first) => {
                self.ledger.expect_rows_from(first);
                self.ledger.publish(head, self.rows);
                Ok(())
            }
            None => Err(Error::corrupt(format!(
                "the tail does not lead up to the head: ledger={} size={size}; run `trailbook fsck`",
                self.ledger.key
            ))),
        }
    }
}

/// Decodes a tail row into the ledgers' rows, each checked against its leaf hash.
fn load_tail_row(
    shared: &Shared,
    ledgers: &mut HashMap<LedgerId, Loading>,
    stored: &TailRow,
) -> Result<EventId, Error> {
    let mut last_id = EventId::from_bytes([0; 16]);
    let rows = rows_of(stored)?;
    if let Some((_, row)) = rows.first() {
        shared.tail_commits.add(row.commit, rows.len() as u64, row.received_at);
    }
    for (ledger, row) in rows {
        if row.leaf_record().leaf_hash() != row.leaf_hash {
            return Err(Error::corrupt(format!(
                "event {} (commit {}) does not hash to its leaf; run `trailbook fsck`",
                row.id, row.commit
            )));
        }
        last_id = row.id;
        let bytes = row.memory();
        shared.measures.tail_events.fetch_add(1, Ordering::Relaxed);
        shared.measures.tail_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        ledgers
            .get_mut(&ledger)
            .ok_or_else(|| {
                Error::corrupt(format!(
                    "a commit names an unknown ledger: commit={} ledger={ledger}",
                    row.commit
                ))
            })?
            .rows
            .push(Arc::new(row));
    }
    Ok(last_id)
}

/// The rows of a commit with the numbers of their ledgers, in order.
pub(crate) fn rows_of(stored: &TailRow) -> Result<Vec<(LedgerId, Row)>, Error> {
    let (numbering, bodies) = tail_row::decode_intact(&stored.body)
        .map_err(|what| Error::corrupt(format!("commit {}: {what}; run `trailbook fsck`", stored.commit)))?;
    Ok(rows(stored.commit, &numbering, bodies))
}

/// The rows of a decoded commit.
pub(crate) fn rows(commit: u64, numbering: &Numbering, bodies: Vec<Body>) -> Vec<(LedgerId, Row)> {
    let numbered = numbering.places().zip(&numbering.leaf_hashes).zip(bodies).enumerate();
    numbered
        .map(|(position, (((run, sequence), leaf_hash), body))| {
            let row = Row {
                sequence,
                commit,
                id: numbering.id(position),
                epoch: run.epoch,
                received_at: Timestamp::from_millis(run.received_at),
                occurred_at: body.occurred_at,
                country: body.country,
                secrets: Secrets::Nonce(body.nonce),
                leaf_hash: *leaf_hash,
                parts: body.parts,
            };
            (run.ledger, row)
        })
        .collect()
}
