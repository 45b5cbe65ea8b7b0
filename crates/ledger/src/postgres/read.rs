//! The statements that read, and how their rows become values.

use std::pin::pin;

use bytes::Bytes;
use deadpool_postgres::{Client, Transaction};
use futures::TryStreamExt;
use tokio_postgres::{IsolationLevel, Row, types::FromSql};
use trailbook_merkle::Hash;

use super::{history, log, pool::Pool};
use crate::{
    EventId, OrganizationKey,
    database::{
        ChainHead, Committed, DatabaseError, LedgerId, Loaded, StoredAnswer, StoredCheckpoint, StoredClientId,
        StoredHead, Subtree, TailRow, heads,
    },
};

pub(super) const HOUR_MS: i64 = 3_600_000;
/// Rows of the log that are looked at for one answer.
const ROWS_MAX: i64 = 1024;

pub(super) type Answer<T> = Result<T, DatabaseError>;

/// A column's value.
pub(super) fn get<'r, T: FromSql<'r>>(row: &'r Row, column: usize) -> Answer<T> {
    Ok(row.try_get(column)?)
}

/// PostgreSQL's integers are signed; sizes and numbers stay below 2^63.
pub(super) fn unsigned(row: &Row, column: usize) -> Answer<u64> {
    get::<i64>(row, column).map(|value| value as u64)
}

/// Bytes of a fixed number.
pub(super) fn fixed<const N: usize>(row: &Row, column: usize) -> Answer<[u8; N]> {
    let bytes: &[u8] = get(row, column)?;
    bytes.try_into().map_err(|_| {
        DatabaseError(format!(
            "a value has not the length that it must have; run `trailbook fsck`: column={}",
            row.columns().get(column).map_or("?", |column| column.name())
        ))
    })
}

/// A number as PostgreSQL has it; what is above can be nowhere.
pub(super) fn signed(value: u64) -> i64 {
    value.min(i64::MAX as u64) as i64
}

/// A value of each row.
pub(super) fn all<T>(rows: &[Row], read: impl Fn(&Row) -> Answer<T>) -> Answer<Vec<T>> {
    rows.iter().map(read).collect()
}

/// What is read at start, as of one moment.
pub(super) async fn load(client: &mut Client) -> Answer<Loaded> {
    let transaction = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
    let (head, committed_at) = counter(&transaction).await?;
    let rows = transaction
        .query(
            "SELECT ledger, project, organization, epoch, size, received_at, frontier FROM ledgers ORDER BY ledger",
            &[],
        )
        .await?;
    let mut heads = all(&rows, stored_head)?;
    bring_up(&transaction, &mut heads).await?;
    let checkpoints = transaction
        .query(
            "SELECT DISTINCT ON (ledger) ledger, epoch, size, root, note FROM checkpoints
             ORDER BY ledger, epoch DESC, size DESC",
            &[],
        )
        .await?;
    let deployment = transaction
        .query_one("SELECT name, secret FROM deployment", &[])
        .await?;
    let (sealed_through, next_segment) = history::sealed(&transaction).await?;
    let loaded = Loaded {
        head,
        committed_at,
        heads,
        checkpoints: all(&checkpoints, stored_checkpoint)?,
        segments: history::segments(&transaction).await?,
        sealed_through,
        next_segment,
        floors: history::floors(&transaction).await?,
        retentions: history::retentions(&transaction).await?,
        redactions: history::redactions(&transaction).await?,
        pins: history::pins(&transaction).await?,
        next_lake_version: history::next_lake_version(&transaction).await?,
        secret: fixed(&deployment, 1)?,
        deployment: get(&deployment, 0)?,
    };
    transaction.commit().await?;
    Ok(loaded)
}

async fn counter(transaction: &Transaction<'_>) -> Answer<(ChainHead, i64)> {
    let row = transaction
        .query_one(
            "SELECT era, number, chain, committed_at FROM counter WHERE shard = 0",
            &[],
        )
        .await?;
    Ok((chain_head(&row)?, get(&row, 3)?))
}

/// Brings heads in the order of their ledgers up by what stands beside the commits that are newer than their rows.
async fn bring_up(transaction: &Transaction<'_>, heads: &mut [StoredHead]) -> Answer<()> {
    for row in transaction.query(PIECES, &[]).await? {
        heads::bring_up(heads, get::<Vec<u8>>(&row, 0)?).ok_or_else(malformed_heads)?;
    }
    Ok(())
}

