//! Erasing the rows of sealed commits, a few at a time between two commits.
//!
//! A seal only says how far the tail is sealed. Were its rows deleted with it, the commits behind it would wait: 20 ms for
//! 200,000 events, 100 ms when their bytes are overwritten. They have to be: free pages of the file would otherwise keep what
//! was redacted or has expired until they are used again.
//!
//! Invariants
//! - Only rows of sealed commits are erased; no reader sees them any more.
//! - Erased bytes are zeros in the file, at the latest when all commits have been sealed.
//! - Once nothing is left to erase, a file of which most is free becomes shorter.

use std::sync::{Arc, OnceLock, Weak};

use rusqlite::{Connection, TransactionBehavior};

use super::{chore::Chore, wal::Checkpointer, worker::Worker, write::not_committed};
use crate::database::CommitError;

/// Bytes of rows that are erased at a time.
const STEP_BYTES: i64 = 1 << 20;
/// Pages that are given back to the file system at a time.
const STEP_PAGES: i64 = 256;
/// Free bytes that a file keeps in any case, for the rows to come.
const KEPT_FREE_BYTES: i64 = 64 << 20;

/// The thread that erases.
pub(super) struct Eraser {
    chore: Chore,
    failed: Arc<OnceLock<String>>,
}

impl Eraser {
    /// Begins with what an earlier process left.
    pub(super) fn start(writer: &Arc<Worker>, checkpointer: Arc<Checkpointer>) -> std::io::Result<Self> {
        let (writer, failed) = (Arc::downgrade(writer), Arc::<OnceLock<String>>::default());
        let work = {
            let failed = Arc::clone(&failed);
            move || {
                // The log has copies of what was given back.
                if erase(&writer, &failed) {
                    checkpointer.cut();
                }
            }
        };
        let chore = Chore::start("database-erase", work)?;
        chore.wake();
        Ok(Self { chore, failed })
    }

    /// Says that commits were sealed.
    pub(super) fn sealed(&self) {
        self.chore.wake();
    }

    /// What a sync said that failed: what was written since the last good one may be lost, and nothing may be built on it.
    pub(super) fn failed(&self) -> Option<&String> {
        self.failed.get()
    }
}

/// Erases until nothing is left or the writer ends; answers whether the file became shorter.
fn erase(writer: &Weak<Worker>, failed: &OnceLock<String>) -> bool {
    let mut became_shorter = false;
    loop {
        match Worker::wait_for(writer, work) {
            Some(Ok(Worked::Erased)) => {}
            Some(Ok(Worked::Shrunk)) => became_shorter = true,
            Some(Ok(Worked::Nothing)) | None => return became_shorter,
            Some(Err(error)) => {
                tracing::error!(%error, "sealed commits could not be erased and stay in the database for now");
                if let CommitError::Fatal(detail) = not_committed(error) {
                    failed.get_or_init(|| detail);
                }
                return became_shorter;
            }
        }
    }
}

/// What was done between two commits.
enum Worked {
    Erased,
    Shrunk,
    Nothing,
}

fn work(connection: &mut Connection) -> rusqlite::Result<Worked> {
    if step(connection)? {
        Ok(Worked::Erased)
    } else if shrink(connection, KEPT_FREE_BYTES)? {
        Ok(Worked::Shrunk)
    } else {
        Ok(Worked::Nothing)
    }
}

/// Erases the oldest sealed rows; answers whether there may be more.
fn step(connection: &mut Connection) -> rusqlite::Result<bool> {
    let Some(last) = last_of_step(connection)? else {
        return Ok(false);
    };
    connection.pragma_update(None, "secure_delete", "on")?;
    let erased = delete_through(connection, last);
    let as_before = connection.pragma_update(None, "secure_delete", "fast");
    erased.and(as_before).map(|()| true)
}

/// The last of the oldest sealed commits that make up a step.
fn last_of_step(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT number, length(body) + length(heads) FROM tail
         WHERE number <= (SELECT through FROM sealed WHERE shard = 0) ORDER BY number",
    )?;
    let mut rows = statement.query([])?;
    let (mut last, mut bytes) = (None, 0);
    while let Some(row) = rows.next()?.filter(|_| bytes < STEP_BYTES) {
        last = Some(row.get(0)?);
        bytes += row.get::<_, i64>(1)?;
    }
    Ok(last)
}

