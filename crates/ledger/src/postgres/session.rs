//! The connection that has the order of commits: a transaction begins with the lock on the counter and ends with the commit.
//!
//! Invariants
//! - A session that a step was cut off in is not used again; dropping it closes the connection, which ends its transaction.
//! - A commit has happened when every statement of its transaction and the end of it were answered well, and no notice said that
//!   the wait for a standby was cancelled.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use deadpool_postgres::ClientWrapper;
use futures::future::{BoxFuture, MaybeDone, maybe_done};
use tokio_postgres::{
    AsyncMessage, Row,
    error::{Severity, SqlState},
    types::ToSql,
};

use super::{
    connect::{Purpose, Target},
    error::{ConnectError, describe, refusal},
    examine,
    history::{self, Refused},
    log,
    read::{PIECES, chain_head, get, malformed_heads, signed, unsigned, without_gap},
    write::{self, Request},
};
use crate::database::{
    ChainHead, Change, CommitError, Committed, DatabaseError, Group,
    heads::{Moved, decode},
};

/// Commits after which the heads that moved are written into their table: seldom, since many move again, and often enough that
/// the commit which does it is not much slower than the others.
const WRITTEN_EVERY: u64 = 16;

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE";
const TAKE_ORDER: &str = "SELECT era, number, chain FROM counter WHERE shard = 0 FOR UPDATE";

/// Why a step of a commit failed.
enum Failure {
    /// The server refused a statement: the transaction has no effect.
    Refused(CommitError),
    /// The connection or the server failed.
    Lost(String),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        match refusal(&error) {
            // Only the counter's statement divides.
            Some(refused) if *refused.code() == SqlState::DIVISION_BY_ZERO => Self::Refused(CommitError::NotCommitted(
                "the commit is not the next, or its era is over".to_owned(),
            )),
            Some(_) => Self::Refused(CommitError::NotCommitted(describe(&error))),
            None => Self::Lost(describe(&error)),
        }
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::Refused(CommitError::NotCommitted(error.0))
    }
}

/// The connection.
pub(super) struct Session {
    client: ClientWrapper,
    /// The server's process behind it, which signs what it makes known.
    pub(super) process: i32,
    /// Whether a transaction is open that has the order.
    is_open: bool,
    /// Whether the server has warned. While a transaction ends it warns of one thing, without a code of its own: that the wait for a
    /// standby was cancelled. That is heard before the end is.
    warned: Arc<AtomicBool>,
}

