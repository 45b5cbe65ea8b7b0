//! The statements that read.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};
use trailbook_merkle::Hash;

use super::{
    heads::{self, Changed},
    history,
};
use crate::{
    EventId, OrganizationKey,
    database::{
        ChainHead, LedgerId, Loaded, StoredAnswer, StoredCheckpoint, StoredClientId, StoredHead, Subtree, TailRow,
    },
};

const HOUR_MS: i64 = 3_600_000;

/// What is read at start, and the heads that are newer than their rows.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<(Loaded, Changed)> {
    let (deployment, secret) = connection.query_row("SELECT name, secret FROM deployment", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let committed_at =
        connection.query_row("SELECT committed_at FROM counter WHERE shard = 0", [], |row| row.get(0))?;
    let mut heads: Vec<StoredHead> = connection
        .prepare(
            "SELECT ledger, project, organization, epoch, size, received_at, frontier FROM ledgers ORDER BY ledger",
        )?
        .query_map([], |row| {
            Ok(StoredHead {
                ledger: unsigned(row, 0)?,
                key: OrganizationKey::new(row.get::<_, String>(1)?, row.get::<_, String>(2)?),
                epoch: row.get(3)?,
                size: unsigned(row, 4)?,
                received_at: row.get(5)?,
                frontier: row.get(6)?,
                new: false,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let changed = heads::bring_up(connection, &mut heads)?;
    let checkpoints = connection
        .prepare(
            "SELECT ledger, epoch, size, root, note FROM checkpoints AS newest WHERE (epoch, size) =
             (SELECT epoch, size FROM checkpoints WHERE ledger = newest.ledger ORDER BY epoch DESC, size DESC LIMIT 1)",
        )?
        .query_map([], checkpoint_row)?
        .collect::<rusqlite::Result<_>>()?;
    let head = chain_head(connection)?;
    let (sealed_through, next_segment) = history::sealed(connection)?;
    Ok((
        Loaded {
            head,
            segments: history::segments(connection)?,
            sealed_through,
            next_segment,
            floors: history::floors(connection)?,
            retentions: history::retentions(connection)?,
            redactions: history::redactions(connection)?,
            pins: history::pins(connection)?,
            next_lake_version: history::next_lake_version(connection)?,
            committed_at,
            heads,
            checkpoints,
            secret,
            deployment,
        },
        changed,
    ))
}

pub(super) fn chain_head(connection: &Connection) -> rusqlite::Result<ChainHead> {
    connection.query_row("SELECT era, number, chain FROM counter WHERE shard = 0", [], |row| {
        Ok(ChainHead {
            era: row.get(0)?,
            commit: unsigned(row, 1)?,
            chain: Hash(row.get(2)?),
        })
    })
}

pub(super) fn tail(
    connection: &Connection,
    after: u64,
    through: u64,
    bytes_max: usize,
) -> rusqlite::Result<Vec<TailRow>> {
    let mut statement = connection
        .prepare_cached("SELECT number, body FROM tail WHERE number > ?1 AND number <= ?2 ORDER BY number")?;
    let mut found = statement.query([after as i64, through.min(i64::MAX as u64) as i64])?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        let body = Bytes::from(row.get::<_, Vec<u8>>(1)?);
        bytes += body.len();
        rows.push(TailRow {
            commit: unsigned(row, 0)?,
            body,
        });
        if bytes >= bytes_max {
            break;
        }
    }
    Ok(rows)
}

pub(super) fn committed(connection: &Connection, token: [u8; 16]) -> rusqlite::Result<Option<u64>> {
    // Only the newest commits can be in doubt.
    connection
        .prepare_cached(
            "SELECT number FROM (SELECT number, token FROM commits ORDER BY number DESC LIMIT 16) WHERE token = ?1",
        )?
        .query_row([token], |row| unsigned(row, 0))
        .optional()
}

pub(super) fn chain(connection: &Connection, commit: u64) -> rusqlite::Result<Option<Hash>> {
    connection
        .prepare_cached("SELECT chain FROM commits WHERE number = ?1")?
        .query_row([commit as i64], |row| row.get(0).map(Hash))
        .optional()
}

pub(super) fn answer(connection: &Connection, key: [u8; 32]) -> rusqlite::Result<Option<StoredAnswer>> {
    connection
        .prepare_cached("SELECT key, body, receipt, stored_at FROM answers WHERE key = ?1")?
        .query_row([key], |row| {
            Ok(StoredAnswer {
                key: row.get(0)?,
                body: row.get(1)?,
                receipt: row.get(2)?,
                stored_at: row.get(3)?,
            })
        })
        .optional()
}

pub(super) fn client_ids(
    connection: &Connection,
    keys: &[[u8; 16]],
    since: i64,
) -> rusqlite::Result<Vec<StoredClientId>> {
    let newest: Option<i64> = connection
        .prepare_cached("SELECT max(hour) FROM client_ids")?
        .query_row([], |row| row.get(0))?;
    let Some(newest) = newest else { return Ok(Vec::new()) };
    let mut statement = connection
        .prepare_cached("SELECT key, content, sequence, id, stored_at FROM client_ids WHERE hour = ?1 AND key = ?2")?;
    let mut found = Vec::new();
    for key in keys {
        for hour in (since / HOUR_MS..=newest).rev() {
            let known = statement
                .query_row(params![hour, key], |row| {
                    Ok(StoredClientId {
                        key: row.get(0)?,
                        content: row.get(1)?,
                        sequence: unsigned(row, 2)?,
                        id: EventId::from_bytes(row.get(3)?),
                        stored_at: row.get(4)?,
                    })
                })
                .optional()?;
            if let Some(known) = known.filter(|known| known.stored_at >= since) {
                found.push(known);
                break;
            }
        }
    }
    Ok(found)
}

#[allow(clippy::type_complexity)]
pub(super) fn remembered(
    connection: &Connection,
    since: i64,
) -> rusqlite::Result<(Vec<([u8; 32], i64)>, Vec<([u8; 16], i64)>)> {
    let answers = connection
        .prepare("SELECT key, stored_at FROM answers WHERE stored_at >= ?1")?
        .query_map([since], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let client_ids = connection
        .prepare("SELECT key, stored_at FROM client_ids WHERE hour >= ?1 AND stored_at >= ?2")?
        .query_map(params![since / HOUR_MS, since], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok((answers, client_ids))
}

pub(super) fn subtrees(
    connection: &Connection,
    ledger: LedgerId,
    level: u8,
    begin: u64,
    end: u64,
) -> rusqlite::Result<Vec<Subtree>> {
    connection
        .prepare_cached(
            "SELECT position, hash FROM subtrees WHERE ledger = ?1 AND level = ?2 AND position >= ?3 AND position < ?4
             ORDER BY position",
        )?
        .query_map(
            params![ledger as i64, level, begin as i64, end.min(i64::MAX as u64) as i64],
            |row| {
                Ok(Subtree {
                    ledger,
                    level,
                    index: unsigned(row, 0)?,
                    hash: Hash(row.get(1)?),
                })
            },
        )?
        .collect()
}

pub(super) fn checkpoint(
    connection: &Connection,
    ledger: LedgerId,
    size: u64,
) -> rusqlite::Result<Option<StoredCheckpoint>> {
    connection
        .prepare_cached(
            "SELECT ledger, epoch, size, root, note FROM checkpoints WHERE ledger = ?1 AND size = ?2
             ORDER BY epoch DESC LIMIT 1",
        )?
        .query_row(params![ledger as i64, size as i64], checkpoint_row)
        .optional()
}

pub(super) fn checkpoints(connection: &Connection, ledger: LedgerId) -> rusqlite::Result<Vec<StoredCheckpoint>> {
    connection
        .prepare("SELECT ledger, epoch, size, root, note FROM checkpoints WHERE ledger = ?1 ORDER BY epoch, size")?
        .query_map([ledger as i64], checkpoint_row)?
        .collect()
}

fn checkpoint_row(row: &Row<'_>) -> rusqlite::Result<StoredCheckpoint> {
    Ok(StoredCheckpoint {
        ledger: unsigned(row, 0)?,
        epoch: row.get(1)?,
        size: unsigned(row, 2)?,
        root: Hash(row.get(3)?),
        note: row.get(4)?,
    })
}

/// SQLite's integers are signed; sizes and numbers stay below 2^63.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|value| value as u64)
}
