//! One stream, carried step by step: what is due is loaded, its range is made durable, it is sent, and the positions follow.
//!
//! Not here: waiting between steps (`stream`), what a failure means for the next try (`health`).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use tokio::time::timeout;
use trailbook_access::{
    Act, Change, Origin, SYSTEM,
    act::{Actor, Target},
    records::{ParkedEvent, Stream, StreamHealth, StreamPosition},
};
use trailbook_event::Event;
use trailbook_ledger::{Head, LEASE_MS, OrganizationKey};

use super::{
    Equipment, Lag, Streams, halves,
    health::{self, Behind},
    load::{self, Load, Wanted},
    place,
};
use crate::{
    Error,
    sink::{Batch, Failure, Record, Refused},
};

/// Organizations of which a batch each is sent in one step.
const AT_A_STEP: usize = 512;
/// Bytes of payloads that one step holds, about.
const STEP_BYTES_MAX: usize = 2 * load::LOAD_BYTES_MAX;
/// Batches that are on their way at a time.
const AT_ONCE: usize = 4;
/// How often a lease is looked after while deliveries are on their way.
const LEASE_RENEWED_EVERY: Duration = Duration::from_secs(5);
/// Parked events of a stream; when there are more, it waits for somebody who looks at them.
pub(super) const PARKED_MAX: usize = 10_000;

/// When the next step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At once: more is due.
    Now,
    /// At this time, milliseconds, or when something is stored or set up.
    At(i64),
    /// When something is stored or set up.
    Idle,
    /// Never: there is no such stream.
    Gone,
}

/// One stream on its way.
pub struct Courier {
    of: Arc<Streams>,
    id: String,
    /// What it works with, and the version of the stream that this is for.
    equipment: Option<(u64, Arc<Equipment>)>,
    /// The version of the stream that was tried last: what was changed since is tried at once.
    tried: Option<u64>,
    /// Until when this process alone may carry the stream, milliseconds.
    leased_until: i64,
    /// Positions and health that are newer than the records, with the positions' records that they were made from.
    news: News,
}

/// What is to be written.
#[derive(Default)]
struct News {
    positions: BTreeMap<String, Moved>,
    health: Option<StreamHealth>,
    parked: Vec<ParkedEvent>,
    acts: Vec<Act>,
}

/// A position that moved.
struct Moved {
    from: Option<Arc<StreamPosition>>,
    to: StreamPosition,
}

/// A ledger with events that are to be delivered.
struct Due {
    organization: OrganizationKey,
    head: Head,
    position: StreamPosition,
}

/// What is due, and when the next is.
#[derive(Default)]
struct Dues {
    now: Vec<Due>,
    later: Option<i64>,
    lag: Lag,
}

/// What became of a load.
type Sent = (Load, Result<Vec<Refused>, Failure>);

impl Courier {
    /// The courier of a stream.
    pub fn new(of: Arc<Streams>, id: String) -> Self {
        Self {
            of,
            id,
            equipment: None,
            tried: None,
            leased_until: 0,
            news: News::default(),
        }
    }

    /// The stream.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Does what is due now, once.
    ///
    /// # Errors
    /// When the database or stored events fail; nothing is lost then.
    pub async fn step(&mut self) -> Result<Next, Error> {
        let Some(stream) = self.of.directory.get::<Stream>(&self.id) else {
            self.of.note_lag(&self.id, None);
            return Ok(Next::Gone);
        };
        let now = self.of.clock.now().millis();
        let dues = match stream.paused {
            true => Dues::default(),
            false => self.dues(&stream, now)?,
        };
        if !stream.paused {
            self.watch(&stream, dues.lag, now);
            self.of.note_lag(&self.id, Some(dues.lag));
        }
        let version = self.of.directory.version::<Stream>(&self.id);
        let waits = self.health().retry_at.filter(|at| *at > now && self.tried == version);
        let is_quiet = dues.now.is_empty() || waits.is_some();
        if is_quiet && self.news.is_empty() {
            return Ok(waits.or(dues.later).map_or(Next::Idle, Next::At));
        }
        if !self.lease().await? {
            self.news = News::default();
            return Ok(Next::At(now + LEASE_MS / 3));
        }
        if is_quiet {
            self.write().await?;
            return Ok(waits.or(dues.later).map_or(Next::Idle, Next::At));
        }
        self.tried = version;
        match self.deliver(&stream, dues.now, now).await? {
            true => Ok(Next::Now),
            false => {
                self.write().await?;
                Ok(self.health().retry_at.map_or(Next::Now, Next::At))
            }
        }
    }

