//! Moving a deployment: everything that an embedded database knows goes into an empty PostgreSQL database.
//!
//! Invariants
//! - All of it is there after one commit, or nothing.
//! - Nothing is written over: a database that has a deployment is refused.
//! - The embedded database is locked meanwhile and stays as it is.
//!
//! Not here: the objects, which are moved by whoever calls this (`trailbook migrate`).

use std::{path::Path, pin::pin, sync::Arc, time::Duration};

use bytes::BytesMut;
use rusqlite::{Connection, types::Value};
use tokio::{sync::mpsc, task::spawn_blocking};
use tokio_postgres::{
    Client, Transaction,
    binary_copy::BinaryCopyInWriter,
    types::{IsNull, ToSql, Type, to_sql_checked},
};

use super::{
    connect::{Purpose, Target},
    error::{ConnectError, describe},
    examine, migrate,
    pool::Pool,
    read::{self, signed},
};
use crate::{
    database::{DatabaseError, Loaded, StoredHead},
    sqlite::{self, DATABASE_FILE, OpenError, Sqlite},
};

/// How long to wait for a node that has the target's counter.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// Rows that are handed over at a time, and times that may wait.
const BATCH_ROWS: usize = 512;
const BATCHES_WAITING: usize = 4;

/// Tables that are copied as they are: what is read, and where it goes. Leases are not: their holders have ended.
const TABLES: [(&str, &str); 17] = [
    (
        "SELECT 0, name, secret FROM deployment",
        "deployment (shard, name, secret)",
    ),
    (
        "SELECT number, chain, token FROM commits",
        "commits (number, chain, token)",
    ),
    (
        // Nobody follows these; their heads go into the table.
        "SELECT tail.number, era, coalesce(commits.chain, zeroblob(32)), committed_at, body, x'', x''
         FROM tail LEFT JOIN commits USING (number), counter, sealed WHERE tail.number > through",
        "log (number, era, chain, committed_at, body, heads, rest)",
    ),
    (
        "SELECT ledger, level, position, hash FROM subtrees",
        "subtrees (ledger, level, position, hash)",
    ),
    (
        "SELECT ledger, epoch, size, root, note FROM checkpoints",
        "checkpoints (ledger, epoch, size, root, note)",
    ),
    (
        "SELECT key, body, receipt, stored_at FROM answers",
        "answers (key, body, receipt, stored_at)",
    ),
    (
        "SELECT hour, key, content, sequence, id, stored_at FROM client_ids",
        "client_ids (hour, key, content, sequence, id, stored_at)",
    ),
    ("SELECT * FROM segments", "segments"),
    ("SELECT * FROM sealed", "sealed"),
    (
        "SELECT object, removable_at FROM garbage",
        "garbage (object, removable_at)",
    ),
    (
        "SELECT ledger, floor, received_at FROM floors",
        "floors (ledger, floor, received_at)",
    ),
    ("SELECT ledger, tile, pieces FROM tiles", "tiles (ledger, tile, pieces)"),
    (
        "SELECT project, organization, days, legal_hold, pending_days, pending_at FROM retentions",
        "retentions (project, organization, days, legal_hold, pending_days, pending_at)",
    ),
    (
        "SELECT ledger, sequence, secrets, redacted_at, rewritten FROM redactions",
        "redactions (ledger, sequence, secrets, redacted_at, rewritten)",
    ),
    ("SELECT name, until FROM pins", "pins (name, until)"),
    (
        "SELECT kind, id, version, value FROM records",
        "records (kind, id, version, value)",
    ),
    ("SELECT version, body FROM lake", "lake (version, body)"),
];

/// What both databases say after the move; they say the same.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The embedded database.
    pub source: Loaded,
    /// The PostgreSQL database.
    pub target: Loaded,
}

/// Why a deployment could not be moved. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The data directory cannot be read, or is in use.
    #[error(transparent)]
    Source(#[from] OpenError),
    /// The PostgreSQL database cannot be used.
    #[error(transparent)]
    Target(#[from] ConnectError),
    /// The PostgreSQL database has a deployment already.
    #[error("the PostgreSQL database is not empty, it has the deployment {0}: name an empty database")]
    NotEmpty(String),
    /// The process is ending.
    #[error("the move was broken off")]
    BrokenOff,
}

impl From<rusqlite::Error> for ImportError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Source(error.into())
    }
}

impl From<tokio_postgres::Error> for ImportError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Target(ConnectError::Database(describe(&error)))
    }
}

impl From<DatabaseError> for ImportError {
    fn from(error: DatabaseError) -> Self {
        Self::Target(error.into())
    }
}

/// Copies the database of a data directory that no server works on into an empty PostgreSQL database.
pub async fn import(directory: &Path, url: &str) -> Result<Imported, ImportError> {
    let target = Target::parse(url, "migrate")?;
    let purpose = Purpose::Write {
        idle_max: Duration::ZERO,
        lock_max: WAIT_MAX,
    };
    let (mut client, connection) = target.connect(purpose).await?;
    let work = tokio::spawn(connection);
    let (held, source) = open(directory).await?;
    let imported = async {
        examine::require_fit(&client).await?;
        migrate::migrate(&mut client).await?;
        copy(&mut client, directory, &source).await
    };
    let imported = imported.await;
    drop(client);
    work.abort();
    imported?;
    drop(held);
    let target = read::load(&mut Pool::new(&target)?.client().await?).await?;
    Ok(Imported { source, target })
}

/// Locks the directory and brings its database to the current schema.
async fn open(directory: &Path) -> Result<(Sqlite, Loaded), ImportError> {
    let directory = directory.to_owned();
    let opened = spawn_blocking(move || {
        let held = Sqlite::open(&directory, Arc::default())?;
        let loaded = sqlite::loaded(&directory.join(DATABASE_FILE))?;
        Ok((held, loaded))
    });
    opened.await.map_err(|_| ImportError::BrokenOff)?
}

