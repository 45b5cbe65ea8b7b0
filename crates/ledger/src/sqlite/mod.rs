//! The embedded database: one SQLite file in the data directory, for one process.
//!
//! Invariants
//! - WAL with `synchronous=FULL`: a commit that returned has been synced.
//! - All writes run on one thread; reads run beside them on another. Moving the WAL and erasing what is sealed are called for by
//!   threads of their own, and done between two commits where they write.
//! - One process per directory: the lock file is held as long as this value lives.
//!
//! Not here: what the bytes mean (docs/formats/ledger.md).

mod chore;
mod copy;
mod directory;
mod erase;
mod examine;
mod heads;
mod history;
mod read;
mod records;
mod wal;
mod worker;
mod write;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub(crate) use copy::{copy, loaded, reader};
pub use directory::{DirectoryLock, OpenError};
use erase::Eraser;
pub use examine::{SqliteState, examine_sqlite};
use futures::future::BoxFuture;
use heads::Changed;
use rusqlite::Connection;
use tokio::sync::watch;
use trailbook_merkle::Hash;
use wal::Checkpointer;
use worker::Worker;

use crate::{
    database::{
        Answer, ChainHead, Change, CommitError, Committed, Database, DatabaseError, Garbage, Group, LakeVersion,
        LedgerId, Loaded, StoredAnswer, StoredCheckpoint, StoredClientId, StoredRecord, StoredTile, Subtree, TailRow,
    },
    measures::Measures,
};

/// The database file's name in the data directory.
pub const DATABASE_FILE: &str = "trailbook.db";

/// The embedded database of a data directory.
pub struct Sqlite {
    reader: Worker,
    // Dropped in this order: the writer's last jobs may still ask for a checkpoint.
    writer: Arc<Worker>,
    checkpointer: Arc<Checkpointer>,
    eraser: Eraser,
    measures: Arc<Measures>,
    /// Heads that are newer than their rows. Touched by the writer's thread alone.
    changed: Arc<Mutex<Changed>>,
    /// The newest commit. The directory lock leaves no other process that could move it.
    newest: Arc<Mutex<Option<ChainHead>>>,
    _lock: DirectoryLock,
}

impl Sqlite {
    /// Opens the database in `directory`, making both when they are not there.
    pub fn open(directory: &Path, measures: Arc<Measures>) -> Result<Self, OpenError> {
        let lock = DirectoryLock::take(directory)?;
        let path = directory.join(DATABASE_FILE);
        let mut connection = connect(&path)?;
        directory::migrate(&mut connection)?;
        // The directory is locked: whoever held a lease has ended.
        connection.execute("DELETE FROM leases", [])?;
        let writer = Arc::new(Worker::start("database-writer", connection).map_err(OpenError::thread)?);
        let reader = connect(&path)?;
        reader.pragma_update(None, "query_only", true)?;
        let reader = Worker::start("database-reader", reader).map_err(OpenError::thread)?;
        let checkpointer = Checkpointer::start(connect(&path)?, &writer, Arc::clone(&measures));
        let checkpointer = Arc::new(checkpointer.map_err(OpenError::thread)?);
        let eraser = Eraser::start(&writer, Arc::clone(&checkpointer)).map_err(OpenError::thread)?;
        Ok(Self {
            reader,
            writer,
            checkpointer,
            eraser,
            measures,
            changed: Arc::default(),
            newest: Arc::default(),
            _lock: lock,
        })
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Answer<'_, T> {
        let answer = self.reader.run(move |connection| work(connection));
        Box::pin(async move { flatten(answer.await) })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes the heads into their table, so that the next start need not.
impl Drop for Sqlite {
    fn drop(&mut self) {
        let changed = Arc::clone(&self.changed);
        self.writer.start_job(move |connection| {
            if let Err(error) = write::write_changed_heads(connection, &mut locked(&changed)) {
                tracing::warn!(%error, "the heads stay beside their commits");
            }
        });
    }
}

fn flatten<T>(answer: Option<rusqlite::Result<T>>) -> Result<T, DatabaseError> {
    match answer {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(DatabaseError(error.to_string())),
        None => Err(DatabaseError("the database thread has ended".to_owned())),
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    // Before anything is written: a file that has tables keeps what it began with.
    connection.pragma_update(None, "auto_vacuum", "incremental")?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is deleted inside a page is overwritten, which costs nothing; `erase` does the same with whole pages.
    connection.pragma_update(None, "secure_delete", "fast")?;
    connection.pragma_update(None, "cache_size", -16 * 1024)?;
    connection.pragma_update(None, "journal_size_limit", wal::WAL_BYTES_KEPT)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    Ok(connection)
}

impl Database for Sqlite {
    fn load(&self, secret: [u8; 32], deployment: String) -> Answer<'_, Loaded> {
        let changed = Arc::clone(&self.changed);
        let answer = self.writer.run(move |connection| {
            write::name_deployment(connection, secret, &deployment)?;
            let (loaded, newer) = read::load(connection)?;
            *locked(&changed) = newer;
            Ok(loaded)
        });
        Box::pin(async move {
            let loaded = flatten(answer.await)?;
            *locked(&self.newest) = Some(loaded.head);
            Ok(loaded)
        })
    }

    fn tail(&self, after: u64, through: u64, bytes_max: usize) -> Answer<'_, Vec<TailRow>> {
        self.read(move |connection| read::tail(connection, after, through, bytes_max))
    }

    fn newest(&self) -> Answer<'_, Option<ChainHead>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn since(&self, _known: u64, _bytes_max: usize) -> Answer<'_, Vec<Committed>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn news(&self) -> Option<watch::Receiver<u64>> {
        None
    }

    fn session(&self) -> u64 {
        0
    }

    fn unlock(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn lock(&self, known: u64) -> Answer<'_, (ChainHead, Vec<Committed>)> {
        let newest = *locked(&self.newest);
        let answer = match newest {
            Some(head) if head.commit == known => Ok((head, Vec::new())),
            _ => Err(DatabaseError(format!(
                "the database stands elsewhere than its only writer: known={known}"
            ))),
        };
        Box::pin(async move { answer })
    }

    fn commit(&self, group: Group) -> BoxFuture<'_, Result<(), CommitError>> {
        if let Some(detail) = self.eraser.failed() {
            let detail = detail.clone();
            return Box::pin(async move { Err(CommitError::Fatal(detail)) });
        }
        let measures = Arc::clone(&self.measures);
        let seals = group.changes.iter().any(|change| matches!(change, Change::Seal { .. }));
        let bytes = group.tail.as_ref().map_or(0, bytes::Bytes::len) + 4096;
        let head = ChainHead {
            era: group.era,
            commit: group.commit,
            chain: group.chain,
        };
        let changed = Arc::clone(&self.changed);
        let answer = self
            .writer
            .run(move |connection| write::commit(connection, &group, &mut locked(&changed), &measures));
        Box::pin(async move {
            let result = answer
                .await
                .unwrap_or_else(|| Err(CommitError::Fatal("the database thread has ended".into())));
            if result.is_ok() {
                *locked(&self.newest) = Some(head);
                self.checkpointer.written(bytes);
                if seals {
                    self.eraser.sealed();
                }
            }
            result
        })
    }