/// The heads beside the commits that are newer than their rows.
pub(super) const PIECES: &str =
    "SELECT heads FROM log WHERE number > (SELECT heads_at FROM counter WHERE shard = 0) ORDER BY number";

pub(super) fn malformed_heads() -> DatabaseError {
    DatabaseError("the heads of a commit are malformed; run `trailbook fsck`".to_owned())
}

fn stored_head(row: &Row) -> Answer<StoredHead> {
    Ok(StoredHead {
        ledger: unsigned(row, 0)?,
        key: OrganizationKey::new(get::<String>(row, 1)?, get::<String>(row, 2)?),
        epoch: unsigned(row, 3)? as u32,
        size: unsigned(row, 4)?,
        received_at: get(row, 5)?,
        frontier: get(row, 6)?,
        new: false,
    })
}

/// Reads `era, number, chain`.
pub(super) fn chain_head(row: &Row) -> Answer<ChainHead> {
    Ok(ChainHead {
        era: unsigned(row, 0)? as u32,
        commit: unsigned(row, 1)?,
        chain: Hash(fixed(row, 2)?),
    })
}

pub(super) async fn newest(pool: &Pool) -> Answer<ChainHead> {
    let rows = pool
        .rows("SELECT era, number, chain FROM counter WHERE shard = 0", &[])
        .await?;
    let row = rows.first();
    row.map_or_else(
        || Err(DatabaseError("the counter of commits is not there".to_owned())),
        chain_head,
    )
}

/// What was committed above `known`: about `bytes_max` of it.
pub(super) async fn since(pool: &Pool, known: u64, bytes_max: usize) -> Answer<Vec<Committed>> {
    let rows = pool
        .rows(
            concat!(
                "SELECT ",
                log::columns!(),
                " FROM (SELECT *, sum(octet_length(heads) + octet_length(rest) + coalesce(octet_length(body), 0)) OVER
                 (ORDER BY number ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW) AS before
                 FROM (SELECT * FROM log WHERE number > $1 ORDER BY number LIMIT $3) AS next) AS measured
                 WHERE before IS NULL OR before < $2 ORDER BY number"
            ),
            &[&signed(known), &(bytes_max.min(i64::MAX as usize) as i64), &ROWS_MAX],
        )
        .await?;
    let mut committed = rows.iter().map(log::committed).collect::<Answer<Vec<_>>>()?;
    committed.truncate(consecutive(known, &committed));
    Ok(committed)
}

/// How many commits follow `known` without a gap.
fn consecutive(known: u64, committed: &[Committed]) -> usize {
    let numbered = committed.iter().zip(known + 1..);
    numbered
        .take_while(|(commit, number)| commit.head.commit == *number)
        .count()
}

/// Refuses when commits from above `known` to the newest are not all there any more.
pub(super) fn without_gap(known: u64, newest: u64, committed: &[Committed]) -> Answer<()> {
    if known + consecutive(known, committed) as u64 >= newest {
        return Ok(());
    }
    Err(DatabaseError(format!(
        "what was committed above {known} is not remembered any more, for this node was not heard of for too long: restart it \
         (newest={newest})"
    )))
}

pub(super) async fn tail(pool: &Pool, after: u64, through: u64, bytes_max: usize) -> Answer<Vec<TailRow>> {
    let rows = pool
        .rows(
            "SELECT number, body FROM (SELECT number, body, sum(octet_length(body)) OVER
             (ORDER BY number ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW) AS before
             FROM (SELECT number, body FROM log WHERE number > $1 AND number <= $2 AND body IS NOT NULL ORDER BY number LIMIT $4)
             AS next) AS measured WHERE before IS NULL OR before < $3 ORDER BY number",
            &[
                &signed(after),
                &signed(through),
                &(bytes_max.min(i64::MAX as usize) as i64),
                &ROWS_MAX,
            ],
        )
        .await?;
    all(&rows, |row| {
        Ok(TailRow {
            commit: unsigned(row, 0)?,
            body: Bytes::from(get::<Vec<u8>>(row, 1)?),
        })
    })
}

pub(super) async fn chain(pool: &Pool, commit: u64) -> Answer<Option<Hash>> {
    let rows = pool
        .rows("SELECT chain FROM commits WHERE number = $1", &[&signed(commit)])
        .await?;
    rows.first().map(|row| fixed(row, 0).map(Hash)).transpose()
}