async fn copy(client: &mut Client, directory: &Path, source: &Loaded) -> Result<(), ImportError> {
    let transaction = client.transaction().await?;
    transaction
        .execute("SELECT number FROM counter WHERE shard = 0 FOR UPDATE", &[])
        .await?;
    if let Some(row) = transaction.query_opt("SELECT name FROM deployment", &[]).await? {
        return Err(ImportError::NotEmpty(row.try_get(0)?));
    }
    transaction.execute("DELETE FROM sealed", &[]).await?;
    for (select, into) in TABLES {
        copy_table(&transaction, directory, select, into).await?;
    }
    copy_heads(&transaction, &source.heads).await?;
    let (number, era) = (signed(source.head.commit), i64::from(source.head.era));
    let count =
        "UPDATE counter SET era = $1, number = $2, chain = $3, committed_at = $4, heads_at = $2 WHERE shard = 0";
    let chain = &source.head.chain.0[..];
    transaction
        .execute(count, &[&era, &number, &chain, &source.committed_at])
        .await?;
    Ok(transaction.commit().await?)
}

/// Where rows go, and the types of its columns.
async fn sink(transaction: &Transaction<'_>, into: &str) -> Result<BinaryCopyInWriter, ImportError> {
    let (table, columns) = into.split_once(" (").unwrap_or((into, "*"));
    let columns = columns.trim_end_matches(')');
    let statement = transaction.prepare(&format!("SELECT {columns} FROM {table}")).await?;
    let types: Vec<Type> = statement
        .columns()
        .iter()
        .map(|column| column.type_().clone())
        .collect();
    let sink = transaction.copy_in(&format!("COPY {into} FROM STDIN BINARY")).await?;
    Ok(BinaryCopyInWriter::new(sink, &types))
}

async fn copy_table(
    transaction: &Transaction<'_>,
    directory: &Path,
    select: &'static str,
    into: &str,
) -> Result<(), ImportError> {
    let mut writer = pin!(sink(transaction, into).await?);
    let (batches, mut next) = mpsc::channel(BATCHES_WAITING);
    let file = directory.join(DATABASE_FILE);
    let reading = spawn_blocking(move || read_rows(&file, select, &batches));
    while let Some(rows) = next.recv().await {
        for row in rows {
            let cells = row
                .iter()
                .map(|cell: &Cell| cell as &(dyn ToSql + Sync))
                .collect::<Vec<_>>();
            writer.as_mut().write(&cells).await?;
        }
    }
    // What was read in part is not kept: the transaction ends without effect.
    reading.await.map_err(|_| ImportError::BrokenOff)??;
    writer.finish().await?;
    Ok(())
}

fn read_rows(file: &Path, select: &str, batches: &mpsc::Sender<Vec<Vec<Cell>>>) -> rusqlite::Result<()> {
    let connection: Connection = sqlite::reader(file)?;
    let mut statement = connection.prepare(select)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut batch = Vec::with_capacity(BATCH_ROWS);
    while let Some(row) = rows.next()? {
        let cells = (0..columns).map(|column| row.get(column).map(Cell));
        batch.push(cells.collect::<rusqlite::Result<Vec<_>>>()?);
        if batch.len() == BATCH_ROWS && batches.blocking_send(std::mem::take(&mut batch)).is_err() {
            return Ok(());
        }
    }
    // Whoever does not take it any more has failed, and says so.
    let _ = batches.blocking_send(batch);
    Ok(())
}

/// Heads as they are up to the newest commit.
async fn copy_heads(transaction: &Transaction<'_>, heads: &[StoredHead]) -> Result<(), ImportError> {
    let into = "ledgers (ledger, project, organization, epoch, size, received_at, frontier)";
    let mut writer = pin!(sink(transaction, into).await?);
    for head in heads {
        let row: [&(dyn ToSql + Sync); 7] = [
            &signed(head.ledger),
            &head.key.project(),
            &head.key.organization(),
            &i64::from(head.epoch),
            &signed(head.size),
            &head.received_at,
            &head.frontier,
        ];
        writer.as_mut().write(&row).await?;
    }
    writer.finish().await?;
    Ok(())
}

/// A value of the embedded database as one of PostgreSQL's.
#[derive(Debug)]
struct Cell(Value);

impl ToSql for Cell {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match &self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Integer(value) if *kind == Type::BOOL => (*value != 0).to_sql(kind, out),
            Value::Integer(value) if *kind == Type::INT2 => i16::try_from(*value)?.to_sql(kind, out),
            Value::Integer(value) if *kind == Type::INT8 => value.to_sql(kind, out),
            Value::Text(value) if *kind == Type::TEXT => value.to_sql(kind, out),
            Value::Blob(value) if *kind == Type::BYTEA => value.to_sql(kind, out),
            _ => Err(format!("a value is not of the type {kind}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn no_table_is_left_behind_but_the_leases() {
        let directory = tempfile::tempdir().unwrap();
        drop(Sqlite::open(directory.path(), Arc::default()).unwrap());
        let connection = sqlite::reader(&directory.path().join(DATABASE_FILE)).unwrap();
        let mut statement = connection
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
            .unwrap();
        let tables = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        for table in tables.map(Result::unwrap) {
            let copied = TABLES.iter().any(|(select, _)| {
                select
                    .split(|letter: char| !letter.is_ascii_lowercase() && letter != '_')
                    .any(|word| word == table)
            });
            assert_eq!(copied, !["leases", "ledgers"].contains(&table.as_str()), "{table}");
        }
    }
}
