//! The directory cache: what a node keeps of the objects of a remote store, in pieces, and of which what was used last stays.
//!
//! A piece is a file `<directory>/<object>/<piece>`: a chunk of an object, or all of it, as it is for small objects and for those
//! that this node made. Objects never change, so a piece is right for ever; it is dropped for room, when its length is wrong,
//! or when whoever reads it says that it is damaged.
//!
//! Invariants
//! - The pieces take at most `bytes_max` bytes, beside the one that is being added.
//! - A chunk is fetched once however many readers ask for it at a time; all of them get what came.
//! - Readers depend on what was fetched, not on what the directory still has: a cache that is too small is slow, not wrong.
//! - One process uses a directory at a time.
//!
//! Not here: how a chunk is fetched (`fetch`), which chunks a read needs (`file`), the order of use (`kept`).

use std::{
    fs::{self, File, TryLockError},
    io,
    ops::Range,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
};

use bytes::Bytes;
use object_store::ObjectStore;

use super::{
    fetch::{Fetcher, Flight},
    kept::{CHUNK_BYTES, Known, Piece, Place, State, chunk_count, find_pieces},
};
use crate::{Error, Measures};

/// Chunks that are fetched by one request.
const REQUEST_CHUNKS: u64 = 16;
/// Objects up to this length are fetched whole.
const WHOLE_BYTES: u64 = REQUEST_CHUNKS * CHUNK_BYTES;
/// The file that is locked while a process uses the directory.
const LOCK: &str = "lock";
/// How often a piece is looked for again that goes between being found and being read.
const LOOKS: usize = 3;

/// A directory with copies of a remote store's objects. Clones are the same cache.
#[derive(Debug, Clone)]
pub struct ObjectCache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    bytes_max: u64,
    state: Mutex<State>,
    fetcher: Fetcher,
    measures: Arc<Measures>,
    /// Locked as long as this lives.
    _lock: File,
}

impl ObjectCache {
    /// Opens the cache of `store` in a directory, which is made when it is not there; what an earlier process left is used again.
    ///
    /// # Errors
    /// [`Error::Storage`] when another process uses the directory, or it cannot be read or written.
    pub fn open(
        store: Arc<dyn ObjectStore>,
        directory: &Path,
        bytes_max: u64,
        measures: Arc<Measures>,
    ) -> Result<Self, Error> {
        let failed =
            |error: io::Error| Error::storage("open the cache", format!("{error} directory={}", directory.display()));
        fs::create_dir_all(directory).map_err(failed)?;
        let lock = File::create(directory.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
            Err(TryLockError::WouldBlock) => {
                return Err(failed(io::Error::other(
                    "another process uses it: give this one another data directory",
                )));
            }
        }
        let mut found = Vec::new();
        find_pieces(directory, "", &mut found).map_err(failed)?;
        found.sort_by_key(|(modified, ..)| *modified);
        let mut state = State::default();
        for (_, name, piece, bytes) in found {
            state.insert(&name, piece, bytes);
        }
        let cache = Self(Arc::new(Inner {
            directory: directory.to_owned(),
            bytes_max,
            state: Mutex::new(state),
            fetcher: Fetcher::new(store, Arc::clone(&measures)).map_err(failed)?,
            measures,
            _lock: lock,
        }));
        cache.make_room();
        Ok(cache)
    }

    /// Where files are written that may become objects: on the same file system.
    pub(super) fn directory(&self) -> &Path {
        &self.0.directory
    }

