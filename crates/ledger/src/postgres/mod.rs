//! A PostgreSQL database, for any number of equal nodes.
//!
//! Invariants
//! - A commit that returned is on disk, and on the synchronous standby if there is one.
//! - Commits are made one at a time by whoever has the counter's row locked; the number and the era are checked in the same transaction.
//! - Whoever asks how an interrupted commit ended takes the lock first, so that it has ended.
//! - No wait is without an end; a call that is given up leaves no transaction open.
//!
//! Not here: what the bytes mean (docs/formats/ledger.md).

mod change;
mod connect;
mod error;
mod examine;
mod follow;
mod history;
mod import;
mod log;
mod migrate;
mod nodes;
mod pool;
mod read;
mod session;
mod shared;
mod tls;
mod write;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering},
    },
    time::Duration,
};

use connect::{Purpose, Target};
pub use error::ConnectError;
pub use examine::{Check, examine};
use futures::future::BoxFuture;
pub use import::{ImportError, Imported, import};
pub use nodes::Node;
use pool::Pool;
use shared::Shared;
use tokio::{
    sync::{Mutex, oneshot, watch},
    task::JoinSet,
};
use trailbook_merkle::Hash;

use crate::{
    DirectoryLock,
    database::{
        Answer, ChainHead, CommitError, Committed, Database, DatabaseError, Garbage, Group, LakeVersion, LedgerId,
        Loaded, StoredAnswer, StoredCheckpoint, StoredClientId, StoredRecord, StoredTile, Subtree, TailRow,
    },
    measures::Measures,
};

/// How long to wait for another program that brings the database to its schema.
const MIGRATE_MAX: Duration = Duration::from_secs(300);

/// How a node works with the database.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The node's name in the list of nodes.
    pub node_name: String,
    /// The program's version in the list of nodes.
    pub version: String,
    /// After how long the server ends the transaction of a node that has the lock and does nothing: the others wait so long for a
    /// node that hangs.
    pub lock_idle_max: Duration,
    /// How often the node says that it is there, and erases what no node needs any more.
    pub seen_every: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            node_name: "node".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            lock_idle_max: Duration::from_secs(10),
            seen_every: Duration::from_secs(5),
        }
    }
}

/// A PostgreSQL database.
pub struct Postgres {
    shared: Arc<Shared>,
    /// Ends with this value.
    _beside: JoinSet<()>,
    _lock: Option<DirectoryLock>,
}

impl Postgres {
    /// Connects, refuses a server that may lose what it acknowledged, and brings the database to the current schema.
    pub async fn connect(url: &str, options: PostgresOptions, measures: Arc<Measures>) -> Result<Self, ConnectError> {
        let target = Target::parse(url, &options.node_name)?;
        let preparing = Purpose::Write {
            idle_max: MIGRATE_MAX,
            lock_max: MIGRATE_MAX,
        };
        let (mut client, connection) = target.connect(preparing).await?;
        let work = tokio::spawn(connection);
        examine::require_fit(&client).await?;
        migrate::migrate(&mut client).await?;
        drop(client);
        work.abort();
        let pool = Pool::new(&target)?;
        let shared = Arc::new(Shared {
            node: nodes::new_id(&pool).await?,
            target,
            options,
            pool,
            session: Mutex::default(),
            process: AtomicI32::new(0),
            sessions: AtomicU64::new(0),
            is_entered: AtomicBool::new(false),
            position: AtomicU64::new(0),
            news: watch::Sender::new(0),
            measures,
        });
        Ok(Self {
            _beside: follow::start(&shared),
            shared,
            _lock: None,
        })
    }

    /// Holds the node's directory as long as the database is in use.
    pub fn holding(self, lock: DirectoryLock) -> Self {
        Self {
            _lock: Some(lock),
            ..self
        }
    }

    /// The nodes that work on the database.
    pub async fn nodes(&self) -> Result<Vec<Node>, DatabaseError> {
        nodes::nodes(&self.shared.pool).await
    }
}

/// Runs to the end, also when nobody waits for it any more.
async fn to_the_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T, DatabaseError> {
    tokio::spawn(work)
        .await
        .map_err(|_| DatabaseError("the process is ending".to_owned()))
}

