//! A copy of a database file that others are working on, and what such a copy says.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::read;
use crate::database::Loaded;

/// Copies the database as it is after one commit, while others go on writing. Only what is live is copied, and nothing is synced.
pub(crate) fn copy(from: &Path, to: &Path) -> rusqlite::Result<()> {
    let to = to.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(to.to_owned()))?;
    reader(from)?.execute("VACUUM INTO ?1", [to]).map(drop)
}

/// What a copy that nobody writes to says.
pub(crate) fn loaded(file: &Path) -> rusqlite::Result<Loaded> {
    Ok(read::load(&reader(file)?)?.0)
}

/// A connection that only reads.
pub(crate) fn reader(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    Ok(connection)
}