    /// Waits for something of the store, whatever thread this is.
    pub(super) fn wait_for<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        self.0.fetcher.wait_for(work)
    }

    /// Takes a file that became an object. When it cannot be kept, it is fetched when it is needed.
    pub(super) fn adopt(&self, name: &str, file: &Path, bytes: u64) {
        let name = Arc::from(name);
        let path = self.0.path(&name, Piece::Whole);
        let moved = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::rename(file, &path));
        if self.0.is_kept(&name, moved) {
            self.0.state().insert(&name, Piece::Whole, bytes);
            self.make_room();
        }
    }

    /// Forgets an object.
    pub(super) fn forget(&self, name: &str) {
        let pieces = self.0.state().remove_object(name);
        self.0.delete(pieces);
    }

    /// Fetches what is not there of some chunks, without waiting.
    pub(super) fn want(&self, object: &Known, chunks: impl Iterator<Item = u64>) {
        let mut state = self.0.state();
        let missing: Vec<u64> = chunks.filter(|chunk| state.place(object, *chunk).is_none()).collect();
        if missing.is_empty() {
            return;
        }
        // Small objects come whole, whatever is missing of them.
        let missing = match object.bytes <= WHOLE_BYTES {
            true => (0..chunk_count(object.bytes)).collect(),
            false => missing,
        };
        for chunks in adjacent(&missing) {
            let flight = Arc::new(Flight::new(chunks.start * CHUNK_BYTES));
            for chunk in chunks.clone() {
                let place = (Arc::clone(&object.name), chunk);
                state.flights.insert(place, Arc::clone(&flight));
            }
            self.take_off(object.clone(), chunks, flight);
        }
    }

    /// Copies bytes of a chunk, from `offset` in it on, fetching it when it is not there.
    pub(super) fn copy(&self, object: &Known, chunk: u64, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        for _ in 0..LOOKS {
            self.want(object, std::iter::once(chunk));
            let place = self.0.state().place(object, chunk);
            match place {
                Some(Place::Kept(piece)) => {
                    let at = offset + if piece == Piece::Whole { chunk * CHUNK_BYTES } else { 0 };
                    let read =
                        File::open(self.0.path(&object.name, piece)).and_then(|file| file.read_exact_at(out, at));
                    if read.is_ok() {
                        self.0.measures.cache_hits.fetch_add(1, Ordering::Relaxed);
                        return Ok(());
                    }
                    self.drop_piece(&object.name, piece);
                }
                Some(Place::Coming(flight)) => {
                    self.0.measures.cache_misses.fetch_add(1, Ordering::Relaxed);
                    let bytes = flight.landed()?;
                    let begin = (chunk * CHUNK_BYTES - flight.offset + offset) as usize;
                    out.copy_from_slice(&bytes[begin..begin + out.len()]);
                    return Ok(());
                }
                None => {}
            }
        }
        let what = format!("it goes from the cache as soon as it is there object={}", object.name);
        Err(Error::storage("read an object", what))
    }

    /// Drops what is kept of some chunks, which somebody found damaged; whether there was any.
    pub(super) fn drop_chunks(&self, object: &Known, chunks: impl Iterator<Item = u64>) -> bool {
        let mut dropped = false;
        for chunk in chunks {
            let place = self.0.state().place(object, chunk);
            if let Some(Place::Kept(piece)) = place {
                self.drop_piece(&object.name, piece);
                dropped = true;
            }
        }
        dropped
    }

    fn drop_piece(&self, name: &Arc<str>, piece: Piece) {
        self.0.state().remove(name, piece);
        self.0.delete(vec![(Arc::clone(name), piece)]);
    }

    /// Fetches chunks, keeps them, and tells whoever waits.
    fn take_off(&self, object: Known, chunks: Range<u64>, flight: Arc<Flight>) {
        let cache = self.clone();
        let end = (chunks.end * CHUNK_BYTES).min(object.bytes);
        let range = chunks.start * CHUNK_BYTES..end;
        let fetching = self.0.fetcher.fetch(object.clone(), range);
        self.0.fetcher.spawn(async move {
            // Whatever happens, nobody waits for ever.
            let _over = Over {
                cache: &cache,
                object: &object,
                chunks: chunks.clone(),
                flight: &flight,
            };
            let (fetched, is_right) = match fetching.await {
                Ok(fetched) => fetched,
                Err(error) => return flight.land(Err(error)),
            };
            if is_right {
                let (cache, object, bytes, chunks) = (cache.clone(), object.clone(), fetched.clone(), chunks.clone());
                let kept = tokio::task::spawn_blocking(move || cache.keep(&object, chunks, &bytes)).await;
                if let Err(error) = kept {
                    tracing::warn!(%error, "what was fetched could not be kept");
                }
            }
            flight.land(Ok(fetched));
        });
    }

    /// Writes what was fetched into the directory. When that fails it is fetched again when it is needed again.
    fn keep(&self, object: &Known, chunks: Range<u64>, bytes: &Bytes) {
        let pieces: Vec<(Piece, Bytes)> = if bytes.len() as u64 == object.bytes {
            vec![(Piece::Whole, bytes.clone())]
        } else {
            let piece = |chunk: u64| {
                let begin = ((chunk - chunks.start) * CHUNK_BYTES) as usize;
                let end = (begin + CHUNK_BYTES as usize).min(bytes.len());
                (Piece::Chunk(chunk), bytes.slice(begin..end))
            };
            chunks.clone().map(piece).collect()
        };
        for (piece, bytes) in pieces {
            let written = self.0.write(&object.name, piece, &bytes);
            if !self.0.is_kept(&object.name, written) {
                return;
            }
            self.0.state().insert(&object.name, piece, bytes.len() as u64);
        }
        self.make_room();
    }

    /// Drops what was not used for longest until what is left fits.
    fn make_room(&self) {
        let dropped = {
            let mut state = self.0.state();
            let dropped = state.shrink(self.0.bytes_max);
            self.0.measures.cache_bytes.store(state.bytes, Ordering::Relaxed);
            dropped
        };
        self.0.delete(dropped);
    }
}

