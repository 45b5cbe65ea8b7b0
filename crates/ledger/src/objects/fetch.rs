//! Fetching from a remote store: on threads of its own, a few at a time, in a bounded number of tries.
//!
//! Invariants
//! - Whoever waits does so without the threads that fetch: neither a reader on a runtime's worker nor a full pool of blocking threads
//!   keeps what it waits for from arriving.
//! - A fetch ends within [`TRIES`] times [`TRY_TIMEOUT`] and the pauses between, once its turn has come.

use std::{
    fmt, io,
    ops::Range,
    sync::{Arc, Condvar, Mutex, PoisonError, atomic::Ordering, mpsc},
    time::Duration,
};

use bytes::Bytes;
use object_store::{GetOptions, GetRange, ObjectStore, path::Path as Name};
use sha2::{Digest, Sha256};
use tokio::{
    runtime::{Handle, Runtime, RuntimeFlavor},
    sync::Semaphore,
    time::{sleep, timeout},
};

use super::kept::Known;
use crate::{Error, Measures};

/// How often a fetch is tried.
const TRIES: u32 = 4;
/// What one try may take, with the store's own repetitions.
const TRY_TIMEOUT: Duration = Duration::from_secs(30);
/// The pause after the first try; it doubles.
const PAUSE: Duration = Duration::from_millis(100);
/// Requests that are under way at a time.
const REQUESTS: usize = 16;
/// Threads that fetch.
const THREADS: usize = 2;

/// What was fetched, and whether it is what the manifest says as far as that is known.
pub(super) type Fetched = (Bytes, bool);

/// Bytes on their way, and those who wait for them.
#[derive(Debug)]
pub(super) struct Flight {
    /// Where they begin in the object.
    pub(super) offset: u64,
    landed: Mutex<Option<Result<Bytes, Error>>>,
    arrived: Condvar,
}

impl Flight {
    pub(super) fn new(offset: u64) -> Self {
        Self {
            offset,
            landed: Mutex::new(None),
            arrived: Condvar::new(),
        }
    }

    /// Tells whoever waits; what was told first stays.
    pub(super) fn land(&self, outcome: Result<Bytes, Error>) {
        let mut landed = self.landed.lock().unwrap_or_else(PoisonError::into_inner);
        landed.get_or_insert(outcome);
        self.arrived.notify_all();
    }

    /// Waits for the bytes.
    pub(super) fn landed(&self) -> Result<Bytes, Error> {
        blocking(|| {
            let mut landed = self.landed.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                match &*landed {
                    Some(outcome) => return outcome.clone(),
                    None => landed = self.arrived.wait(landed).unwrap_or_else(PoisonError::into_inner),
                }
            }
        })
    }
}

/// Waits, and lets a runtime with several threads go on meanwhile when this is one of them.
fn blocking<T>(wait: impl FnOnce() -> T) -> T {
    match Handle::try_current() {
        Ok(handle) if handle.runtime_flavor() == RuntimeFlavor::MultiThread => tokio::task::block_in_place(wait),
        _ => wait(),
    }
}

/// Fetches parts of objects.
pub(super) struct Fetcher {
    store: Arc<dyn ObjectStore>,
    threads: Threads,
    requests: Arc<Semaphore>,
    measures: Arc<Measures>,
}

/// A runtime that may be dropped anywhere.
struct Threads(Option<Runtime>);

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Fetcher").field(&self.store).finish()
    }
}

impl Fetcher {
    pub(super) fn new(store: Arc<dyn ObjectStore>, measures: Arc<Measures>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("objects")
            .enable_all()
            .build()?;
        Ok(Self {
            store,
            threads: Threads(Some(runtime)),
            requests: Arc::new(Semaphore::new(REQUESTS)),
            measures,
        })
    }

    /// Sets work going.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.threads.0 {
            drop(runtime.spawn(work));
        }
    }

    /// Waits for work, whatever thread this is.
    pub(super) fn wait_for<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        let (done, outcome) = mpsc::channel();
        self.spawn(async move {
            let _ = done.send(work.await);
        });
        blocking(|| outcome.recv()).map_err(|error| Error::storage("use the object store", error))
    }

    /// The bytes of a part of an object.
    pub(super) fn fetch(
        &self,
        object: Known,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Fetched, Error>> + Send + 'static {
        let (store, requests, measures) = (
            Arc::clone(&self.store),
            Arc::clone(&self.requests),
            Arc::clone(&self.measures),
        );
        async move {
            let _turn = requests.acquire().await.map_err(|error| failed(&object, error))?;
            let mut pause = PAUSE;
            let mut tries = 1;
            loop {
                let tried = timeout(TRY_TIMEOUT, tried(&*store, &object, &range)).await;
                let outcome = tried.unwrap_or_else(|_| Err(failed(&object, "no answer in time")));
                let is_last = tries == TRIES;
                match outcome {
                    Ok(fetched) if fetched.1 || is_last => return Ok(fetched),
                    Err(error) if is_last => {
                        measures.cache_failures.fetch_add(1, Ordering::Relaxed);
                        return Err(error);
                    }
                    outcome => {
                        measures.cache_failures.fetch_add(1, Ordering::Relaxed);
                        let error = outcome.err().map(|error| error.to_string());
                        tracing::warn!(
                            object = &*object.name,
                            tries,
                            error,
                            "an object has to be fetched again"
                        );
                    }
                }
                sleep(pause).await;
                pause *= 2;
                tries += 1;
            }
        }
    }
}

/// One try. All of an object is held against its SHA-256; what is not right may still be read, as everything in it has checksums
/// that say where the damage is.
async fn tried(store: &dyn ObjectStore, object: &Known, range: &Range<u64>) -> Result<Fetched, Error> {
    let options = GetOptions {
        range: Some(GetRange::Bounded(range.clone())),
        ..GetOptions::default()
    };
    let found = store.get_opts(&Name::from(&*object.name), options).await;
    let found = found.map_err(|error| failed(object, error))?;
    if found.meta.size != object.bytes {
        let what = format!(
            "it is {} bytes long, the manifest says {} object={}; restore it from a backup",
            found.meta.size, object.bytes, object.name
        );
        return Err(Error::corrupt(what));
    }
    let bytes = found.bytes().await.map_err(|error| failed(object, error))?;
    if bytes.len() as u64 != range.end - range.start {
        return Err(failed(object, "the answer is too short"));
    }
    let is_whole = bytes.len() as u64 == object.bytes;
    let is_right = !is_whole || <[u8; 32]>::from(Sha256::digest(&bytes)) == object.sha256;
    Ok((bytes, is_right))
}

fn failed(object: &Known, error: impl fmt::Display) -> Error {
    Error::storage("fetch an object", format!("{error} object={}", object.name))
}
