//! A thread that owns one connection and runs what it is handed, in order.

use std::{
    sync::{Weak, mpsc},
    thread,
};

use futures::future::BoxFuture;
use rusqlite::Connection;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A connection on its own thread. Dropping it lets the jobs at hand finish and closes the connection.
pub(super) struct Worker {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start(name: &str, mut connection: Connection) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            while let Ok(job) = queue.recv() {
                job(&mut connection);
            }
        })?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Runs `work` on the thread. Answers `None` when the thread has ended, which it does only by a panic.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> BoxFuture<'static, Option<T>> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        self.start_job(move |connection| {
            // Nobody waits any more when the caller has gone away; the work is done all the same.
            let _ = answer.send(work(connection));
        });
        Box::pin(async move { answered.await.ok() })
    }

    /// Runs `work` on the thread of a worker that may be gone, and waits for it. To be called on another thread.
    pub(super) fn wait_for<T: Send + 'static>(
        worker: &Weak<Self>,
        work: impl FnOnce(&mut Connection) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = mpsc::channel();
        worker.upgrade()?.start_job(move |connection| {
            let _ = answer.send(work(connection));
        });
        answered.recv().ok()
    }

    /// Runs `work` on the thread without waiting for it.
    pub(super) fn start_job(&self, work: impl FnOnce(&mut Connection) + Send + 'static) {
        if let Some(jobs) = &self.jobs {
            // A closed queue shows in `run` as an answer that never comes.
            let _ = jobs.send(Box::new(work));
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a database thread ended by a panic");
        }
    }
}
