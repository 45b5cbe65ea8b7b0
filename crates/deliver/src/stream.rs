//! Streams at work: each stream's events carried to its destination, at least once and in the order of each ledger, for as long
//! as they are kept.
//!
//! Invariants
//! - One process at a time carries a stream: it holds the stream's lease, and writes positions only over those that it began from.
//! - A position moves only after the destination said that it has the events before it, or after they were parked.
//! - A delivery that may have begun is repeated with exactly the same events, whatever happened in between.
//! - Nothing ends the trying but whoever pauses or deletes the stream.
//!
//! Not here: what destinations speak (`sink`), who may set streams up (`trailbook`), what a stream is (`trailbook_access::records`).

mod by_hand;
mod courier;
mod halves;
pub(crate) mod health;
mod load;
pub(crate) mod place;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, task::JoinHandle, time::timeout};
use trailbook_access::{
    Directory,
    records::{Stream, StreamHealth},
};
use trailbook_event::Filter;
use trailbook_ledger::{Clock, Ledger, OrganizationKey};

pub use by_hand::Retried;
pub use courier::{Courier, Next};
pub use health::Lag;
pub use place::Start;

use crate::{Error, payload::Payload, sink::Sink};

/// Between two looks at which streams there are.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Least time between two looks of one stream at what is new, so that many commits are one look.
const REST: Duration = Duration::from_millis(100);
/// After a failure of the database or of stored data.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What a stream works with.
pub struct Equipment {
    /// Where events go.
    pub sink: Box<dyn Sink>,
    /// What an event becomes.
    pub payload: Payload,
}

/// Makes a stream's equipment: opens its secrets and knows the catalogs.
pub trait Outfitter: Send + Sync + 'static {
    /// The equipment of a stream as it is set up now.
    ///
    /// # Errors
    /// Why there is none, in a sentence for whoever set the stream up.
    fn equip(&self, stream: &Stream) -> Result<Equipment, String>;
}

/// What is counted of all streams together.
#[derive(Debug, Default)]
pub struct Measures {
    /// Events delivered.
    pub delivered: AtomicU64,
    /// Deliveries that failed.
    pub failed: AtomicU64,
    /// Events parked.
    pub parked: AtomicU64,
}

/// What all streams together come to, as this process saw them last.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Streams whose deliveries go on.
    pub active: u64,
    /// Streams that somebody lets wait.
    pub paused: u64,
    /// Streams whose last delivery failed.
    pub failing: u64,
    /// The age of the oldest event that an unpaused one has not delivered, milliseconds.
    pub lag_ms: i64,
}

/// What all streams share.
pub struct Streams {
    directory: Arc<Directory>,
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    outfitter: Arc<dyn Outfitter>,
    holder: String,
    measures: Measures,
    /// How far each stream was behind when it was looked at last.
    lags: Mutex<HashMap<String, Lag>>,
}

impl Streams {
    /// The streams of a directory, with the outfitter's equipment.
    pub fn new(directory: Arc<Directory>, clock: Arc<dyn Clock>, outfitter: Arc<dyn Outfitter>) -> Self {
        let ledger = directory.ledger().clone();
        Self {
            holder: ledger.new_holder(),
            measures: Measures::default(),
            lags: Mutex::default(),
            directory,
            ledger,
            clock,
            outfitter,
        }
    }

    /// What is counted.
    pub fn measures(&self) -> &Measures {
        &self.measures
    }

    /// What all streams together come to.
    pub fn totals(&self) -> Totals {
        let lags = self.lags.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.directory.state();
        let mut totals = Totals::default();
        for stream in state.streams.all() {
            let is_failing = |health: &Arc<StreamHealth>| health.failing_since.is_some();
            let count = match stream.paused {
                true => &mut totals.paused,
                false if state.stream_health.get(&stream.id).is_some_and(is_failing) => &mut totals.failing,
                false => &mut totals.active,
            };
            *count += 1;
            let lag = lags.get(&stream.id).filter(|_| !stream.paused);
            totals.lag_ms = totals.lag_ms.max(lag.map_or(0, |lag| lag.age_ms));
        }
        totals
    }