impl Session {
    /// Connects to a server that keeps what it acknowledges.
    pub(super) async fn connect(target: &Target, purpose: Purpose) -> Result<Self, ConnectError> {
        let (client, mut connection) = target.connect(purpose).await?;
        let warned = Arc::<AtomicBool>::default();
        let heard = Arc::clone(&warned);
        let work = tokio::spawn(async move {
            while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
                match message {
                    Ok(AsyncMessage::Notice(notice)) if notice.parsed_severity() == Some(Severity::Warning) => {
                        heard.store(true, Ordering::Relaxed);
                    }
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        });
        let client = ClientWrapper::new(client, work);
        let process = examine::require_fit(&client).await?;
        Ok(Self {
            process,
            client,
            is_open: false,
            warned,
        })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Takes the order of commits; answers the newest, and what was committed above `known`. One round trip.
    pub(super) async fn lock(&mut self, known: u64) -> Result<(ChainHead, Vec<Committed>), DatabaseError> {
        let take = self.client.prepare_cached(TAKE_ORDER).await?;
        let missed = self
            .client
            .prepare_cached(concat!(
                "SELECT ",
                log::columns!(),
                " FROM log WHERE number > $1 ORDER BY number"
            ))
            .await?;
        self.is_open = true;
        let known_number = signed(known);
        let values: [&(dyn ToSql + Sync); 1] = [&known_number];
        let answers = in_order(vec![
            Box::pin(async { self.client.batch_execute(BEGIN).await.map(|()| Vec::new()) }),
            Box::pin(self.client.query(&take, &[])),
            Box::pin(self.client.query(&missed, &values)),
        ]);
        let answers: Vec<Vec<Row>> = answers.await?;
        let [_, counter, missed] = &answers[..] else {
            return Err(no_counter());
        };
        let head = chain_head(counter.first().ok_or_else(no_counter)?)?;
        let missed = missed.iter().map(log::committed).collect::<Result<Vec<_>, _>>()?;
        without_gap(known, head.commit, &missed)?;
        Ok((head, missed))
    }

    /// Ends the transaction without effect.
    pub(super) async fn rollback(&mut self) -> Result<(), DatabaseError> {
        self.client.batch_execute("ROLLBACK").await?;
        self.is_open = false;
        Ok(())
    }

    /// Writes a group and ends the transaction. One round trip, unless there are changes or the heads are written.
    pub(super) async fn commit(&mut self, group: &Group) -> Result<(), CommitError> {
        self.warned.store(false, Ordering::Relaxed);
        let mut is_ending = false;
        match self.write(group, &mut is_ending).await {
            Ok(()) if self.warned.load(Ordering::Relaxed) => Err(CommitError::Unknown(
                "the server stopped waiting for its standby".to_owned(),
            )),
            Ok(()) => {
                self.is_open = false;
                Ok(())
            }
            Err(Failure::Refused(error)) => Err(error),
            Err(Failure::Lost(detail)) if is_ending => Err(CommitError::Unknown(detail)),
            Err(Failure::Lost(detail)) => Err(CommitError::NotCommitted(detail)),
        }
    }

    async fn write(&mut self, group: &Group, is_ending: &mut bool) -> Result<(), Failure> {
        let mut requests = write::group(group);
        let seals = group.changes.iter().any(|change| matches!(change, Change::Seal { .. }));
        if group.commit.is_multiple_of(WRITTEN_EVERY) || seals {
            let mut moved = self.moved_heads().await?;
            moved.extend(decode(crate::database::heads::encode(&group.heads)).unwrap_or_default());
            requests.push(write::move_heads(newest_of_each(moved)));
            requests.push(write::heads_at(group.commit));
        }
        *is_ending = group.changes.is_empty();
        self.send(&requests, *is_ending).await?;
        if group.changes.is_empty() {
            return Ok(());
        }
        for change in &group.changes {
            history::change(&self.client, group.commit, change)
                .await
                .map_err(|refused| match refused {
                    Refused::Conflict(what) => Failure::Refused(CommitError::Conflict(what)),
                    Refused::Database(error) => error.into(),
                })?;
        }
        *is_ending = true;
        Ok(self.client.batch_execute("COMMIT").await?)
    }

    /// The heads that are newer than their rows, in the order in which they moved.
    async fn moved_heads(&self) -> Result<Vec<Moved>, Failure> {
        let statement = self.client.prepare_cached(PIECES).await?;
        let mut moved = Vec::new();
        for row in self.client.query(&statement, &[]).await? {
            let piece = get::<Vec<u8>>(&row, 0)?;
            moved.extend(decode(piece).ok_or_else(malformed_heads)?);
        }
        Ok(moved)
    }

    /// Sends statements, and the end of the transaction after them, without waiting between them.
    async fn send(&self, requests: &[Request<'_>], ends: bool) -> Result<(), Failure> {
        let mut statements = Vec::with_capacity(requests.len());
        for request in requests {
            statements.push(self.client.prepare_cached(request.sql).await?);
        }
        let values: Vec<Vec<&(dyn ToSql + Sync)>> = requests
            .iter()
            .map(|request| {
                request
                    .values
                    .iter()
                    .map(|value| &**value as &(dyn ToSql + Sync))
                    .collect()
            })
            .collect();
        let mut sent: Vec<BoxFuture<'_, Result<(), tokio_postgres::Error>>> = Vec::with_capacity(requests.len() + 1);
        for (statement, values) in statements.iter().zip(&values) {
            sent.push(Box::pin(async {
                self.client.execute(statement, values).await.map(drop)
            }));
        }
        if ends {
            sent.push(Box::pin(self.client.batch_execute("COMMIT")));
        }
        Ok(in_order(sent).await.map(drop)?)
    }

    /// The commit that carried a token. Takes the order first, so that a commit under way is decided; its own end waits for the
    /// standby, which then has that commit too.
    pub(super) async fn committed(&mut self, token: [u8; 16]) -> Result<Option<u64>, DatabaseError> {
        self.is_open = true;
        self.client.batch_execute(BEGIN).await?;
        self.client.query_one(TAKE_ORDER, &[]).await?;
        let found = self
            .client
            .query_opt("SELECT number FROM commits WHERE token = $1", &[&&token[..]])
            .await?;
        self.warned.store(false, Ordering::Relaxed);
        // The lock alone makes this a transaction that has to be replicated.
        self.client.batch_execute("COMMIT").await?;
        self.is_open = false;
        if self.warned.load(Ordering::Relaxed) {
            return Err(DatabaseError("the server stopped waiting for its standby".to_owned()));
        }
        found.map(|row| unsigned(&row, 0)).transpose()
    }
}

fn no_counter() -> DatabaseError {
    DatabaseError("the counter of commits is not there".to_owned())
}

fn newest_of_each(moved: Vec<Moved>) -> Vec<Moved> {
    let newest: std::collections::BTreeMap<u64, Moved> = moved.into_iter().map(|head| (head.ledger, head)).collect();
    newest.into_values().collect()
}

/// Sends requests one behind the other and waits for all answers. A request is sent when it is first polled; after one that failed
/// none is sent.
async fn in_order<T, E>(requests: Vec<BoxFuture<'_, Result<T, E>>>) -> Result<Vec<T>, E> {
    let mut requests: Vec<MaybeDone<_>> = requests.into_iter().map(maybe_done).collect();
    let failed = poll_fn(|context| {
        let mut is_waiting = false;
        for (position, request) in requests.iter_mut().enumerate() {
            is_waiting |= Pin::new(&mut *request).poll(context).is_pending();
            if matches!(request, MaybeDone::Done(Err(_))) {
                return Poll::Ready(Some(position));
            }
        }
        if is_waiting { Poll::Pending } else { Poll::Ready(None) }
    });
    let answered = match failed.await {
        Some(position) => requests.swap_remove(position),
        None => MaybeDone::Gone,
    };
    let done = |request| match request {
        MaybeDone::Done(answer) => Some(answer),
        MaybeDone::Future(_) | MaybeDone::Gone => None,
    };
    match done(answered) {
        Some(failed) => failed.map(|_| Vec::new()),
        None => requests.into_iter().filter_map(done).collect(),
    }
}
