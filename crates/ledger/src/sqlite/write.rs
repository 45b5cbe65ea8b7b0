//! The statements that write. They run on the writer's thread only.

use std::time::Instant;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, params};

use super::{
    heads::{self, Changed, WRITTEN_EVERY},
    history::{self, Refused},
};
use crate::{
    database::{Change, CommitError, Group, heads::encode},
    measures::{Measures, Stage},
};

/// Commits older than this are forgotten, but for those under which a checkpoint was signed.
const COMMITS_REMEMBERED: i64 = 100_000;
const HOUR_MS: i64 = 3_600_000;

/// Gives the deployment its name and secret, once.
pub(super) fn name_deployment(connection: &Connection, secret: [u8; 32], name: &str) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO deployment (only, name, secret) VALUES (0, ?1, ?2) ON CONFLICT DO NOTHING",
            params![name, secret],
        )
        .map(|_| ())
}

/// Writes a group in one synced transaction.
pub(super) fn commit(
    connection: &mut Connection,
    group: &Group,
    changed: &mut Changed,
    measures: &Measures,
) -> Result<(), CommitError> {
    let started = Instant::now();
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(not_committed)?;
    count(&transaction, group)?;
    write_group(&transaction, group).map_err(not_committed)?;
    let written_at = write_heads(&transaction, group, changed).map_err(not_committed)?;
    for change in &group.changes {
        history::change(&transaction, group.commit, change).map_err(|refused| match refused {
            Refused::Conflict(what) => CommitError::Conflict(what),
            Refused::Database(error) => not_committed(error),
        })?;
    }
    let written = Instant::now();
    measures.add(Stage::Sql, written - started);
    let result = transaction.commit().map_err(not_committed);
    measures.add(Stage::Sync, written.elapsed());
    measures.commits.observe(started.elapsed());
    if result.is_ok() {
        if written_at == Some(group.commit) {
            changed.clear();
        }
        changed.extend(
            group
                .heads
                .iter()
                .filter(|_| written_at.is_none())
                .map(|head| (head.ledger, head.clone())),
        );
    }
    result
}

/// Writes the changed heads outside a commit.
pub(super) fn write_changed_heads(connection: &mut Connection, changed: &mut Changed) -> rusqlite::Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let number: i64 = transaction.query_row("SELECT number FROM counter WHERE shard = 0", [], |row| row.get(0))?;
    heads::write_changed(&transaction, changed, number as u64)?;
    transaction.commit()?;
    changed.clear();
    Ok(())
}

/// Writes all heads when it is time, otherwise only those of new ledgers; answers the commit as of which all are written.
fn write_heads(transaction: &Transaction<'_>, group: &Group, changed: &Changed) -> rusqlite::Result<Option<u64>> {
    // A tail row may leave only when the heads that stand beside it are in their table.
    let seals = group.changes.iter().any(|change| matches!(change, Change::Seal { .. }));
    if group.commit.is_multiple_of(WRITTEN_EVERY) || seals || group.tail.is_none() && !group.heads.is_empty() {
        heads::write_changed(transaction, changed, group.commit)?;
        heads::write(transaction, group.heads.iter())?;
        return Ok(Some(group.commit));
    }
    heads::write(transaction, group.heads.iter().filter(|head| head.new))?;
    Ok(None)
}

/// SQLite undoes a transaction that fails, and says when a sync failed: then the process must not go on.
pub(super) fn not_committed(error: rusqlite::Error) -> CommitError {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            CommitError::Fatal(error.to_string())
        }
        _ => CommitError::NotCommitted(error.to_string()),
    }
}

/// Moves the counter on; a number that is not the next is a fault of the caller and changes nothing.
fn count(transaction: &Transaction<'_>, group: &Group) -> Result<(), CommitError> {
    let moved = transaction
        .prepare_cached(
            "UPDATE counter SET era = ?1, number = ?2, chain = ?3, committed_at = ?4 WHERE shard = 0 AND number = ?2 - 1",
        )
        .and_then(|mut statement| {
            statement.execute(params![group.era, group.commit as i64, group.chain.0, group.committed_at])
        })
        .map_err(not_committed)?;
    if moved == 1 {
        Ok(())
    } else {
        Err(CommitError::NotCommitted(format!(
            "the commit is not the next: commit={}",
            group.commit
        )))
    }
}

fn write_group(transaction: &Transaction<'_>, group: &Group) -> rusqlite::Result<()> {
    let number = group.commit as i64;
    transaction
        .prepare_cached("INSERT INTO commits (number, chain, token) VALUES (?1, ?2, ?3)")?
        .execute(params![number, group.chain.0, group.token])?;
    transaction
        .prepare_cached("DELETE FROM commits WHERE number = ?1")?
        .execute([number - COMMITS_REMEMBERED])?;
    if let Some(body) = &group.tail {
        transaction
            .prepare_cached("INSERT INTO tail (number, body, heads) VALUES (?1, ?2, ?3)")?
            .execute(params![number, &body[..], encode(&group.heads)])?;
    }
    write_trees(transaction, group)?;
    write_memory(transaction, group)
}

fn write_trees(transaction: &Transaction<'_>, group: &Group) -> rusqlite::Result<()> {
    let mut subtrees =
        transaction.prepare_cached("INSERT INTO subtrees (ledger, level, position, hash) VALUES (?1, ?2, ?3, ?4)")?;
    for subtree in &group.subtrees {
        subtrees.execute(params![
            subtree.ledger as i64,
            subtree.level,
            subtree.index as i64,
            subtree.hash.0
        ])?;
    }
    let mut checkpoints = transaction
        .prepare_cached("INSERT INTO checkpoints (ledger, epoch, size, root, note) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for checkpoint in &group.checkpoints {
        checkpoints.execute(params![
            checkpoint.ledger as i64,
            checkpoint.epoch,
            checkpoint.size as i64,
            checkpoint.root.0,
            checkpoint.note
        ])?;
    }
    Ok(())
}

fn write_memory(transaction: &Transaction<'_>, group: &Group) -> rusqlite::Result<()> {
    let mut answers = transaction
        .prepare_cached("INSERT OR REPLACE INTO answers (key, body, receipt, stored_at) VALUES (?1, ?2, ?3, ?4)")?;
    for answer in &group.answers {
        answers.execute(params![answer.key, answer.body, answer.receipt, answer.stored_at])?;
    }
    let mut client_ids = transaction.prepare_cached(
        "INSERT INTO client_ids (hour, key, content, sequence, id, stored_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for known in &group.client_ids {
        client_ids.execute(params![
            known.stored_at / HOUR_MS,
            known.key,
            known.content,
            known.sequence as i64,
            known.id.bytes(),
            known.stored_at
        ])?;
    }
    if let Some(before) = group.forget_before {
        transaction
            .prepare_cached("DELETE FROM answers WHERE stored_at < ?1")?
            .execute([before])?;
        transaction
            .prepare_cached("DELETE FROM client_ids WHERE hour < ?1")?
            .execute([before / HOUR_MS])?;
    }
    Ok(())
}
