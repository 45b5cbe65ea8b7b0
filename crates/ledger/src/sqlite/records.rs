//! The statements of control records.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{history::Refused, read::unsigned};
use crate::database::{RecordChange, StoredRecord};

/// Writes or removes a record in a commit, unless it is at another version than expected.
pub(super) fn change(transaction: &Transaction<'_>, commit: u64, change: &RecordChange) -> Result<(), Refused> {
    let RecordChange {
        kind,
        id,
        expected,
        value,
    } = change;
    let found = transaction
        .prepare_cached("SELECT version FROM records WHERE kind = ?1 AND id = ?2")?
        .query_row([kind, id], |row| unsigned(row, 0))
        .optional()?;
    if found != *expected {
        return Err(Refused::Conflict(format!(
            "a record is not at the version that its change was made from: kind={kind} id={id} expected={expected:?} found={found:?}"
        )));
    }
    match value {
        Some(value) => transaction
            .prepare_cached("INSERT OR REPLACE INTO records (kind, id, version, value) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![kind, id, commit as i64, value])?,
        None => transaction
            .prepare_cached("DELETE FROM records WHERE kind = ?1 AND id = ?2")?
            .execute([kind, id])?,
    };
    Ok(())
}

/// All records, by kind and id.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<StoredRecord>> {
    connection
        .prepare_cached("SELECT kind, id, version, value FROM records ORDER BY kind, id")?
        .query_map([], |row| {
            Ok(StoredRecord {
                kind: row.get(0)?,
                id: row.get(1)?,
                version: unsigned(row, 2)?,
                value: row.get(3)?,
            })
        })?
        .collect()
}
