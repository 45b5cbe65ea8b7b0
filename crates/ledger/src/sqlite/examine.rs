//! How a database stands, for `trailbook doctor`: reads alone, beside a server or without one.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{DATABASE_FILE, DirectoryLock, OpenError};

/// Findings of SQLite that are told at most.
const DAMAGE_MAX: usize = 5;

/// How the SQLite database of a data directory stands.
#[derive(Debug)]
pub struct SqliteState {
    /// The process that works on it; it is not looked through then.
    pub in_use_by: Option<String>,
    /// The kind of its journal, `wal` when it is as it should be.
    pub journal: String,
    /// What SQLite finds wrong with its pages, the first few; empty when it is sound.
    pub damage: Vec<String>,
}

/// Looks at the database in `directory`, which must be there; takes time in proportion to its size when nobody uses it.
///
/// # Errors
/// When it cannot be opened or read at all.
pub fn examine_sqlite(directory: &Path) -> Result<SqliteState, OpenError> {
    // As long as it is looked through, no server may start.
    let lock = match DirectoryLock::take(directory) {
        Ok(lock) => Some(lock),
        Err(OpenError::InUse { pid, .. }) => {
            let connection = open(directory)?;
            return Ok(SqliteState {
                in_use_by: Some(pid),
                journal: journal(&connection)?,
                damage: Vec::new(),
            });
        }
        Err(error) => return Err(error),
    };
    let connection = open(directory)?;
    let damage = damage(&connection)?;
    let state = SqliteState {
        in_use_by: None,
        journal: journal(&connection)?,
        damage,
    };
    drop(lock);
    Ok(state)
}

fn open(directory: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(directory.join(DATABASE_FILE), flags)?)
}

fn journal(connection: &Connection) -> Result<String, OpenError> {
    Ok(connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?)
}

fn damage(connection: &Connection) -> Result<Vec<String>, OpenError> {
    let mut statement = connection.prepare(&format!("PRAGMA quick_check({DAMAGE_MAX})"))?;
    let findings = statement.query_map([], |row| row.get::<_, String>(0))?;
    let findings: Vec<String> = findings.collect::<Result<_, _>>()?;
    Ok(findings.into_iter().filter(|finding| finding != "ok").collect())
}