    /// Notes how far a stream is behind; `None` when there is no such stream any more.
    fn note_lag(&self, stream: &str, lag: Option<Lag>) {
        let mut lags = self.lags.lock().unwrap_or_else(PoisonError::into_inner);
        match lag {
            Some(lag) => drop(lags.insert(stream.to_owned(), lag)),
            None => drop(lags.remove(stream)),
        }
    }

    /// The equipment of a stream, as for a delivery.
    ///
    /// # Errors
    /// As [`Outfitter::equip`].
    pub fn equip(&self, stream: &Stream) -> Result<Equipment, String> {
        self.outfitter.equip(stream)
    }

    /// Carries all streams until the server stops: each in a task of its own, so that none waits for another's destination.
    pub async fn carry(self: Arc<Self>, mut stopping: watch::Receiver<bool>) {
        let mut carried = HashMap::<String, JoinHandle<()>>::new();
        loop {
            carried.retain(|_, task| !task.is_finished());
            for stream in self.all() {
                let id = stream.id.clone();
                let task = || tokio::spawn(self.clone().carry_one(id.clone(), stopping.clone()));
                carried.entry(stream.id.clone()).or_insert_with(task);
            }
            if timeout(LOOK_EVERY, stopping.wait_for(|stopping| *stopping))
                .await
                .is_ok()
            {
                break;
            }
        }
        for (_, task) in carried {
            // A task that panicked has nothing more to say.
            let _ = task.await;
        }
    }

    fn all(&self) -> Vec<Arc<Stream>> {
        self.directory.state().streams.all().cloned().collect()
    }

    /// Carries one stream until it is deleted or the server stops.
    async fn carry_one(self: Arc<Self>, id: String, mut stopping: watch::Receiver<bool>) {
        let mut commits = self.ledger.commits();
        let mut courier = Courier::new(self.clone(), id);
        loop {
            commits.borrow_and_update();
            let pause = match courier.step().await {
                Ok(Next::Gone) => return,
                Ok(Next::Now) => Duration::ZERO,
                Ok(Next::At(millis)) => self.until(millis),
                Ok(Next::Idle) => Duration::MAX,
                Err(error) => {
                    tracing::error!(%error, stream = courier.id(), "a stream could not be carried on and will be tried again");
                    TRY_AGAIN_AFTER
                }
            };
            let rest = async {
                tokio::time::sleep(REST.min(pause)).await;
                if pause > REST {
                    // Whatever is stored or set up may be something to do; so many events may have come that they do not wait.
                    let _ = timeout(pause.saturating_sub(REST), commits.changed()).await;
                }
            };
            tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => break,
                () = rest => {}
            }
        }
        if let Err(error) = courier.write().await {
            tracing::warn!(%error, stream = courier.id(), "how far a stream came could not be written; the rest is delivered again");
        }
    }

    fn until(&self, millis: i64) -> Duration {
        Duration::from_millis(u64::try_from(millis - self.clock.now().millis()).unwrap_or(0))
    }

    /// The organizations that a stream is of, with the sizes of their ledgers.
    fn organizations(&self, stream: &Stream) -> Vec<(OrganizationKey, trailbook_ledger::Head)> {
        match &stream.organization {
            Some(organization) => {
                let key = OrganizationKey::new(stream.project.as_str(), organization.as_str());
                let head = self.ledger.head(&key);
                head.map(|head| (key, head)).into_iter().collect()
            }
            None => place::customers(&self.ledger, &stream.project),
        }
    }

    /// A stream's filter, with the days of an organization's zone.
    fn filter(&self, stream: &Stream, organization: &OrganizationKey) -> Result<Filter, Error> {
        let policy = self.directory.policy(organization);
        policy.filter(&stream.filter).map_err(|error| Error::Filter {
            detail: format!("at column {} {} is expected", error.column, error.expected),
        })
    }

    fn counted(&self, delivered: u64, parked: u64, failed: bool) {
        self.measures.delivered.fetch_add(delivered, Ordering::Relaxed);
        self.measures.parked.fetch_add(parked, Ordering::Relaxed);
        self.measures.failed.fetch_add(u64::from(failed), Ordering::Relaxed);
    }
}