    fn committed(&self, token: [u8; 16]) -> Answer<'_, Option<u64>> {
        self.read(move |connection| read::committed(connection, token))
    }

    fn chain(&self, commit: u64) -> Answer<'_, Option<Hash>> {
        self.read(move |connection| read::chain(connection, commit))
    }

    fn answer(&self, key: [u8; 32]) -> Answer<'_, Option<StoredAnswer>> {
        self.read(move |connection| read::answer(connection, key))
    }

    fn client_ids(&self, keys: Vec<[u8; 16]>, since: i64) -> Answer<'_, Vec<StoredClientId>> {
        self.read(move |connection| read::client_ids(connection, &keys, since))
    }

    fn remembered(&self, since: i64) -> Answer<'_, (Vec<([u8; 32], i64)>, Vec<([u8; 16], i64)>)> {
        self.read(move |connection| read::remembered(connection, since))
    }

    fn subtrees(&self, ledger: LedgerId, level: u8, begin: u64, end: u64) -> Answer<'_, Vec<Subtree>> {
        self.read(move |connection| read::subtrees(connection, ledger, level, begin, end))
    }

    fn tiles(&self, ledger: LedgerId, first: u64, end: u64) -> Answer<'_, Vec<StoredTile>> {
        self.read(move |connection| history::tiles(connection, ledger, first, end))
    }

    fn garbage(&self, now: i64) -> Answer<'_, Vec<Garbage>> {
        self.read(move |connection| history::garbage(connection, now))
    }

    fn lease(&self, job: String, holder: String, now: i64, until: i64) -> Answer<'_, bool> {
        let answer = self
            .writer
            .run(move |connection| history::lease(connection, &job, &holder, now, until));
        Box::pin(async move { flatten(answer.await) })
    }

    fn release(&self, holder: String) -> Answer<'_, ()> {
        let answer = self.writer.run(move |connection| history::release(connection, &holder));
        Box::pin(async move { flatten(answer.await) })
    }

    fn lake(&self, first: u64, count: u32) -> Answer<'_, Vec<LakeVersion>> {
        self.read(move |connection| history::lake(connection, first, count))
    }

    fn records(&self) -> Answer<'_, Vec<StoredRecord>> {
        self.read(records::all)
    }

    fn checkpoint(&self, ledger: LedgerId, size: u64) -> Answer<'_, Option<StoredCheckpoint>> {
        self.read(move |connection| read::checkpoint(connection, ledger, size))
    }

    fn checkpoints(&self, ledger: LedgerId) -> Answer<'_, Vec<StoredCheckpoint>> {
        self.read(move |connection| read::checkpoints(connection, ledger))
    }
}
