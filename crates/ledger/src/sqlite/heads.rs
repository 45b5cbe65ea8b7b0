//! Heads of ledgers: written beside a commit's events as one piece, and into their table only now and then.
//!
//! A commit of a few hundred events changes about as many heads, which lie on as many pages of the table; writing those pages
//! each time would be most of what a commit syncs.
//!
//! Invariant: a ledger's head is the newest of its row in `ledgers` and of the pieces of the commits after `heads_at`.

use std::collections::BTreeMap;

use bytes::Bytes;
use rusqlite::{Connection, params};

use crate::{
    database::{LedgerId, StoredHead},
    frame::Reader,
};

/// Commits after which the heads that changed are written into their table.
pub(super) const WRITTEN_EVERY: u64 = 64;

/// Heads that are newer than their rows.
pub(super) type Changed = BTreeMap<LedgerId, StoredHead>;

/// Encodes the heads that a commit changed; names are in the table, where a new ledger is entered at once.
pub(super) fn encode(heads: &[StoredHead]) -> Vec<u8> {
    let mut out = Vec::with_capacity(heads.iter().map(|head| 32 + head.frontier.len()).sum());
    for head in heads {
        out.extend_from_slice(&head.ledger.to_le_bytes());
        out.extend_from_slice(&head.epoch.to_le_bytes());
        out.extend_from_slice(&head.size.to_le_bytes());
        out.extend_from_slice(&head.received_at.to_le_bytes());
        out.extend_from_slice(&(head.frontier.len() as u32).to_le_bytes());
        out.extend_from_slice(&head.frontier);
    }
    out
}

/// Brings heads read from their table up to a commit; `None` when the piece is malformed or names an unknown ledger.
fn apply(piece: Vec<u8>, heads: &mut [StoredHead], changed: &mut Changed) -> Option<()> {
    let mut reader = Reader::new(Bytes::from(piece));
    while !reader.is_empty() {
        let ledger = reader.u64()?;
        let position = heads.binary_search_by_key(&ledger, |head| head.ledger).ok()?;
        let head = &mut heads[position];
        (head.epoch, head.size, head.received_at) = (reader.u32()?, reader.u64()?, reader.i64()?);
        let length = reader.u32()? as usize;
        head.frontier = reader.bytes(length)?.to_vec();
        changed.insert(ledger, head.clone());
    }
    Some(())
}

/// Brings heads in the order of their ledgers up to the newest commit, and says which of them are newer than their rows.
pub(super) fn bring_up(connection: &Connection, heads: &mut [StoredHead]) -> rusqlite::Result<Changed> {
    let mut changed = Changed::new();
    let mut statement = connection.prepare(
        "SELECT heads FROM tail WHERE number > (SELECT heads_at FROM counter WHERE shard = 0) ORDER BY number",
    )?;
    let mut pieces = statement.query([])?;
    while let Some(piece) = pieces.next()? {
        apply(piece.get(0)?, heads, &mut changed).ok_or_else(|| {
            rusqlite::Error::FromSqlConversionFailure(
                0,
                rusqlite::types::Type::Blob,
                "the heads of a commit are malformed; run `trailbook fsck`".into(),
            )
        })?;
    }
    Ok(changed)
}

/// Writes heads into their table.
pub(super) fn write<'h>(connection: &Connection, heads: impl Iterator<Item = &'h StoredHead>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO ledgers (ledger, project, organization, epoch, size, received_at, frontier)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (ledger) DO UPDATE SET epoch = ?4, size = ?5, received_at = ?6, frontier = ?7",
    )?;
    for head in heads {
        statement.execute(params![
            head.ledger as i64,
            head.key.project(),
            head.key.organization(),
            head.epoch,
            head.size as i64,
            head.received_at,
            head.frontier
        ])?;
    }
    Ok(())
}

/// Writes all changed heads, as of commit `number`.
pub(super) fn write_changed(connection: &Connection, changed: &Changed, number: u64) -> rusqlite::Result<()> {
    write(connection, changed.values())?;
    connection
        .prepare_cached("UPDATE counter SET heads_at = ?1 WHERE shard = 0")?
        .execute([number as i64])
        .map(drop)
}
