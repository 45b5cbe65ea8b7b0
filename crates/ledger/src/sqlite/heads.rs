//! Heads of ledgers in their table, and beside the commits that are newer. See `database::heads`.
//!
//! Invariant: a ledger's head is the newest of its row in `ledgers` and of the pieces of the commits after `heads_at`.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use crate::database::{LedgerId, StoredHead, heads};

/// Commits after which the heads that changed are written into their table.
pub(super) const WRITTEN_EVERY: u64 = 64;

/// Heads that are newer than their rows.
pub(super) type Changed = BTreeMap<LedgerId, StoredHead>;

/// Brings heads in the order of their ledgers up to the newest commit, and says which of them are newer than their rows.
pub(super) fn bring_up(connection: &Connection, loaded: &mut [StoredHead]) -> rusqlite::Result<Changed> {
    let mut changed = Changed::new();
    let mut statement = connection.prepare(
        "SELECT heads FROM tail WHERE number > (SELECT heads_at FROM counter WHERE shard = 0) ORDER BY number",
    )?;
    let mut pieces = statement.query([])?;
    while let Some(piece) = pieces.next()? {
        let moved = heads::bring_up(loaded, piece.get::<_, Vec<u8>>(0)?).ok_or_else(|| {
            rusqlite::Error::FromSqlConversionFailure(
                0,
                rusqlite::types::Type::Blob,
                "the heads of a commit are malformed; run `trailbook fsck`".into(),
            )
        })?;
        for ledger in moved {
            if let Ok(position) = loaded.binary_search_by_key(&ledger, |head| head.ledger) {
                changed.insert(ledger, loaded[position].clone());
            }
        }
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
