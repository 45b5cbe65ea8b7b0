//! An object as a file that is read at any place: a local store's own file, or pieces of the cache that come when they are needed.

use std::{
    fs::File,
    io,
    ops::Range,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Mutex, PoisonError},
};

use super::{
    cache::ObjectCache,
    kept::{CHUNK_BYTES, Known, chunk_count},
};
use crate::Error;

/// Most chunks that are fetched before anybody asks for them.
const AHEAD_CHUNKS: u64 = 16;

/// The bytes of an object.
#[derive(Debug)]
pub(crate) struct ObjectFile {
    name: String,
    length: u64,
    bytes: Stored,
}

#[derive(Debug)]
enum Stored {
    File(File),
    Cached {
        cache: ObjectCache,
        object: Known,
        ahead: Mutex<Ahead>,
    },
}

/// How far a reader who goes forward is served in advance.
#[derive(Debug, Default)]
struct Ahead {
    /// The chunk after those that were read last.
    next: u64,
    /// Chunks in advance; doubles with each step forward.
    chunks: u64,
    /// The chunk up to which they were asked for.
    until: u64,
}

impl ObjectFile {
    /// A file.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self {
            name: path.display().to_string(),
            length: file.metadata()?.len(),
            bytes: Stored::File(file),
        })
    }

    /// An object of a remote store.
    pub(super) fn cached(cache: ObjectCache, object: Known) -> Self {
        Self {
            name: object.name.to_string(),
            length: object.bytes,
            bytes: Stored::Cached {
                cache,
                object,
                ahead: Mutex::default(),
            },
        }
    }

    /// What to call it in errors.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The bytes at a place, which lies within the object; may wait for the store. `None` when the file was cut meanwhile.
    pub(crate) fn read(&self, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Error> {
        let mut bytes = vec![0; length];
        match &self.bytes {
            Stored::File(file) => match file.read_exact_at(&mut bytes, offset) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                read => read.map_err(|error| Error::storage("read segment", format!("{error} file={}", self.name)))?,
            },
            Stored::Cached { cache, object, ahead } => {
                let chunks = chunks_of(offset..offset + length as u64);
                let until = ahead.lock().unwrap_or_else(PoisonError::into_inner).until(&chunks);
                let end = until.min(chunk_count(object.bytes));
                cache.want(object, chunks.start..end);
                let mut rest = &mut bytes[..];
                let mut at = offset;
                for chunk in chunks {
                    let left = ((chunk + 1) * CHUNK_BYTES - at).min(rest.len() as u64);
                    let (here, later) = rest.split_at_mut(left as usize);
                    cache.copy(object, chunk, at - chunk * CHUNK_BYTES, here)?;
                    (rest, at) = (later, at + left);
                }
            }
        }
        Ok(Some(bytes))
    }

    /// Lets places be fetched that are about to be read, all at a time.
    pub(crate) fn prefetch(&self, places: impl FnOnce() -> Vec<Range<u64>>) {
        let Stored::Cached { cache, object, .. } = &self.bytes else {
            return;
        };
        let mut chunks: Vec<u64> = places().into_iter().flat_map(chunks_of).collect();
        chunks.sort_unstable();
        chunks.dedup();
        cache.want(object, chunks.into_iter());
    }

    /// Drops copies of a place that turned out to be damaged; whether there were any, so that reading again may help.
    pub(crate) fn drop_copies(&self, place: Range<u64>) -> bool {
        match &self.bytes {
            Stored::File(_) => false,
            Stored::Cached { cache, object, .. } => cache.drop_chunks(object, chunks_of(place)),
        }
    }
}

impl Ahead {
    /// Up to which chunk to fetch when these are read. It moves on by half of what is fetched in advance, so that requests stay large.
    fn until(&mut self, chunks: &Range<u64>) -> u64 {
        if chunks.end != self.next {
            let is_forward = chunks.start == self.next;
            self.chunks = if is_forward {
                (self.chunks * 2).clamp(1, AHEAD_CHUNKS)
            } else {
                0
            };
            self.next = chunks.end;
        }
        if chunks.end + self.chunks / 2 >= self.until || chunks.end + self.chunks < self.until {
            self.until = chunks.end + self.chunks;
        }
        self.until
    }
}

fn chunks_of(place: Range<u64>) -> Range<u64> {
    place.start / CHUNK_BYTES..chunk_count(place.end)
}