    /// Takes the stream's lease, or renews it when half of it is over; `false` when another process has it.
    async fn lease(&mut self) -> Result<bool, Error> {
        let now = self.of.clock.now().millis();
        if now < self.leased_until - LEASE_MS / 2 {
            return Ok(true);
        }
        let is_ours = self
            .of
            .ledger
            .lease(&format!("stream {}", self.id), &self.of.holder)
            .await?;
        self.leased_until = if is_ours { now + LEASE_MS } else { 0 };
        Ok(is_ours)
    }

    /// Waits for deliveries and keeps the lease meanwhile; without it they are dropped, and `None` comes of them.
    async fn leased<T>(&mut self, work: impl Future<Output = T>) -> Result<Option<T>, Error> {
        tokio::pin!(work);
        loop {
            match timeout(LEASE_RENEWED_EVERY, &mut work).await {
                Ok(done) => return Ok(Some(done)),
                Err(_) if self.lease().await? => {}
                Err(_) => return Ok(None),
            }
        }
    }

    /// Delivers a batch of each ledger; `true` when all of it succeeded.
    async fn deliver(&mut self, stream: &Stream, due: Vec<Due>, now: i64) -> Result<bool, Error> {
        let equipment = match self.equipment(stream) {
            Ok(equipment) => equipment,
            Err(reason) => return Ok(self.note_failure(&Failure::later(reason), now)),
        };
        if self.of.parked(&self.id) >= PARKED_MAX {
            let reason =
                format!("{PARKED_MAX} events are parked: send them again or give them up, and deliveries go on");
            return Ok(self.note_failure(&Failure::later(reason), now));
        }
        let loads = match self.load(stream, &equipment, due).await {
            Ok(loads) => loads,
            Err(error) => {
                return Ok(self.note_failure(&Failure::later(format!("The next events cannot be read: {error}")), now));
            }
        };
        if !self.write().await? {
            return Ok(false);
        }
        let sending = stream::iter(loads).map(move |load| send(equipment.clone(), load));
        let Some(sent) = self.leased(sending.buffered(AT_ONCE).collect::<Vec<Sent>>()).await? else {
            return Ok(false);
        };
        let now = self.of.clock.now().millis();
        let mut failure = None;
        for (load, outcome) in sent {
            match outcome {
                Ok(refused) => self.arrived(stream, &load, refused, now),
                Err(failed) => failure = failure.or(Some(failed)),
            }
        }
        Ok(match failure {
            Some(failure) => self.note_failure(&failure, now),
            None => true,
        })
    }

    /// Loads what is due, as much as a step takes, and notes the ranges.
    async fn load(&mut self, stream: &Stream, equipment: &Arc<Equipment>, due: Vec<Due>) -> Result<Vec<Load>, Error> {
        let (mut loads, mut bytes) = (Vec::new(), 0);
        for due in due {
            let wanted = self.wanted(stream, &due)?;
            let (ledger, equipment) = (self.of.ledger.clone(), equipment.clone());
            let load = tokio::task::spawn_blocking(move || load::load(&ledger, &equipment.payload, &wanted));
            let load = load
                .await
                .map_err(|error| Error::Output(std::io::Error::other(error)))??;
            let position = StreamPosition {
                next: load.begin,
                end: Some(load.end),
                ..due.position
            };
            self.move_to(position);
            self.expired(stream, &load);
            bytes += load.records.iter().map(|record| record.payload.len()).sum::<usize>();
            loads.push(load);
            if bytes >= STEP_BYTES_MAX {
                break;
            }
        }
        Ok(loads)
    }

    fn wanted(&self, stream: &Stream, due: &Due) -> Result<Wanted, Error> {
        let retention = self.of.ledger.retention(&due.organization);
        let fixed = due.position.end.filter(|end| *end <= due.head.size);
        Ok(Wanted {
            organization: due.organization.clone(),
            begin: due.position.next,
            end: fixed.unwrap_or(due.head.size),
            is_fixed: fixed.is_some(),
            events_max: stream.batch_events as usize,
            filter: self.of.filter(stream, &due.organization)?,
            kept_ms: retention.expires_at(0, self.of.clock.now().millis()),
        })
    }

