//! Connections for statements that stand alone: a few, for which nobody waits long.

use std::time::Duration;

use deadpool_postgres::{Client, Manager, ManagerConfig, Pool as Connections, PoolError, RecyclingMethod, Runtime};
use tokio::time::timeout;
use tokio_postgres::{Row, types::ToSql};

use super::{
    connect::{Purpose, Target},
    error::{ConnectError, describe},
};
use crate::database::DatabaseError;

/// Connections of one node. With it come two of its own: the writer's, and the one that hears the news.
const CONNECTIONS_MAX: usize = 6;
/// How long to wait for one of them, and for a new one.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// How long the server may take for one statement, and how long we wait for its answer.
const STATEMENT_MAX: Duration = Duration::from_secs(30);
const ANSWER_MAX: Duration = Duration::from_secs(35);

/// A value of a statement.
pub(super) type Value<'v> = &'v (dyn ToSql + Sync);

/// The connections.
pub(super) struct Pool(Connections);

impl Pool {
    pub(super) fn new(target: &Target) -> Result<Self, ConnectError> {
        let method = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(target.config(Purpose::Read(STATEMENT_MAX)), target.tls(), method);
        let connections = Connections::builder(manager)
            .max_size(CONNECTIONS_MAX)
            .wait_timeout(Some(WAIT_MAX))
            .create_timeout(Some(WAIT_MAX))
            .recycle_timeout(Some(WAIT_MAX))
            .runtime(Runtime::Tokio1)
            .build();
        connections
            .map(Self)
            .map_err(|error| ConnectError::Unreachable(error.to_string()))
    }

    /// A connection to work with.
    pub(super) async fn client(&self) -> Result<Client, DatabaseError> {
        self.0.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error.into(),
            PoolError::Timeout(_) => DatabaseError("no connection to the database became free in time".to_owned()),
            other => DatabaseError(other.to_string()),
        })
    }

    /// The rows of a statement, which may be sent twice: when its connection turns out to be closed, it goes over another one.
    pub(super) async fn rows(&self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, DatabaseError> {
        let mut again = true;
        loop {
            let client = self.client().await?;
            let answer = timeout(ANSWER_MAX, async {
                let statement = client.prepare_cached(sql).await?;
                client.query(&statement, values).await
            });
            match answer.await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(_)) if again && client.is_closed() => again = false,
                Ok(Err(error)) => return Err(DatabaseError(describe(&error))),
                Err(_) => {
                    // Whatever it still answers is nobody's.
                    drop(Client::take(client));
                    return Err(DatabaseError("the database did not answer in time".to_owned()));
                }
            }
        }
    }
}