fn delete_through(connection: &mut Connection, last: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("DELETE FROM tail WHERE number <= ?1", [last])?;
    // Pages that stay in use may have copies of rows in their free space, which go with the page; the root's go with this.
    let is_empty: bool = transaction.query_row("SELECT NOT EXISTS (SELECT 1 FROM tail)", [], |row| row.get(0))?;
    if is_empty {
        transaction.execute("DELETE FROM tail", [])?;
    }
    transaction.commit()
}

/// Gives some free pages back when most of the file is free, and more than is kept; answers whether it did.
fn shrink(connection: &Connection, kept_free_bytes: i64) -> rusqlite::Result<bool> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (free, all) = (number("freelist_count")?, number("page_count")?);
    if free * number("page_size")? <= kept_free_bytes || free * 2 <= all {
        return Ok(false);
    }
    // Each row that is asked for gives back one page.
    let mut statement = connection.prepare_cached(&format!("PRAGMA incremental_vacuum({STEP_PAGES})"))?;
    let mut pages = statement.query([])?;
    while pages.next()?.is_some() {}
    Ok(number("page_count")? < all)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]
    use std::path::Path;

    use super::{super::connect, *};
    use crate::sqlite::directory::migrate;

    const SECRET: &[u8] = b"what somebody wants gone";

    /// A database with rows of many sizes, up to 300 pages each.
    fn filled(path: &Path) -> Connection {
        let mut connection = connect(path).unwrap();
        migrate(&mut connection).unwrap();
        for number in 1..=200_i64 {
            let repeated = [2, 40, 900, 50_000][number as usize % 4];
            let body = SECRET.repeat(repeated / 4 + number as usize);
            let row = rusqlite::params![number, body];
            connection
                .execute("INSERT INTO tail VALUES (?1, ?2, x'00')", row)
                .unwrap();
        }
        connection
    }

    fn is_in_file(path: &Path) -> bool {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(SECRET.len()).any(|window| window == SECRET)
    }

    #[test]
    fn a_file_of_which_most_is_free_becomes_shorter() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file.db");
        let mut connection = filled(&path);
        let length = |connection: &Connection| {
            connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .unwrap();
            path.metadata().unwrap().len()
        };
        let full = length(&connection);
        assert!(!shrink(&connection, 0).unwrap(), "nothing is free");
        connection.execute("UPDATE sealed SET through = 40", []).unwrap();
        while step(&mut connection).unwrap() {}
        assert!(!shrink(&connection, 0).unwrap(), "most is in use");
        connection.execute("UPDATE sealed SET through = 190", []).unwrap();
        while step(&mut connection).unwrap() {}
        assert!(!shrink(&connection, full as i64).unwrap(), "so much is kept");
        while shrink(&connection, 1 << 20).unwrap() {}
        assert!(length(&connection) < full / 2, "{} of {full}", length(&connection));
        let left: (i64, i64) = connection
            .query_row("SELECT count(*), sum(length(body)) FROM tail", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(left.0, 10);
        let sound: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(sound, "ok");
    }

    #[test]
    fn erased_rows_leave_no_byte_in_the_file_and_others_stay() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file.db");
        let mut connection = filled(&path);
        let left = |connection: &Connection| -> (i64, i64) {
            let sql = "SELECT count(*), coalesce(min(number), 0) FROM tail";
            connection
                .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap()
        };
        assert!(!step(&mut connection).unwrap(), "nothing is sealed");
        connection.execute("UPDATE sealed SET through = 150", []).unwrap();
        let mut steps = 0;
        while step(&mut connection).unwrap() {
            steps += 1;
        }
        assert!(steps > 5, "all at once");
        assert_eq!(left(&connection), (50, 151));
        connection.execute("UPDATE sealed SET through = 200", []).unwrap();
        while step(&mut connection).unwrap() {}
        assert_eq!(left(&connection), (0, 0));
        drop(connection);
        assert!(!is_in_file(&path));
        drop(filled(&directory.path().join("other.db")));
        assert!(
            is_in_file(&directory.path().join("other.db")),
            "the bytes stand in the file as they are"
        );
    }
}