    /// The ledgers with events whose time has come, the longest waiting first.
    fn dues(&self, stream: &Stream, now: i64) -> Result<Dues, Error> {
        let mut dues = Dues::default();
        let (mut waiting, mut behind) = (Vec::new(), Behind::default());
        for (organization, head) in self.of.organizations(stream) {
            let position = self.position(&organization, &head)?;
            if position.next >= head.size {
                continue;
            }
            let since = behind.note(&self.of.ledger, &organization, position.next..head.size);
            let is_full = head.size - position.next >= u64::from(stream.batch_events);
            let at = since.saturating_add(i64::from(stream.interval_seconds) * 1_000);
            if is_full || position.end.is_some() || at <= now {
                let due = Due {
                    organization,
                    head,
                    position,
                };
                waiting.push((since, due));
            } else {
                dues.later = Some(dues.later.map_or(at, |later| later.min(at)));
            }
        }
        waiting.sort_by_key(|(since, _)| *since);
        dues.lag = behind.lag(&self.of.ledger, now);
        dues.now = waiting.into_iter().take(AT_A_STEP).map(|(_, due)| due).collect();
        Ok(dues)
    }

    /// How far it has come in a ledger; from the beginning where nothing is noted.
    fn position(&self, organization: &OrganizationKey, head: &Head) -> Result<StreamPosition, Error> {
        let recorded = self.recorded(organization.organization());
        let moved = self.news.positions.get(organization.organization());
        match moved.filter(|moved| is_same(moved.from.as_ref(), recorded.as_ref())) {
            Some(moved) => place::in_epoch(&self.of.ledger, organization, head, moved.to.clone()),
            None => self.of.written_position(&self.id, organization, head),
        }
    }

    fn recorded(&self, organization: &str) -> Option<Arc<StreamPosition>> {
        self.of
            .directory
            .get::<StreamPosition>(&format!("{}/{organization}", self.id))
    }

    fn move_to(&mut self, to: StreamPosition) {
        let recorded = self.recorded(&to.organization);
        let moved = self.news.positions.remove(&to.organization);
        let from = moved.map_or(recorded, |moved| moved.from);
        self.news.positions.insert(to.organization.clone(), Moved { from, to });
    }

    /// Notes that a load has arrived, but for what was refused.
    fn arrived(&mut self, stream: &Stream, load: &Load, refused: Vec<Refused>, now: i64) {
        let delivered = (load.records.len() - refused.len()) as u64;
        self.of.counted(delivered, refused.len() as u64, false);
        let organization = load.organization.organization();
        // Somebody may have set the position elsewhere meanwhile, and then it stays there.
        if let Some(recorded) = self.recorded(organization).filter(|known| known.end == Some(load.end)) {
            self.move_to(StreamPosition {
                next: load.end,
                end: None,
                ..StreamPosition::clone(&recorded)
            });
        }
        let mut health = self.health();
        health::succeeded(&mut health, delivered, now);
        self.news.health = Some(health);
        self.park(stream, load, refused, now);
    }

    /// Parks what was refused, and tells of it; but not of what tells of it, which would go on for ever.
    fn park(&mut self, stream: &Stream, load: &Load, refused: Vec<Refused>, now: i64) {
        let of = |refused: &Refused| {
            load.records
                .iter()
                .find(|record| record.row.sequence == refused.sequence)
        };
        let parked: Vec<(&Record, Refused)> = refused
            .into_iter()
            .filter_map(|refused| Some((of(&refused)?, refused)))
            .collect();
        let to_tell: Vec<&Record> = parked
            .iter()
            .map(|(record, _)| *record)
            .filter(|record| !is_of_streams(record))
            .collect();
        if let Some(first) = to_tell.first() {
            let act = self.act(stream, "trailbook.stream.events_parked");
            let act = act.with("organization", load.organization.organization());
            self.news.acts.push(
                act.with("events", to_tell.len())
                    .with("first", first.row.id.to_string()),
            );
        }
        self.news
            .parked
            .extend(parked.into_iter().map(|(record, refused)| ParkedEvent {
                stream: self.id.clone(),
                project: load.organization.project().to_owned(),
                organization: load.organization.organization().to_owned(),
                sequence: refused.sequence,
                event: record.row.id.to_string(),
                reason: refused.reason,
                parked_at: now,
            }));
    }

    /// Notes events that were gone before they could be delivered.
    fn expired(&mut self, stream: &Stream, load: &Load) {
        if load.expired == 0 {
            return;
        }
        let mut health = self.health();
        health.expired += load.expired;
        self.news.health = Some(health);
        let act = self.act(stream, "trailbook.stream.events_expired");
        let act = act.with("organization", load.organization.organization());
        self.news.acts.push(act.with("events", load.expired));
    }

    fn note_failure(&mut self, failure: &Failure, now: i64) -> bool {
        let after = match failure {
            Failure::Later { after, .. } => *after,
            Failure::Refused { .. } => None,
        };
        self.of.counted(0, 0, true);
        let mut health = self.health();
        health::failed(
            &mut health,
            &failure.to_string(),
            after,
            now,
            self.of.directory.random(),
        );
        self.news.health = Some(health);
        false
    }