impl Database for Postgres {
    fn load(&self, secret: [u8; 32], deployment: String) -> Answer<'_, Loaded> {
        Box::pin(self.shared.load(secret, deployment))
    }

    fn tail(&self, after: u64, through: u64, bytes_max: usize) -> Answer<'_, Vec<TailRow>> {
        Box::pin(read::tail(&self.shared.pool, after, through, bytes_max))
    }

    fn newest(&self) -> Answer<'_, Option<ChainHead>> {
        Box::pin(async { read::newest(&self.shared.pool).await.map(Some) })
    }

    fn since(&self, known: u64, bytes_max: usize) -> Answer<'_, Vec<Committed>> {
        self.shared.position.fetch_max(known, Ordering::Relaxed);
        Box::pin(read::since(&self.shared.pool, known, bytes_max))
    }

    fn news(&self) -> Option<watch::Receiver<u64>> {
        Some(self.shared.news.subscribe())
    }

    fn session(&self) -> u64 {
        self.shared.sessions.load(Ordering::Relaxed)
    }

    fn lock(&self, known: u64) -> Answer<'_, (ChainHead, Vec<Committed>)> {
        let shared = Arc::clone(&self.shared);
        shared.position.fetch_max(known, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        let work = async move {
            let mut session = shared.session.lock().await;
            let locked = shared.lock(&mut session, known).await;
            if answer.send(locked).is_err() {
                shared.give_back(&mut session).await;
            }
        };
        Box::pin(async move {
            to_the_end(work).await?;
            answered
                .await
                .map_err(|_| DatabaseError("the process is ending".to_owned()))?
        })
    }

    fn unlock(&self) -> BoxFuture<'_, ()> {
        let shared = Arc::clone(&self.shared);
        let work = async move { shared.give_back(&mut *shared.session.lock().await).await };
        Box::pin(async move { to_the_end(work).await.unwrap_or_default() })
    }

    fn commit(&self, group: Group) -> BoxFuture<'_, Result<(), CommitError>> {
        let shared = Arc::clone(&self.shared);
        let work = async move {
            let mut session = shared.session.lock().await;
            shared.commit(&mut session, &group).await
        };
        Box::pin(async move {
            to_the_end(work)
                .await
                .unwrap_or_else(|error| Err(CommitError::Unknown(error.0)))
        })
    }

    fn committed(&self, token: [u8; 16]) -> Answer<'_, Option<u64>> {
        let shared = Arc::clone(&self.shared);
        let work = async move {
            let mut session = shared.session.lock().await;
            shared.committed(&mut session, token).await
        };
        Box::pin(async move { to_the_end(work).await? })
    }

    fn chain(&self, commit: u64) -> Answer<'_, Option<Hash>> {
        Box::pin(read::chain(&self.shared.pool, commit))
    }

    fn answer(&self, key: [u8; 32]) -> Answer<'_, Option<StoredAnswer>> {
        Box::pin(read::answer(&self.shared.pool, key))
    }

    fn client_ids(&self, keys: Vec<[u8; 16]>, since: i64) -> Answer<'_, Vec<StoredClientId>> {
        Box::pin(async move { read::client_ids(&self.shared.pool, &keys, since).await })
    }

    fn remembered(&self, since: i64) -> Answer<'_, (Vec<([u8; 32], i64)>, Vec<([u8; 16], i64)>)> {
        Box::pin(async move { read::remembered(&mut self.shared.pool.client().await?, since).await })
    }

    fn subtrees(&self, ledger: LedgerId, level: u8, begin: u64, end: u64) -> Answer<'_, Vec<Subtree>> {
        Box::pin(read::subtrees(&self.shared.pool, ledger, level, begin, end))
    }

    fn tiles(&self, ledger: LedgerId, first: u64, end: u64) -> Answer<'_, Vec<StoredTile>> {
        Box::pin(history::tiles(&self.shared.pool, ledger, first, end))
    }

    fn garbage(&self, now: i64) -> Answer<'_, Vec<Garbage>> {
        Box::pin(history::garbage(&self.shared.pool, now))
    }

    fn lease(&self, job: String, holder: String, now: i64, until: i64) -> Answer<'_, bool> {
        Box::pin(async move { history::lease(&self.shared.pool, &job, &holder, until - now).await })
    }

    fn release(&self, holder: String) -> Answer<'_, ()> {
        Box::pin(async move { history::release(&self.shared.pool, &holder).await })
    }

    fn lake(&self, first: u64, count: u32) -> Answer<'_, Vec<LakeVersion>> {
        Box::pin(history::lake(&self.shared.pool, first, count))
    }

    fn records(&self) -> Answer<'_, Vec<StoredRecord>> {
        Box::pin(history::records(&self.shared.pool))
    }

    fn checkpoint(&self, ledger: LedgerId, size: u64) -> Answer<'_, Option<StoredCheckpoint>> {
        Box::pin(read::checkpoint(&self.shared.pool, ledger, size))
    }

    fn checkpoints(&self, ledger: LedgerId) -> Answer<'_, Vec<StoredCheckpoint>> {
        Box::pin(read::checkpoints(&self.shared.pool, ledger))
    }
}