/// A flight that ends; who asks from now on finds what was kept, or begins another.
struct Over<'f> {
    cache: &'f ObjectCache,
    object: &'f Known,
    chunks: Range<u64>,
    flight: &'f Flight,
}

impl Drop for Over<'_> {
    fn drop(&mut self) {
        let mut state = self.cache.0.state();
        for chunk in self.chunks.clone() {
            state.flights.remove(&(Arc::clone(&self.object.name), chunk));
        }
        drop(state);
        self.flight.land(Err(Error::storage(
            "fetch an object",
            format!("it was given up object={}", self.object.name),
        )));
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, name: &Arc<str>, piece: Piece) -> PathBuf {
        self.directory.join(&**name).join(piece.file())
    }

    /// Writes a piece beside its place first, so that what is found there is whole.
    fn write(&self, name: &Arc<str>, piece: Piece, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(name, piece);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let beside = path.with_extension("new");
        fs::write(&beside, bytes)?;
        fs::rename(&beside, &path)
    }

    fn is_kept(&self, name: &str, done: io::Result<()>) -> bool {
        if let Err(error) = &done {
            tracing::warn!(%error, object = name, directory = %self.directory.display(), "the cache cannot keep an object");
        }
        done.is_ok()
    }

    /// Deletes the files of pieces, and directories that are empty then.
    fn delete(&self, pieces: Vec<(Arc<str>, Piece)>) {
        for (name, piece) in pieces {
            let path = self.path(&name, piece);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, path = %path.display(), "a file of the cache could not be deleted");
                }
                _ => {}
            }
            // It fails while there are others.
            let _ = path.parent().map(fs::remove_dir);
        }
    }
}

/// Ascending chunks as ranges that one request each can fetch.
fn adjacent(chunks: &[u64]) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for chunk in chunks {
        match ranges.last_mut() {
            Some(last) if last.end == *chunk && last.end - last.start < REQUEST_CHUNKS => last.end += 1,
            _ => ranges.push(*chunk..chunk + 1),
        }
    }
    ranges
}
