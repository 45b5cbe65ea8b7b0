//! The one writer: takes what waits, makes one commit of it, publishes it, and only then acknowledges.
//!
//! Invariants
//! - One commit at a time; the next is numbered only when the outcome of the last is known.
//! - What is published to readers is committed, and what is acknowledged is published.
//! - After a failed sync nothing is written any more.
//! - What others committed is in memory before anything is numbered.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot, watch};
use trailbook_event::Timestamp;

use crate::{
    Error, EventId, Limits, OrganizationKey,
    chain::Anchors,
    database::{
        ChainHead, Change, CommitError, Committed, Database, Group, StoredCheckpoint, StoredClientId, StoredRedaction,
    },
    draft::{Draft, Moment},
    duplicates::{self, REMEMBERED_MS, Remembered},
    follow::{Asking, Observer, Place},
    history::History,
    inputs::{Clock, Random, random_bytes},
    lake,
    measures::{Measures, Stage},
    redact,
    segment::Indexer,
    submission::{Receipt, Submission, decode_receipt},
    tail::{Ledgers, TailCommits},
};

/// A clock that lost more than this is wrong.
const FALL_MAX_MS: i64 = 60_000;
/// A clock that ran ahead of the time that passed by more than this is wrong.
const LEAP_MAX_MS: i64 = 3_600_000;
/// When a full tail may have room again, about.
const SEALING_TAKES_SECONDS: u32 = 1;
/// How long to wait before asking again what became of a commit; doubles up to the maximum.
const ASK_AGAIN_FIRST: Duration = Duration::from_millis(50);
const ASK_AGAIN_MAX: Duration = Duration::from_secs(5);
/// After how long without a look at others' commits these are read before the order of commits is taken.
const LOOK_AFTER: Duration = Duration::from_secs(1);
/// How often what is older than 24 hours is forgotten.
const FORGET_EVERY_MS: i64 = 60_000;

/// Something to be written.
pub(crate) enum Command {
    /// Events.
    Append(Submission, oneshot::Sender<Result<Receipt, Error>>),
    /// A checkpoint that was signed.
    Checkpoint(Signature, oneshot::Sender<Result<StoredCheckpoint, Error>>),
    /// What is kept beside the events changes. Committed alone: when it can no longer be made, nobody else fails with it.
    Change(Alteration, oneshot::Sender<Result<u64, Error>>),
}

/// A checkpoint that was signed, and what it was held against.
pub(crate) struct Signature {
    pub(crate) checkpoint: StoredCheckpoint,
    /// The newest checkpoint of the ledger that it is known to extend.
    pub(crate) extends: Option<StoredCheckpoint>,
}

/// What is kept beside the events changes, with the events that record it.
#[derive(Default)]
pub(crate) struct Alteration {
    /// In this order.
    pub(crate) changes: Vec<Change>,
    /// Organizations that have a ledger from now on.
    pub(crate) open: Vec<OrganizationKey>,
    /// The events.
    pub(crate) events: Vec<Submission>,
}

impl From<Vec<Change>> for Alteration {
    fn from(changes: Vec<Change>) -> Self {
        Self {
            changes,
            ..Self::default()
        }
    }
}

