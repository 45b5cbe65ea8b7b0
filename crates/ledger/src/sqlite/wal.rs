//! Moving the write-ahead log into the database file, off the writer's path, and bounding its size.
//!
//! The bulk is moved by passive checkpoints beside the writer. Under steady load those never catch the last frames, so
//! once the log is long the writer itself moves the small rest between two commits and starts the log again.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Instant,
};

use rusqlite::Connection;

use super::worker::Worker;
use crate::measures::Measures;

/// Bytes written after which the log is moved.
const MOVE_EVERY_BYTES: u64 = 48 << 20;
/// Length of the log, in bytes, from which the writer starts it again.
const RESTART_FROM_BYTES: i64 = 192 << 20;
/// Length to which the log's file is cut when it starts again.
pub(super) const WAL_BYTES_KEPT: i64 = 256 << 20;

/// The thread that moves the log.
pub(super) struct Checkpointer {
    wake: Option<mpsc::SyncSender<()>>,
    thread: Option<thread::JoinHandle<()>>,
    unmoved: AtomicU64,
}

impl Checkpointer {
    pub(super) fn start(
        connection: Connection,
        writer: &Arc<Worker>,
        measures: Arc<Measures>,
    ) -> std::io::Result<Self> {
        let writer = Arc::downgrade(writer);
        let (wake, woken) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("database-checkpoint".to_owned())
            .spawn(move || {
                while woken.recv().is_ok() {
                    move_log(&connection, &writer, &measures);
                }
            })?;
        Ok(Self {
            wake: Some(wake),
            thread: Some(thread),
            unmoved: AtomicU64::new(0),
        })
    }

    /// Says that the log grew by about `bytes`.
    pub(super) fn written(&self, bytes: usize) {
        let unmoved = self.unmoved.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        if unmoved >= MOVE_EVERY_BYTES {
            self.unmoved.store(0, Ordering::Relaxed);
            if let Some(wake) = &self.wake {
                // Full means that the thread is about to look anyway.
                let _ = wake.try_send(());
            }
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpoint thread ended by a panic");
        }
    }
}

fn move_log(connection: &Connection, writer: &Weak<Worker>, measures: &Arc<Measures>) {
    let started = Instant::now();
    match checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)") {
        Ok(bytes) => {
            measures.wal_checkpoints.observe(started.elapsed());
            if bytes >= RESTART_FROM_BYTES
                && let Some(writer) = writer.upgrade()
            {
                let measures = Arc::clone(measures);
                writer.start_job(move |connection| {
                    let started = Instant::now();
                    if let Err(error) = checkpoint(connection, "PRAGMA wal_checkpoint(RESTART)") {
                        tracing::warn!(%error, "the write-ahead log could not be started again");
                    }
                    measures.wal_restarts.observe(started.elapsed());
                });
            }
        }
        Err(error) => tracing::warn!(%error, "the write-ahead log could not be moved"),
    }
}

/// Runs a checkpoint and answers the log's length in bytes.
fn checkpoint(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    let frames: i64 = connection.query_row(pragma, [], |row| row.get(1))?;
    let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    Ok(frames * (page + 24))
}
