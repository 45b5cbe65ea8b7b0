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
mod tls;
mod write;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use connect::{Purpose, Target};
pub use error::ConnectError;
pub use examine::{Check, examine};
use futures::future::BoxFuture;
pub use import::{ImportError, Imported, import};
pub use nodes::Node;
use pool::Pool;
use session::Session;
use tokio::{
    sync::{Mutex, oneshot, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use trailbook_merkle::Hash;

use crate::{
    DirectoryLock,
    database::{
        Answer, ChainHead, CommitError, Committed, Database, DatabaseError, Garbage, Group, LakeVersion, LedgerId,
        Loaded, StoredAnswer, StoredCheckpoint, StoredClientId, StoredRecord, StoredTile, Subtree, TailRow,
    },
    measures::{Measures, Stage},
};

/// How long to wait for another program that brings the database to its schema.
const MIGRATE_MAX: Duration = Duration::from_secs(300);
/// How long to go on trying to connect again before a call fails.
const CONNECT_AGAIN_MAX: Duration = Duration::from_secs(10);
const CONNECT_AGAIN_PAUSE: Duration = Duration::from_millis(100);
/// How much longer than whoever hangs with the lock a node waits for it.
const LOCK_WAITS_LONGER: Duration = Duration::from_secs(5);
/// How long the end of a transaction may take; what has not ended then is asked for by its token.
const COMMIT_MAX: Duration = Duration::from_secs(30);
const ROLLBACK_MAX: Duration = Duration::from_secs(5);

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

struct Shared {
    target: Target,
    options: PostgresOptions,
    pool: Pool,
    /// The connection that has the order of commits, once there is one.
    session: Mutex<Option<Session>>,
    /// The server's process behind it.
    process: AtomicI32,
    /// How many there were.
    sessions: AtomicU64,
    node: String,
    is_entered: AtomicBool,
    /// The commit up to which this node has followed.
    position: AtomicU64,
    news: watch::Sender<u64>,
    measures: Arc<Measures>,
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

impl Shared {
    /// Says that others have committed.
    fn tell(&self, number: u64) {
        self.news
            .send_if_modified(|told| std::mem::replace(told, number) != number);
    }

    fn lock_max(&self) -> Duration {
        self.options.lock_idle_max + LOCK_WAITS_LONGER
    }

    async fn enter(&self) -> Result<(), DatabaseError> {
        let PostgresOptions { node_name, version, .. } = &self.options;
        let position = self.position.load(Ordering::Relaxed);
        nodes::enter(&self.pool, &self.node, node_name, version, position).await
    }

    async fn load(&self, secret: [u8; 32], deployment: String) -> Result<Loaded, DatabaseError> {
        let sql = "INSERT INTO deployment (shard, name, secret) VALUES (0, $1, $2) ON CONFLICT DO NOTHING";
        self.pool.rows(sql, &[&deployment, &&secret[..]]).await?;
        // Before the moment that is loaded: from now on nothing leaves that comes after it.
        self.position.store(0, Ordering::Relaxed);
        self.enter().await?;
        self.is_entered.store(true, Ordering::Relaxed);
        let loaded = read::load(&mut self.pool.client().await?).await?;
        // The tail is yet to be read.
        self.position.store(loaded.sealed_through, Ordering::Relaxed);
        Ok(loaded)
    }

    /// A connection in which no transaction is open.
    async fn ready<'s>(&self, session: &'s mut Option<Session>) -> Result<&'s mut Session, DatabaseError> {
        self.give_back(session).await;
        if session.is_none() {
            let connected = self.connect_again().await?;
            self.process.store(connected.process, Ordering::Relaxed);
            self.sessions.fetch_add(1, Ordering::Relaxed);
            *session = Some(connected);
        }
        session
            .as_mut()
            .ok_or_else(|| DatabaseError("not connected".to_owned()))
    }

    async fn connect_again(&self) -> Result<Session, DatabaseError> {
        let purpose = Purpose::Write {
            idle_max: self.options.lock_idle_max,
            lock_max: self.lock_max(),
        };
        let started = Instant::now();
        loop {
            match Session::connect(&self.target, purpose).await {
                Ok(session) => return Ok(session),
                Err(ConnectError::Unreachable(_)) if started.elapsed() < CONNECT_AGAIN_MAX => {
                    sleep(CONNECT_AGAIN_PAUSE).await;
                }
                Err(error) => return Err(DatabaseError(error.to_string())),
            }
        }
    }

    /// Ends an open transaction without effect; a connection that does not do it is closed.
    async fn give_back(&self, session: &mut Option<Session>) {
        let Some(open) = session.as_mut() else { return };
        let is_usable = !open.is_closed()
            && (!open.is_open() || matches!(timeout(ROLLBACK_MAX, open.rollback()).await, Ok(Ok(()))));
        if !is_usable {
            *session = None;
        }
    }

    async fn lock(
        &self,
        session: &mut Option<Session>,
        known: u64,
    ) -> Result<(ChainHead, Vec<Committed>), DatabaseError> {
        let ready = self.ready(session).await?;
        let answer = timeout(self.lock_max() + LOCK_WAITS_LONGER, ready.lock(known)).await;
        match answer {
            Ok(Ok(locked)) => Ok(locked),
            Ok(Err(error)) => {
                self.give_back(session).await;
                Err(error)
            }
            Err(_) => {
                *session = None;
                Err(DatabaseError("the order of commits was not given in time".to_owned()))
            }
        }
    }

    async fn commit(&self, session: &mut Option<Session>, group: &Group) -> Result<(), CommitError> {
        // Whether a commit happened can be found out only of one that had the order before it was sent.
        if !session.as_ref().is_some_and(Session::is_open) {
            let locked = self.lock(session, group.commit.saturating_sub(1)).await;
            locked.map_err(|error| CommitError::NotCommitted(error.0))?;
        }
        let Some(open) = session.as_mut() else {
            return Err(CommitError::NotCommitted("not connected".to_owned()));
        };
        let started = Instant::now();
        let answer = timeout(COMMIT_MAX, open.commit(group)).await;
        self.measures.add(Stage::Sync, started.elapsed());
        self.measures.commits.observe(started.elapsed());
        match answer {
            Ok(Ok(())) => {
                self.position.fetch_max(group.commit, Ordering::Relaxed);
                Ok(())
            }
            Ok(Err(error @ (CommitError::NotCommitted(_) | CommitError::Conflict(_)))) => {
                self.give_back(session).await;
                Err(error)
            }
            Ok(Err(error)) => {
                *session = None;
                Err(error)
            }
            Err(_) => {
                *session = None;
                Err(CommitError::Unknown("the database did not answer in time".to_owned()))
            }
        }
    }

    async fn committed(&self, session: &mut Option<Session>, token: [u8; 16]) -> Result<Option<u64>, DatabaseError> {
        let ready = self.ready(session).await?;
        match timeout(self.lock_max() + COMMIT_MAX, ready.committed(token)).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => {
                *session = None;
                Err(error)
            }
            Err(_) => {
                *session = None;
                Err(DatabaseError("the database did not answer in time".to_owned()))
            }
        }
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
