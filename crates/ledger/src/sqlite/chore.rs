//! A thread for what is done beside the writer: each time it is called for, and after a while without that.

use std::{sync::mpsc, thread, time::Duration};

/// How long a chore waits to be called for.
const IDLE_MAX: Duration = Duration::from_secs(3_600);

/// A thread with one kind of work. Dropping it lets the work at hand finish.
pub(super) struct Chore {
    wake: Option<mpsc::SyncSender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Chore {
    pub(super) fn start(name: &str, mut work: impl FnMut() + Send + 'static) -> std::io::Result<Self> {
        let (wake, woken) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            while woken.recv_timeout(IDLE_MAX) != Err(mpsc::RecvTimeoutError::Disconnected) {
                work();
            }
        })?;
        Ok(Self {
            wake: Some(wake),
            thread: Some(thread),
        })
    }

    /// Calls for the work.
    pub(super) fn wake(&self) {
        if let Some(wake) = &self.wake {
            // Full means that the thread is about to look anyway.
            let _ = wake.try_send(());
        }
    }
}

impl Drop for Chore {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a thread beside the database's writer ended by a panic");
        }
    }
}
