//! The schema's versions: what is missing is added when a program that knows it connects.
//!
//! Invariants
//! - Versions add: a program of the version before goes on working beside the new one, so that nodes can be upgraded one by one.
//! - One program at a time migrates, in one transaction.

use tokio_postgres::{Client, Transaction};

use super::error::ConnectError;

/// What brings a database from each version to the next, from an empty one on, and the version that a program has to know at
/// least to work with the result.
const VERSIONS: [(&str, i64); 1] = [(include_str!("schema.sql"), 1)];
/// The newest version.
const KNOWN: i64 = VERSIONS.len() as i64;
/// Names the lock under which a program migrates: "trailboo" as bytes.
const LOCK: i64 = i64::from_be_bytes(*b"trailboo");

/// Brings an empty or older database to the current schema.
pub(super) async fn migrate(client: &mut Client) -> Result<(), ConnectError> {
    let transaction = client.transaction().await?;
    transaction
        .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await?;
    transaction
        .batch_execute("CREATE TABLE IF NOT EXISTS schema (version bigint NOT NULL, readable_by bigint NOT NULL)")
        .await?;
    let found = version(&transaction).await?;
    let (from, readable_by) = found.unwrap_or((0, 0));
    if readable_by > KNOWN {
        return Err(ConnectError::TooNew {
            found: from,
            readable_by,
            known: KNOWN,
        });
    }
    let missing = usize::try_from(from).ok().and_then(|from| VERSIONS.get(from..));
    for (sql, readable_by) in missing.unwrap_or_default() {
        transaction.batch_execute(sql).await?;
        transaction.execute("DELETE FROM schema", &[]).await?;
        transaction
            .execute("INSERT INTO schema VALUES ($1, $2)", &[&KNOWN, readable_by])
            .await?;
    }
    Ok(transaction.commit().await?)
}

async fn version(transaction: &Transaction<'_>) -> Result<Option<(i64, i64)>, ConnectError> {
    let row = transaction
        .query_opt("SELECT version, readable_by FROM schema", &[])
        .await?;
    Ok(match row {
        Some(row) => Some((row.try_get(0)?, row.try_get(1)?)),
        None => None,
    })
}