pub(super) async fn answer(pool: &Pool, key: [u8; 32]) -> Answer<Option<StoredAnswer>> {
    let rows = pool
        .rows(
            "SELECT key, body, receipt, stored_at FROM answers WHERE key = $1",
            &[&&key[..]],
        )
        .await?;
    let read = |row: &Row| {
        Ok(StoredAnswer {
            key: fixed(row, 0)?,
            body: fixed(row, 1)?,
            receipt: get(row, 2)?,
            stored_at: get(row, 3)?,
        })
    };
    rows.first().map(read).transpose()
}

pub(super) async fn client_ids(pool: &Pool, keys: &[[u8; 16]], since: i64) -> Answer<Vec<StoredClientId>> {
    let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
    let rows = pool
        .rows(
            "SELECT DISTINCT ON (key) key, content, sequence, id, stored_at
             FROM generate_series($2, (SELECT max(hour) FROM client_ids)) AS hours (hour) JOIN client_ids USING (hour)
             WHERE key = ANY ($1) AND stored_at >= $3 ORDER BY key, hour DESC",
            &[&keys, &(since / HOUR_MS), &since],
        )
        .await?;
    all(&rows, |row| {
        Ok(StoredClientId {
            key: fixed(row, 0)?,
            content: fixed(row, 1)?,
            sequence: unsigned(row, 2)?,
            id: EventId::from_bytes(fixed(row, 3)?),
            stored_at: get(row, 4)?,
        })
    })
}

#[allow(clippy::type_complexity)]
pub(super) async fn remembered(
    client: &mut Client,
    since: i64,
) -> Answer<(Vec<([u8; 32], i64)>, Vec<([u8; 16], i64)>)> {
    // There may be millions: that takes its time, and they are not held as rows.
    let transaction = client.transaction().await?;
    transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
    let answers = "SELECT key, stored_at FROM answers WHERE stored_at >= $1";
    let answers = keys(&transaction, answers, vec![since]).await?;
    let client_ids = "SELECT key, stored_at FROM client_ids WHERE hour >= $1 AND stored_at >= $2";
    let client_ids = keys(&transaction, client_ids, vec![since / HOUR_MS, since]).await?;
    transaction.commit().await?;
    Ok((answers, client_ids))
}

async fn keys<const N: usize>(
    transaction: &Transaction<'_>,
    sql: &str,
    values: Vec<i64>,
) -> Answer<Vec<([u8; N], i64)>> {
    let mut rows = pin!(transaction.query_raw(sql, values).await?);
    let mut keys = Vec::new();
    while let Some(row) = rows.try_next().await? {
        keys.push((fixed(&row, 0)?, get(&row, 1)?));
    }
    Ok(keys)
}

pub(super) async fn subtrees(pool: &Pool, ledger: LedgerId, level: u8, begin: u64, end: u64) -> Answer<Vec<Subtree>> {
    let rows = pool
        .rows(
            "SELECT position, hash FROM subtrees WHERE ledger = $1 AND level = $2 AND position >= $3 AND position < $4
             ORDER BY position",
            &[&signed(ledger), &i16::from(level), &signed(begin), &signed(end)],
        )
        .await?;
    all(&rows, |row| {
        Ok(Subtree {
            ledger,
            level,
            index: unsigned(row, 0)?,
            hash: Hash(fixed(row, 1)?),
        })
    })
}

pub(super) async fn checkpoint(pool: &Pool, ledger: LedgerId, size: u64) -> Answer<Option<StoredCheckpoint>> {
    let rows = pool
        .rows(
            "SELECT ledger, epoch, size, root, note FROM checkpoints WHERE ledger = $1 AND size = $2
             ORDER BY epoch DESC LIMIT 1",
            &[&signed(ledger), &signed(size)],
        )
        .await?;
    rows.first().map(stored_checkpoint).transpose()
}

pub(super) async fn checkpoints(pool: &Pool, ledger: LedgerId) -> Answer<Vec<StoredCheckpoint>> {
    let rows = pool
        .rows(
            "SELECT ledger, epoch, size, root, note FROM checkpoints WHERE ledger = $1 ORDER BY epoch, size",
            &[&signed(ledger)],
        )
        .await?;
    all(&rows, stored_checkpoint)
}

fn stored_checkpoint(row: &Row) -> Answer<StoredCheckpoint> {
    Ok(StoredCheckpoint {
        ledger: unsigned(row, 0)?,
        epoch: unsigned(row, 1)? as u32,
        size: unsigned(row, 2)?,
        root: Hash(fixed(row, 3)?),
        note: get(row, 4)?,
    })
}