/// What writer, readers and the signer share.
pub(crate) struct Shared {
    pub(crate) database: Arc<dyn Database>,
    pub(crate) ledgers: Arc<Ledgers>,
    pub(crate) history: Arc<History>,
    pub(crate) indexer: Arc<dyn Indexer>,
    /// The commits of the tail.
    pub(crate) tail_commits: TailCommits,
    /// Monotonic time from which on floors move.
    pub(crate) floors_from: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) measures: Arc<Measures>,
    pub(crate) limits: Limits,
    pub(crate) secret: [u8; 32],
    pub(crate) commits: watch::Sender<u64>,
    /// Why nothing may be written or signed.
    pub(crate) refusal: Mutex<Option<String>>,
    /// Set once when the process must stop.
    pub(crate) fatal: watch::Sender<Option<String>>,
    /// The newest commit in memory.
    pub(crate) head: Mutex<ChainHead>,
    /// Held while memory moves on.
    pub(crate) place: tokio::sync::Mutex<Place>,
    /// Keys of the last 24 hours.
    pub(crate) remembered: Mutex<Remembered>,
    /// Whether nobody else can commit.
    pub(crate) is_alone: bool,
    /// Whether the database went back behind what is in memory.
    pub(crate) astray: AtomicBool,
    /// What was published of the chain.
    pub(crate) anchors: Anchors,
    pub(crate) asking: Asking,
    pub(crate) observer: OnceLock<Observer>,
    /// Under which leases are held; given back when the ledger closes.
    pub(crate) holders: Mutex<Vec<String>>,
}

