//! Moving the write-ahead log into the database file, off the writer's path, and bounding its size.
//!
//! The bulk is moved by passive checkpoints beside the writer. Under steady load those never catch the last frames, so
//! once the log is long the writer itself moves the small rest between two commits and starts the log again.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::Connection;

use super::{chore::Chore, worker::Worker};
use crate::measures::Measures;

/// Bytes written after which the log is moved.
const MOVE_EVERY_BYTES: u64 = 48 << 20;
/// Length of the log, in bytes, from which the writer starts it again.
const RESTART_FROM_BYTES: i64 = 192 << 20;
/// Length to which the log's file is cut when it starts again.
pub(super) const WAL_BYTES_KEPT: i64 = 256 << 20;

/// After how long the log's file is cut to nothing: it keeps bytes that were erased from the database.
const CUT_EVERY: Duration = Duration::from_secs(12 * 3_600);

/// The thread that moves the log.
pub(super) struct Checkpointer {
    chore: Chore,
    unmoved: AtomicU64,
    cut_now: Arc<AtomicBool>,
}

impl Checkpointer {
    pub(super) fn start(
        connection: Connection,
        writer: &Arc<Worker>,
        measures: Arc<Measures>,
    ) -> std::io::Result<Self> {
        let cut_now = Arc::<AtomicBool>::default();
        let mut mover = Mover {
            connection,
            writer: Arc::downgrade(writer),
            measures,
            cut_every: CUT_EVERY,
            cut_at: Instant::now(),
            cut_now: Arc::clone(&cut_now),
        };
        let work = move || {
            if let Err(error) = mover.move_log() {
                tracing::warn!(%error, "the write-ahead log could not be moved");
            }
        };
        Ok(Self {
            chore: Chore::start("database-checkpoint", work)?,
            unmoved: AtomicU64::new(0),
            cut_now,
        })
    }

    /// Asks for the log to be moved and its file to be cut to nothing: it will not be long again soon.
    pub(super) fn cut(&self) {
        self.cut_now.store(true, Ordering::Relaxed);
        self.chore.wake();
    }

    /// Says that the log grew by about `bytes`.
    pub(super) fn written(&self, bytes: usize) {
        let unmoved = self.unmoved.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        if unmoved >= MOVE_EVERY_BYTES {
            self.unmoved.store(0, Ordering::Relaxed);
            self.chore.wake();
        }
    }
}

struct Mover {
    connection: Connection,
    writer: Weak<Worker>,
    measures: Arc<Measures>,
    cut_every: Duration,
    cut_at: Instant,
    cut_now: Arc<AtomicBool>,
}

impl Mover {
    fn move_log(&mut self) -> rusqlite::Result<()> {
        let started = Instant::now();
        let moved = checkpoint(&self.connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
        self.measures.wal_checkpoints.observe(started.elapsed());
        if self.cut_now.load(Ordering::Relaxed) || self.cut_at.elapsed() >= self.cut_every {
            // Until it succeeds.
            self.cut_now.store(true, Ordering::Relaxed);
            if self.start_again("PRAGMA wal_checkpoint(TRUNCATE)")? {
                self.cut_now.store(false, Ordering::Relaxed);
                self.cut_at = Instant::now();
            }
        } else if moved.log_bytes >= RESTART_FROM_BYTES {
            self.start_again("PRAGMA wal_checkpoint(RESTART)")?;
        }
        Ok(())
    }

    /// Has the writer move the rest and start the log again; `false` when a reader was in the way for too long, or the writer has ended.
    fn start_again(&self, pragma: &'static str) -> rusqlite::Result<bool> {
        let measures = Arc::clone(&self.measures);
        let answer = Worker::wait_for(&self.writer, move |connection| {
            let started = Instant::now();
            let moved = checkpoint(connection, pragma);
            measures.wal_restarts.observe(started.elapsed());
            moved
        });
        answer.map_or(Ok(false), |moved| moved.map(|moved| moved.is_complete))
    }
}

/// What a checkpoint did.
struct Moved {
    is_complete: bool,
    /// The log's length.
    log_bytes: i64,
}

fn checkpoint(connection: &Connection, pragma: &str) -> rusqlite::Result<Moved> {
    let (busy, frames): (bool, i64) = connection.query_row(pragma, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    Ok(Moved {
        is_complete: !busy,
        log_bytes: frames * (page + 24),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods)]
    use super::{super::connect, *};

    #[tokio::test]
    async fn the_log_is_cut_to_nothing_when_asked_and_when_it_is_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file.db");
        let log_bytes = || std::fs::metadata(directory.path().join("file.db-wal")).unwrap().len();
        let connection = connect(&path).unwrap();
        connection
            .execute_batch("CREATE TABLE kept (bytes); INSERT INTO kept VALUES (zeroblob(100000))")
            .unwrap();
        let writer = Arc::new(Worker::start("writer", connection).unwrap());
        let mut mover = Mover {
            connection: connect(&path).unwrap(),
            writer: Arc::downgrade(&writer),
            measures: Arc::default(),
            cut_every: CUT_EVERY,
            cut_at: Instant::now(),
            cut_now: Arc::default(),
        };
        mover.move_log().unwrap();
        assert!(log_bytes() > 100_000, "moved, but not cut");
        mover.cut_now.store(true, Ordering::Relaxed);
        mover.move_log().unwrap();
        assert_eq!(log_bytes(), 0);
        let write = |connection: &mut Connection| connection.execute("INSERT INTO kept VALUES (zeroblob(100000))", []);
        writer.run(write).await.unwrap().unwrap();
        mover.move_log().unwrap();
        assert!(log_bytes() > 100_000, "it is cut once");
        mover.cut_every = Duration::ZERO;
        mover.move_log().unwrap();
        assert_eq!(log_bytes(), 0);
    }
}
