//! A node's connections, and what it does with the one that has the order of commits.
//!
//! Invariant: when a step fails or takes too long its connection is closed, or its transaction is ended: the next step begins anew.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::{Mutex, watch},
    time::{sleep, timeout},
};

use super::{
    PostgresOptions,
    connect::{Purpose, Target},
    error::ConnectError,
    nodes,
    pool::Pool,
    read,
    session::Session,
};
use crate::{
    database::{ChainHead, CommitError, Committed, DatabaseError, Group, Loaded},
    measures::{Measures, Stage},
};

/// How long to go on trying to connect again before a call fails.
const CONNECT_AGAIN_MAX: Duration = Duration::from_secs(10);
const CONNECT_AGAIN_PAUSE: Duration = Duration::from_millis(100);
/// How much longer than whoever hangs with the lock a node waits for it.
const LOCK_WAITS_LONGER: Duration = Duration::from_secs(5);
/// How long the end of a transaction may take; what has not ended then is asked for by its token.
const COMMIT_MAX: Duration = Duration::from_secs(30);
const ROLLBACK_MAX: Duration = Duration::from_secs(5);

/// What a node's tasks share.
pub(super) struct Shared {
    pub(super) target: Target,
    pub(super) options: PostgresOptions,
    pub(super) pool: Pool,
    /// The connection that has the order of commits, once there is one.
    pub(super) session: Mutex<Option<Session>>,
    /// The server's process behind it.
    pub(super) process: AtomicI32,
    /// How many there were.
    pub(super) sessions: AtomicU64,
    pub(super) node: String,
    pub(super) is_entered: AtomicBool,
    /// The commit up to which this node has followed.
    pub(super) position: AtomicU64,
    pub(super) news: watch::Sender<u64>,
    pub(super) measures: Arc<Measures>,
}

impl Shared {
    /// Says that others have committed.
    pub(super) fn tell(&self, number: u64) {
        self.news
            .send_if_modified(|told| std::mem::replace(told, number) != number);
    }

    fn lock_max(&self) -> Duration {
        self.options.lock_idle_max + LOCK_WAITS_LONGER
    }

    pub(super) async fn enter(&self) -> Result<(), DatabaseError> {
        let PostgresOptions { node_name, version, .. } = &self.options;
        let position = self.position.load(Ordering::Relaxed);
        nodes::enter(&self.pool, &self.node, node_name, version, position).await
    }

    pub(super) async fn load(&self, secret: [u8; 32], deployment: String) -> Result<Loaded, DatabaseError> {
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
    pub(super) async fn give_back(&self, session: &mut Option<Session>) {
        let Some(open) = session.as_mut() else { return };
        let is_usable = !open.is_closed()
            && (!open.is_open() || matches!(timeout(ROLLBACK_MAX, open.rollback()).await, Ok(Ok(()))));
        if !is_usable {
            *session = None;
        }
    }

    pub(super) async fn lock(
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

    pub(super) async fn commit(&self, session: &mut Option<Session>, group: &Group) -> Result<(), CommitError> {
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

    pub(super) async fn committed(
        &self,
        session: &mut Option<Session>,
        token: [u8; 16],
    ) -> Result<Option<u64>, DatabaseError> {
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
