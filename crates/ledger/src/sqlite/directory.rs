//! The data directory: one process at a time, one schema version.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};

use rusqlite::Connection;

const LOCK_FILE: &str = "trailbook.lock";
/// What brings a database from each version to the next, from an empty file on.
const VERSIONS: [&str; 4] = [
    include_str!("schema.sql"),
    include_str!("history.sql"),
    include_str!("control.sql"),
    include_str!("lake.sql"),
];

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process works on it.
    #[error("the data directory is in use by process {pid}: stop that process, or choose another directory with --data (directory={directory})", directory = directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
        /// The other process, as it wrote into the lock file.
        pid: String,
    },
    /// It was written by a newer version of Trailbook.
    #[error("the database has schema version {found}, this program knows up to {known}: start the newer program again")]
    TooNew {
        /// The version in the file.
        found: i64,
        /// The newest version that is known.
        known: i64,
    },
    /// The operating system refuses.
    #[error("cannot use the data directory: path={path}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// SQLite refuses.
    #[error("cannot open the database")]
    Database(#[from] rusqlite::Error),
}

impl OpenError {
    pub(super) fn thread(source: std::io::Error) -> Self {
        Self::Io {
            path: PathBuf::from("(thread)"),
            source,
        }
    }
}

/// The right to work on a data directory. The operating system takes it back when the process ends, however it ends.
pub struct DirectoryLock(#[allow(dead_code, reason = "holds the lock until it is dropped")] File);

impl DirectoryLock {
    /// Takes it; makes the directory when it is not there.
    ///
    /// # Errors
    /// [`OpenError::InUse`] when another process has it.
    pub fn take(directory: &Path) -> Result<Self, OpenError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Io { path, source }
        };
        std::fs::create_dir_all(directory).map_err(at(directory))?;
        let path = directory.join(LOCK_FILE);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(at(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                file.read_to_string(&mut pid).map_err(at(&path))?;
                return Err(OpenError::InUse {
                    directory: directory.to_owned(),
                    pid: pid.trim().to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(OpenError::Io { path, source }),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(at(&path))?;
        writeln!(file, "{}", std::process::id())
            .and_then(|()| file.sync_all())
            .map_err(at(&path))?;
        Ok(Self(file))
    }
}

/// Brings an empty or older database to the current schema, in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = VERSIONS.len() as i64;
    let missing = usize::try_from(found).ok().and_then(|found| VERSIONS.get(found..));
    let Some(missing) = missing else {
        return Err(OpenError::TooNew { found, known });
    };
    let transaction = connection.transaction()?;
    for version in missing {
        transaction.execute_batch(version)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    Ok(transaction.commit()?)
}
