//! Alerts at work: the question of each put to every event of its organization as it comes, and what it finds told.
//!
//! Invariants
//! - An alert fires once for a cause: how far it looked, what it remembers, the act and what is to be told are one commit.
//! - Whether it fires is decided by events alone, so that whoever looks again after a crash finds the same.
//! - One process at a time works for the alerts of an organization: it holds their lease, and writes only over what it began from.
//! - What alerts do themselves makes none of them fire.
//! - What is to be told is durable before anybody is told, and is told at least once, with the same id, or given up after
//!   three days.
//!
//! Not here: how letters and requests are sent ([`Messenger`]), who may set alerts up (`trailbook`), what an alert is
//! (`trailbook_access::records`).

mod digest;
mod lease;
mod link;
mod notice;
mod past;
mod rule;
mod teller;
mod watcher;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use trailbook_access::{Directory, records::Alert};
use trailbook_event::Filter;
use trailbook_ledger::{Clock, Ledger, OrganizationKey};
use trailbook_query::Engine;

pub use digest::{Counted, Digest};
pub use notice::{Notice, Told};
pub use teller::Teller;
pub use watcher::Watcher;

use self::link::Links;
use crate::{Error, sink::Failure, stream::Next};

/// Between two looks at which organizations have alerts.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Least time between two looks at what is new, so that many commits are one look.
const REST: Duration = Duration::from_secs(1);
/// After a failure of the database or of stored data.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Tells people and programs what alerts found.
#[async_trait]
pub trait Messenger: Send + Sync + 'static {
    /// Sends a letter to one address, once. [`Failure::Refused`] says that this address will never take it.
    async fn mail(&self, to: &str, notice: &Notice) -> Result<(), Failure>;

    /// Sends a JSON text to the alert's webhook, once. The same `id` says that it is the same message, sent again.
    async fn webhook(&self, alert: &Alert, id: &str, body: Vec<u8>) -> Result<(), Failure>;
}

/// What all alerts share.
pub struct Alerts {
    directory: Arc<Directory>,
    ledger: Ledger,
    engine: Engine,
    clock: Arc<dyn Clock>,
    messenger: Arc<dyn Messenger>,
    links: Links,
    holder: String,
}

impl Alerts {
    /// The alerts of a directory, told by a messenger. `engine` answers questions over the directory's ledger; `public_url` is
    /// where people reach the console, without a slash at the end, and empty when nobody said.
    pub fn new(
        directory: Arc<Directory>,
        engine: Engine,
        clock: Arc<dyn Clock>,
        messenger: Arc<dyn Messenger>,
        public_url: &str,
    ) -> Self {
        let ledger = directory.ledger().clone();
        Self {
            holder: ledger.new_holder(),
            links: Links::new(public_url),
            directory,
            ledger,
            engine,
            clock,
            messenger,
        }
    }

    /// Works for all alerts until the server stops: for each organization in two tasks of its own, so that none waits for
    /// another's events, and no event for a message.
    pub async fn carry(self: Arc<Self>, mut stopping: watch::Receiver<bool>) {
        let mut working = HashMap::<OrganizationKey, [JoinHandle<()>; 2]>::new();
        loop {
            working.retain(|_, tasks| !tasks.iter().all(JoinHandle::is_finished));
            for organization in self.organizations() {
                let begin = |work: Work| tokio::spawn(self.clone().work(work, stopping.clone()));
                working.entry(organization).or_insert_with_key(|key| {
                    let watcher = Watcher::new(self.clone(), key.clone());
                    let teller = Teller::new(self.clone(), key.clone());
                    [begin(Work::Watch(Box::new(watcher))), begin(Work::Tell(teller))]
                });
            }
            if timeout(LOOK_EVERY, stopping.wait_for(|stopping| *stopping))
                .await
                .is_ok()
            {
                break;
            }
        }
        for task in working.into_values().flatten() {
            // A task that panicked has nothing more to say.
            let _ = task.await;
        }
    }

    fn organizations(&self) -> BTreeSet<OrganizationKey> {
        let state = self.directory.state();
        state.alerts.all().map(|alert| key(alert)).collect()
    }

    async fn work(self: Arc<Self>, mut work: Work, mut stopping: watch::Receiver<bool>) {
        let mut commits = self.ledger.commits();
        loop {
            commits.borrow_and_update();
            let pause = match work.step().await {
                Ok(Next::Gone) => return,
                Ok(Next::Now) => Duration::ZERO,
                Ok(Next::At(millis)) => self.until(millis),
                Ok(Next::Idle) => Duration::MAX,
                Err(error) => {
                    tracing::error!(%error, "the alerts of an organization could not go on and will be tried again");
                    TRY_AGAIN_AFTER
                }
            };
            let rest = async {
                tokio::time::sleep(REST.min(pause)).await;
                if pause > REST {
                    // Whatever is stored or set up may be something to do.
                    let _ = timeout(pause.saturating_sub(REST), commits.changed()).await;
                }
            };
            tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => break,
                () = rest => {}
            }
        }
        if let Work::Watch(mut watcher) = work
            && let Err(error) = watcher.write().await
        {
            tracing::warn!(%error, "how far alerts looked could not be written; they look at the rest again");
        }
    }

    fn until(&self, millis: i64) -> Duration {
        Duration::from_millis(u64::try_from(millis - self.clock.now().millis()).unwrap_or(0))
    }

    /// An alert's filter, with the days of its organization's zone.
    fn filter(&self, alert: &Alert) -> Result<Filter, Error> {
        let policy = self.directory.policy(&key(alert));
        policy.filter(&alert.filter).map_err(|error| Error::Filter {
            detail: format!("at column {} {} is expected", error.column, error.expected),
        })
    }

    /// The console's address of the events that an alert looks for; `None` when nobody said where the console is.
    pub fn link(&self, alert: &Alert) -> Option<String> {
        let policy = self.directory.policy(&key(alert));
        self.links.activity(&key(alert), &policy, &alert.filter, None, None)
    }
}

/// What a task does.
enum Work {
    Watch(Box<Watcher>),
    Tell(Teller),
}

impl Work {
    async fn step(&mut self) -> Result<Next, Error> {
        match self {
            Self::Watch(watcher) => watcher.step().await,
            Self::Tell(teller) => teller.step().await,
        }
    }
}

/// The organization of an alert.
fn key(alert: &Alert) -> OrganizationKey {
    OrganizationKey::new(alert.project.as_str(), alert.organization.as_str())
}

/// Work that blocks on files.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::Output(std::io::Error::other(error)))
}