    /// Tells once that the stream lags, and once that it has caught up.
    fn watch(&mut self, stream: &Stream, lag: Lag, now: i64) {
        let mut health = self.health();
        let (is_told, is_alarming) = (health.alarmed, lag.is_alarming(stream, now));
        if is_told == is_alarming || is_told && lag.events > 0 && lag.age_ms > 60_000 {
            return;
        }
        health.alarmed = is_alarming;
        let act = match is_alarming {
            true => self
                .act(stream, "trailbook.stream.lagging")
                .with("events", lag.events)
                .with("seconds", lag.age_ms / 1_000)
                .with("reason", health.last_error.clone().unwrap_or_default()),
            false => self.act(stream, "trailbook.stream.recovered"),
        };
        self.news.acts.push(act);
        self.news.health = Some(health);
    }

    fn act(&self, stream: &Stream, action: &'static str) -> Act {
        let organization = stream.organization.as_deref().unwrap_or(SYSTEM);
        let key = OrganizationKey::new(stream.project.as_str(), organization);
        Act::by(Actor::system("Streams"), Origin::default(), key, action).target(Target::new(
            "stream",
            stream.id.as_str(),
            Some(stream.name.clone()),
        ))
    }

    fn health(&self) -> StreamHealth {
        let recorded = || self.of.directory.get::<StreamHealth>(&self.id);
        self.news.health.clone().unwrap_or_else(|| match recorded() {
            Some(health) => StreamHealth::clone(&health),
            None => StreamHealth {
                stream: self.id.clone(),
                ..StreamHealth::default()
            },
        })
    }

    /// What the stream works with as it is set up now; made anew when that changed, and whenever it failed.
    fn equipment(&mut self, stream: &Stream) -> Result<Arc<Equipment>, String> {
        let version = self.of.directory.version::<Stream>(&self.id).unwrap_or_default();
        if let Some((known, equipment)) = &self.equipment
            && *known == version
        {
            return Ok(equipment.clone());
        }
        let equipment = Arc::new(self.of.equip(stream)?);
        self.equipment = Some((version, equipment.clone()));
        Ok(equipment)
    }

    /// Writes what is news; `false` when the stream, or a position of it, is not any more what the news were made from.
    ///
    /// # Errors
    /// As [`Change::commit`]; the news are kept.
    pub async fn write(&mut self) -> Result<bool, Error> {
        if self.news.is_empty() {
            return Ok(true);
        }
        let mut change = self.of.directory.change().await;
        if self.of.directory.get::<Stream>(&self.id).is_none() {
            self.news = News::default();
            return Ok(false);
        }
        let mut holds = true;
        for (organization, moved) in &self.news.positions {
            if is_same(moved.from.as_ref(), self.recorded(organization).as_ref()) {
                change.put(moved.to.clone())?;
            } else {
                holds = false;
            }
        }
        self.news.put_rest(&mut change)?;
        change.commit().await?;
        self.news = News::default();
        Ok(holds)
    }
}

impl News {
    fn is_empty(&self) -> bool {
        self.positions.is_empty() && self.health.is_none() && self.parked.is_empty() && self.acts.is_empty()
    }

    fn put_rest(&self, change: &mut Change) -> Result<(), Error> {
        if let Some(health) = &self.health {
            change.put(health.clone())?;
        }
        for parked in &self.parked {
            change.put(parked.clone())?;
        }
        self.acts.iter().cloned().for_each(|act| change.act(act));
        Ok(())
    }
}

impl Streams {
    /// How many events of a stream are parked.
    pub fn parked(&self, stream: &str) -> usize {
        self.directory.state().parked_events.of(stream).count()
    }
}

async fn send(equipment: Arc<Equipment>, load: Load) -> Sent {
    if load.records.is_empty() {
        return (load, Ok(Vec::new()));
    }
    let batch = Batch {
        project: load.organization.project(),
        organization: load.organization.organization(),
        epoch: load.epoch,
        begin: load.begin,
        end: load.end,
        records: &load.records,
        kept_ms: load.kept_ms,
    };
    let outcome = halves::send(&*equipment.sink, &batch).await;
    (load, outcome)
}

fn is_same(left: Option<&Arc<StreamPosition>>, right: Option<&Arc<StreamPosition>>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => Arc::ptr_eq(left, right),
        (None, None) => true,
        _ => false,
    }
}

/// Whether an event says something of streams itself.
fn is_of_streams(record: &Record) -> bool {
    let event = Event::parse(&record.row.parts);
    event.is_ok_and(|event| event.action.starts_with("trailbook.stream."))
}