impl Shared {
    pub(crate) fn refused(&self) -> Result<(), Error> {
        match &*self.refusal.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(reason) => Err(Error::Refused { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// Whether the tail may grow by some events, which take so many bytes of memory.
    pub(crate) fn room_for(&self, events: usize, bytes: usize) -> Result<(), Error> {
        let (limits, measures) = (&self.limits, &self.measures);
        let over = |limit| {
            Err(Error::Overloaded {
                limit,
                retry_after_seconds: SEALING_TAKES_SECONDS,
            })
        };
        if measures.tail_events.load(Ordering::Relaxed) as usize + events > limits.tail_events_max {
            over("tail_events_max")
        } else if measures.tail_bytes.load(Ordering::Relaxed) as usize + bytes > limits.tail_bytes_max {
            over("tail_bytes_max")
        } else {
            Ok(())
        }
    }

    /// Whether a key may have been stored since a moment, milliseconds.
    fn perhaps(&self, key: &[u8], since: i64) -> bool {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.perhaps(key, since)
    }

    pub(crate) fn refuse(&self, reason: String) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    pub(crate) fn chain_head(&self) -> ChainHead {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes committed changes visible: first the manifest, then the tail, which readers look at the other way round.
    pub(crate) fn apply(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        self.history.apply(changes);
        for change in changes {
            match change {
                Change::Seal { through, .. } => self.trim(*through),
                Change::Redact(redaction) => self.redact_tail(redaction),
                _ => {}
            }
        }
    }

    /// Honours a redaction in the tail.
    pub(crate) fn redact_tail(&self, redaction: &StoredRedaction) {
        let Some(ledger) = self.ledgers.by_id(redaction.ledger) else {
            return;
        };
        let (before, after) = ledger.put_redacted(redaction.sequence, |row| redact::redacted(row, &redaction.secrets));
        self.measures.tail_bytes.fetch_add(after, Ordering::Relaxed);
        self.measures.tail_bytes.fetch_sub(before, Ordering::Relaxed);
    }

    /// Lets go of the tail up to a sealed commit.
    fn trim(&self, through: u64) {
        self.tail_commits.remove_through(through);
        for ledger in self.ledgers.all() {
            let (events, bytes) = ledger.trim(through);
            self.measures.tail_events.fetch_sub(events, Ordering::Relaxed);
            self.measures.tail_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

/// The writer's own state.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) commands: mpsc::Receiver<Command>,
    /// The session in which the database was last compared with what was published.
    pub(crate) session: u64,
    /// Monotonic time of the last look at what others committed.
    pub(crate) looked_at: Duration,
    /// The clocks at the last look.
    pub(crate) seen: (Timestamp, Duration),
    pub(crate) forgotten_at: i64,
}

/// Where a commit begins.
struct Standing {
    /// The newest commit.
    previous: ChainHead,
    /// What somebody else stored in the meantime.
    repeated: Vec<Command>,
    /// What goes into the commit.
    fresh: Vec<Command>,
}

/// A placed submission that waits for the commit.
type Waiting = (Result<Receipt, Error>, oneshot::Sender<Result<Receipt, Error>>);

impl Writer {
    /// Works until all senders are gone and what they sent is done.
    pub(crate) async fn run(mut self) {
        let mut carried = Vec::new();
        loop {
            let mut waiting = std::mem::take(&mut carried);
            if waiting.is_empty() {
                let Some(command) = self.commands.recv().await else {
                    return;
                };
                waiting.push(command);
            }
            let mut events: usize = waiting.iter().map(Command::events).sum();
            while events < self.shared.limits.group_events_max {
                let Ok(command) = self.commands.try_recv() else { break };
                events += command.events();
                waiting.push(command);
            }
            carried = self.commit_waiting(waiting).await;
        }
    }

    /// Makes one commit of what waits; gives back what must wait for the next.
    async fn commit_waiting(&mut self, waiting: Vec<Command>) -> Vec<Command> {
        let ready = match self.shared.refused() {
            Ok(()) => self.look_at_clocks(),
            Err(refused) => Err(refused),
        };
        let now = match ready {
            Ok(now) => now,
            Err(error) => {
                waiting.into_iter().for_each(|command| command.fail(&error));
                return Vec::new();
            }
        };
        let (changes, waiting) = waiting
            .into_iter()
            .partition(|command| matches!(command, Command::Change(..)));
        let (waiting, carried) = first_of_each_key(waiting, &self.shared.secret);
        let mut carried: Vec<Command> = carried;
        match self.answer_repeated(waiting, now).await {
            Ok((waiting, known)) if !waiting.is_empty() => carried.extend(self.commit_new(waiting, known, now).await),
            Ok(_) => {}
            Err((waiting, error)) => waiting.into_iter().for_each(|command| command.fail(&error)),
        }
        let changes: Vec<Command> = changes;
        for change in changes {
            carried.extend(self.commit_new(vec![change], Vec::new(), now).await);
        }
        carried
    }

    /// The time, unless the clock cannot be trusted.
    fn look_at_clocks(&mut self) -> Result<Timestamp, Error> {
        let (wall, monotonic) = (self.shared.clock.now(), self.shared.clock.monotonic());
        let passed = monotonic.saturating_sub(self.seen.1).as_millis() as i64;
        let drift = wall.millis() - self.seen.0.millis() - passed;
        if !(-FALL_MAX_MS..=LEAP_MAX_MS).contains(&drift) {
            let reason = format!(
                "the clock shows {wall}, {} ms off from what passed since {}: set the clock right, or restart if it is right",
                drift, self.seen.0
            );
            return Err(Error::Refused { reason });
        }
        self.seen = (wall.max(self.seen.0), monotonic);
        Ok(self.seen.0)
    }

    /// Answers submissions whose idempotency key is known; for the rest finds the client ids that are known.
    async fn answer_repeated(
        &mut self,
        waiting: Vec<Command>,
        now: Timestamp,
    ) -> Result<(Vec<Command>, Vec<StoredClientId>), (Vec<Command>, Error)> {
        let since = now.millis() - REMEMBERED_MS;
        let (mut fresh, mut perhaps) = (Vec::with_capacity(waiting.len()), Vec::new());
        let mut waiting = waiting.into_iter();
        while let Some(command) = waiting.next() {
            match self.stored_answer(&command, since).await {
                Ok(Some(answer)) => command.answer(answer),
                Ok(None) => {
                    if let Command::Append(submission, _) = &command {
                        let keys = submission
                            .events
                            .iter()
                            .filter_map(|event| event.client_id.map(|id| id.key));
                        perhaps.extend(keys.filter(|key| self.shared.perhaps(key, since)));
                    }
                    fresh.push(command);
                }
                Err(error) => {
                    fresh.push(command);
                    fresh.extend(waiting);
                    return Err((fresh, error));
                }
            }
        }
        if perhaps.is_empty() {
            return Ok((fresh, Vec::new()));
        }
        match self.shared.database.client_ids(perhaps, since).await {
            Ok(known) => Ok((fresh, known)),
            Err(error) => Err((fresh, Error::storage("look up client ids", error))),
        }
    }

    /// The answer that an idempotency key already has.
    async fn stored_answer(&self, command: &Command, since: i64) -> Result<Option<Result<Receipt, Error>>, Error> {
        let Some((key, body)) = command.idempotency(&self.shared.secret) else {
            return Ok(None);
        };
        if !self.shared.perhaps(&key, since) {
            return Ok(None);
        }
        let stored = self.shared.database.answer(key).await;
        let stored = stored.map_err(|error| Error::storage("look up an idempotency key", error))?;
        let Some(stored) = stored.filter(|stored| stored.stored_at >= since) else {
            return Ok(None);
        };
        Ok(Some(if stored.body == body {
            decode_receipt(stored.receipt).ok_or_else(|| Error::corrupt("an answer kept for an idempotency key"))
        } else {
            Err(Error::IdempotencyKeyReused)
        }))
    }

    /// Numbers, commits, publishes, acknowledges. Gives back what somebody else stored in the meantime: it has to be answered anew.
    async fn commit_new(&mut self, waiting: Vec<Command>, known: Vec<StoredClientId>, now: Timestamp) -> Vec<Command> {
        let shared = Arc::clone(&self.shared);
        let started = Instant::now();
        let locked = match self.lock().await {
            Ok(locked) => locked,
            Err(error) => {
                waiting.into_iter().for_each(|command| command.fail(&error));
                return Vec::new();
            }
        };
        let mut place = shared.place.lock().await;
        let Standing {
            previous,
            repeated,
            fresh: waiting,
        } = match self.stand_at(&mut place, locked, waiting).await {
            Ok(standing) => standing,
            Err((waiting, error)) => {
                shared.database.unlock().await;
                waiting.into_iter().for_each(|command| command.fail(&error));
                return Vec::new();
            }
        };
        let moment = Moment {
            commit: previous.commit + 1,
            era: previous.era,
            now,
            first_id: self.first_id(place.last_id, now),
            next_ledger: place.next_ledger,
        };
        let mut draft = Draft::new(&shared.ledgers, &shared.secret, moment, known);
        let mut answers = place_all(&mut draft, waiting, &shared);
        if draft.is_empty() {
            shared.database.unlock().await;
            answers.give(Ok(previous.commit));
            return repeated;
        }
        let version = lake::version(&shared.history.manifest(), &draft.changes, now.millis());
        draft.changes.extend(version);
        let forget = (now.millis() - self.forgotten_at >= FORGET_EVERY_MS).then_some(now.millis() - REMEMBERED_MS);
        let group = draft.group(previous, random_bytes(&*shared.random), forget);
        let head = ChainHead {
            era: group.era,
            commit: group.commit,
            chain: group.chain,
        };
        shared.measures.add(Stage::Number, started.elapsed());
        let outcome = self.commit_group(group).await;
        if outcome.is_ok() {
            self.publish(&mut place, draft, head, forget, now);
        }
        drop(place);
        answers.give(outcome.map(|()| head.commit));
        repeated
    }

    /// Takes the order of commits. Who has not looked for a while may have missed much, which is read piece by piece before.
    async fn lock(&mut self) -> Result<(ChainHead, Vec<Committed>), Error> {
        let now = self.shared.clock.monotonic();
        if now.saturating_sub(self.looked_at) >= LOOK_AFTER {
            self.shared.catch_up().await?;
        }
        let locked = self.shared.database.lock(self.shared.chain_head().commit).await;
        self.looked_at = now;
        locked.map_err(|error| Error::storage("take the order of commits", error))
    }

    /// Brings memory to where the database stands, which nobody else can move now, and looks which of those that wait somebody else
    /// stored.
    async fn stand_at(
        &mut self,
        place: &mut Place,
        (stored, missed): (ChainHead, Vec<Committed>),
        waiting: Vec<Command>,
    ) -> Result<Standing, (Vec<Command>, Error)> {
        let shared = Arc::clone(&self.shared);
        let others = Keys::of(&missed);
        if let Err(error) = shared.take_in(place, missed).await {
            return Err((waiting, error));
        }
        let known = shared.chain_head();
        if (known.commit, known.chain) != (stored.commit, stored.chain) {
            return Err((waiting, shared.went_back(stored).await));
        }
        if let Err(error) = self.compare_with_published(known).await {
            return Err((waiting, error));
        }
        let is_repeated = |command: &Command| others.have_some_of(command, &shared.secret);
        let (repeated, fresh) = waiting.into_iter().partition(is_repeated);
        // A recovery has moved the era on; its first commit stores that.
        let previous = ChainHead {
            era: known.era,
            ..stored
        };
        Ok(Standing {
            previous,
            repeated,
            fresh,
        })
    }

    /// A new connection may lead to another server, which may lack what was published.
    async fn compare_with_published(&mut self, known: ChainHead) -> Result<(), Error> {
        let session = self.shared.database.session();
        if session == self.session {
            return Ok(());
        }
        let contradiction = self.shared.anchors.contradiction(known, &*self.shared.database).await?;
        if let Some(reason) = contradiction {
            tracing::error!(reason, "writing and signing are refused");
            self.shared.refuse(reason.clone());
            return Err(Error::Refused { reason });
        }
        self.session = session;
        Ok(())
    }

    /// The first Log ID of a commit: after the last one, and not before the time it carries.
    fn first_id(&self, last_id: EventId, now: Timestamp) -> EventId {
        let millis = u64::try_from(now.millis()).unwrap_or_default();
        if millis > last_id.millis() {
            EventId::first(millis, random_bytes(&*self.shared.random))
        } else {
            last_id.plus(1)
        }
    }

    /// Commits, and finds out what happened when that is not clear.
    async fn commit_group(&self, group: Group) -> Result<(), Error> {
        let (token, events) = (group.token, group.tail.is_some());
        match self.shared.database.commit(group).await {
            Ok(()) => Ok(()),
            Err(CommitError::NotCommitted(detail)) => {
                tracing::error!(detail, events, "a commit failed; nothing was stored");
                Err(Error::storage("commit", detail))
            }
            Err(CommitError::Conflict(detail)) => Err(Error::Conflict { detail }),
            Err(CommitError::Unknown(detail)) => {
                tracing::warn!(detail, "the outcome of a commit is not known; asking");
                self.ask_until_known(token).await
            }
            Err(CommitError::Fatal(detail)) => {
                tracing::error!(detail, "a sync failed; the process must stop");
                self.shared.refuse(format!(
                    "a sync failed ({detail}): what is on disk is read again after a restart"
                ));
                self.shared.fatal.send_replace(Some(detail));
                Err(Error::Unknown)
            }
        }
    }

    /// Asks for a commit's token until there is an answer: nothing can be numbered before.
    async fn ask_until_known(&self, token: [u8; 16]) -> Result<(), Error> {
        let mut pause = ASK_AGAIN_FIRST;
        loop {
            match self.shared.database.committed(token).await {
                Ok(Some(_)) => return Ok(()),
                Ok(None) => return Err(Error::storage("commit", "the connection was lost before it")),
                Err(error) => tracing::warn!(%error, "the database does not answer"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(ASK_AGAIN_MAX);
        }
    }

    /// Makes a commit visible.
    fn publish(&mut self, place: &mut Place, draft: Draft<'_>, head: ChainHead, forget: Option<i64>, now: Timestamp) {
        let started = Instant::now();
        let shared = &self.shared;
        if let Some(last_id) = draft.last_id() {
            place.last_id = last_id;
        }
        place.next_ledger += draft.new_ledgers();
        let answers: Vec<_> = draft.answers.iter().map(|answer| answer.key).collect();
        let client_ids: Vec<_> = draft.client_ids.iter().map(|known| known.key).collect();
        shared.remember(&answers, &client_ids, now.millis());
        if let Some(before) = forget {
            let mut remembered = shared.remembered.lock().unwrap_or_else(PoisonError::into_inner);
            remembered.forget(before);
            self.forgotten_at = now.millis();
        }
        let (measures, events) = (&shared.measures, draft.events() as u64);
        measures.events.fetch_add(events, Ordering::Relaxed);
        measures.tail_events.fetch_add(events, Ordering::Relaxed);
        if events > 0 {
            shared.tail_commits.add(head.commit, events, now);
        }
        for changed in draft.changed {
            let bytes: usize = changed.rows.iter().map(|row| row.memory()).sum();
            measures.tail_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
            changed.ledger.publish(changed.head, changed.rows);
            if changed.new {
                shared.ledgers.insert(changed.ledger);
            }
        }
        for checkpoint in draft.checkpoints {
            if let Some(ledger) = shared.ledgers.by_id(checkpoint.ledger) {
                ledger.set_checkpoint(checkpoint);
            }
        }
        shared.make_visible(head, &draft.changes);
        measures.add(Stage::Publish, started.elapsed());
    }
}

/// Keys of what others stored.
struct Keys {
    answers: HashSet<[u8; 32]>,
    client_ids: HashSet<[u8; 16]>,
}

impl Keys {
    fn of(missed: &[Committed]) -> Self {
        Self {
            answers: missed
                .iter()
                .flat_map(|commit| commit.answers.iter().copied())
                .collect(),
            client_ids: missed
                .iter()
                .flat_map(|commit| commit.client_ids.iter().copied())
                .collect(),
        }
    }

    /// Whether something of a command is among them.
    fn have_some_of(&self, command: &Command, secret: &[u8; 32]) -> bool {
        let Command::Append(submission, _) = command else {
            return false;
        };
        let answered = command.idempotency(secret);
        let mut client_ids = submission.events.iter().filter_map(|event| event.client_id);
        answered.is_some_and(|(key, _)| self.answers.contains(&key))
            || client_ids.any(|known| self.client_ids.contains(&known.key))
    }
}

/// Answers that are given when the outcome of the commit is known.
#[derive(Default)]
struct Answers {
    receipts: Vec<Waiting>,
    changes: Vec<oneshot::Sender<Result<u64, Error>>>,
    checkpoints: Vec<(StoredCheckpoint, oneshot::Sender<Result<StoredCheckpoint, Error>>)>,
}

impl Answers {
    /// Gives them: the commit's number, or why there is none. Who has gone away will find out by repeating.
    fn give(&mut self, outcome: Result<u64, Error>) {
        for (receipt, answer) in self.receipts.drain(..) {
            let _ = answer.send(outcome.clone().and(receipt));
        }
        for answer in self.changes.drain(..) {
            let _ = answer.send(outcome.clone());
        }
        for (checkpoint, answer) in self.checkpoints.drain(..) {
            let _ = answer.send(outcome.clone().map(|_| checkpoint));
        }
    }
}

/// Places what waits, submissions while the tail has room; the answers to come.
fn place_all(draft: &mut Draft<'_>, waiting: Vec<Command>, shared: &Shared) -> Answers {
    let mut answers = Answers::default();
    for command in waiting {
        match command {
            Command::Append(submission, answer) => {
                let receipt = room_for(draft, &submission, shared).and_then(|()| draft.place(submission));
                if let Ok(receipt) = &receipt {
                    shared
                        .measures
                        .duplicates
                        .fetch_add(receipt.duplicates() as u64, Ordering::Relaxed);
                }
                answers.receipts.push((receipt, answer));
            }
            Command::Checkpoint(signature, answer) => match place_checkpoint(draft, signature, shared) {
                Ok(checkpoint) => answers.checkpoints.push((checkpoint, answer)),
                Err(error) => drop(answer.send(Err(error))),
            },
            Command::Change(alteration, answer) => {
                match alter(draft, alteration, shared) {
                    Ok(()) => answers.changes.push(answer),
                    // It is alone in the draft. Who has gone away will find out by repeating.
                    Err(error) => {
                        *draft = draft.emptied();
                        drop(answer.send(Err(error)));
                    }
                }
            }
        }
    }
    answers
}

/// Places a checkpoint, unless another node signed in the meantime: then its checkpoint stands when it says as much, and otherwise the
/// signer has to hold its own against that.
fn place_checkpoint(
    draft: &mut Draft<'_>,
    Signature { checkpoint, extends }: Signature,
    shared: &Shared,
) -> Result<StoredCheckpoint, Error> {
    let ledger = shared.ledgers.by_id(checkpoint.ledger).ok_or(Error::NotFound)?;
    let newest = ledger.checkpoint();
    if newest == extends {
        draft.checkpoints.push(checkpoint.clone());
        return Ok(checkpoint);
    }
    match newest {
        Some(newest)
            if (newest.epoch, newest.size, newest.root) == (checkpoint.epoch, checkpoint.size, checkpoint.root) =>
        {
            Ok(newest)
        }
        _ => Err(Error::Conflict {
            detail: "another checkpoint was signed in the meantime".to_owned(),
        }),
    }
}

/// Places an alteration.
fn alter(draft: &mut Draft<'_>, alteration: Alteration, shared: &Shared) -> Result<(), Error> {
    alteration.open.iter().for_each(|key| draft.open(key));
    for events in alteration.events {
        room_for(draft, &events, shared)?;
        draft.place(events)?;
    }
    let changes = alteration.changes.into_iter();
    draft
        .changes
        .extend(changes.map(|change| shared.history.on_top(change)));
    Ok(())
}

/// Whether the tail may grow by a submission.
fn room_for(draft: &Draft<'_>, submission: &Submission, shared: &Shared) -> Result<(), Error> {
    let events = draft.events() + submission.count();
    shared.room_for(events, draft.memory() + submission.memory())
}

/// Splits off commands whose idempotency key waits already: they are answered once the first is stored.
fn first_of_each_key(waiting: Vec<Command>, secret: &[u8; 32]) -> (Vec<Command>, Vec<Command>) {
    let mut keys = HashSet::new();
    waiting
        .into_iter()
        .partition(|command| command.idempotency(secret).is_none_or(|(key, _)| keys.insert(key)))
}

impl Command {
    fn events(&self) -> usize {
        match self {
            Command::Append(submission, _) => submission.count(),
            Command::Checkpoint(..) | Command::Change(..) => 0,
        }
    }

    /// The name under which its idempotency key is remembered, and the hash of its body.
    fn idempotency(&self, secret: &[u8; 32]) -> Option<([u8; 32], [u8; 32])> {
        let Command::Append(
            Submission {
                idempotency: Some(key), ..
            },
            _,
        ) = self
        else {
            return None;
        };
        Some((duplicates::idempotency_key(secret, &key.credential, &key.key), key.body))
    }

    fn answer(self, receipt: Result<Receipt, Error>) {
        if let Command::Append(_, answer) = self {
            let _ = answer.send(receipt);
        }
    }

    fn fail(self, error: &Error) {
        match self {
            Command::Append(_, answer) => drop(answer.send(Err(error.clone()))),
            Command::Checkpoint(_, answer) => drop(answer.send(Err(error.clone()))),
            Command::Change(_, answer) => drop(answer.send(Err(error.clone()))),
        }
    }
}
