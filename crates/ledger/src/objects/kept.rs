//! What the cache keeps of which objects, in the order of their use, and what is on its way.
//!
//! Invariants
//! - `bytes` is the sum of the pieces that are kept.
//! - Every piece that is kept has one place in the order of use.
//!
//! Not here: the pieces' files (`cache`).

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::Path,
    sync::Arc,
    time::SystemTime,
};

use super::{SCRATCH, fetch::Flight};

/// Bytes of a chunk; the last one of an object may be shorter.
pub(super) const CHUNK_BYTES: u64 = 256 << 10;
/// How the file of a whole object is called.
const WHOLE: &str = "whole";

/// An object as the manifest knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) name: Arc<str>,
    pub(crate) bytes: u64,
    pub(crate) sha256: [u8; 32],
}

/// What a piece is of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Piece {
    Whole,
    Chunk(u64),
}

impl Piece {
    /// The name of its file.
    pub(super) fn file(self) -> String {
        match self {
            Self::Whole => WHOLE.to_owned(),
            Self::Chunk(chunk) => chunk.to_string(),
        }
    }

    fn of(file: &str) -> Option<Self> {
        match file {
            WHOLE => Some(Self::Whole),
            _ => file.parse().ok().map(Self::Chunk),
        }
    }
}

/// A piece that is there.
#[derive(Debug)]
struct Kept {
    bytes: u64,
    /// Its place in the order of use.
    used: u64,
}

/// Where a chunk is.
pub(super) enum Place {
    Kept(Piece),
    Coming(Arc<Flight>),
}

/// What is kept, and what is on its way.
#[derive(Debug, Default)]
pub(super) struct State {
    kept: HashMap<Arc<str>, BTreeMap<Piece, Kept>>,
    by_use: BTreeMap<u64, (Arc<str>, Piece)>,
    pub(super) flights: HashMap<(Arc<str>, u64), Arc<Flight>>,
    uses: u64,
    pub(super) bytes: u64,
}

impl State {
    /// Where a chunk is; `None` when it has to be fetched.
    pub(super) fn place(&mut self, object: &Known, chunk: u64) -> Option<Place> {
        let length = (object.bytes - chunk * CHUNK_BYTES).min(CHUNK_BYTES);
        for (piece, bytes) in [(Piece::Whole, object.bytes), (Piece::Chunk(chunk), length)] {
            let kept = self
                .kept
                .get_mut(&object.name)
                .and_then(|pieces| pieces.get_mut(&piece));
            // One that an earlier process left may be cut.
            let Some(kept) = kept.filter(|kept| kept.bytes == bytes) else {
                continue;
            };
            self.uses += 1;
            let used = std::mem::replace(&mut kept.used, self.uses);
            if let Some(entry) = self.by_use.remove(&used) {
                self.by_use.insert(self.uses, entry);
            }
            return Some(Place::Kept(piece));
        }
        let flight = self.flights.get(&(Arc::clone(&object.name), chunk));
        flight.map(|flight| Place::Coming(Arc::clone(flight)))
    }

    pub(super) fn insert(&mut self, name: &Arc<str>, piece: Piece, bytes: u64) {
        self.remove(name, piece);
        self.uses += 1;
        self.bytes += bytes;
        self.by_use.insert(self.uses, (Arc::clone(name), piece));
        let kept = Kept { bytes, used: self.uses };
        self.kept.entry(Arc::clone(name)).or_default().insert(piece, kept);
    }

    pub(super) fn remove(&mut self, name: &Arc<str>, piece: Piece) {
        let Some(pieces) = self.kept.get_mut(name) else { return };
        if let Some(kept) = pieces.remove(&piece) {
            self.bytes -= kept.bytes;
            self.by_use.remove(&kept.used);
        }
        if pieces.is_empty() {
            self.kept.remove(name);
        }
    }

    pub(super) fn remove_object(&mut self, name: &str) -> Vec<(Arc<str>, Piece)> {
        let Some((name, pieces)) = self.kept.remove_entry(name) else {
            return Vec::new();
        };
        for kept in pieces.values() {
            self.bytes -= kept.bytes;
            self.by_use.remove(&kept.used);
        }
        pieces.into_keys().map(|piece| (Arc::clone(&name), piece)).collect()
    }

    /// Removes what was not used for longest.
    pub(super) fn shrink(&mut self, bytes_max: u64) -> Vec<(Arc<str>, Piece)> {
        let mut removed = Vec::new();
        while self.bytes > bytes_max {
            let Some((_, (name, piece))) = self.by_use.first_key_value() else {
                break;
            };
            let (name, piece) = (Arc::clone(name), *piece);
            self.remove(&name, piece);
            removed.push((name, piece));
        }
        removed
    }
}

/// How many chunks an object has.
pub(super) fn chunk_count(bytes: u64) -> u64 {
    bytes.div_ceil(CHUNK_BYTES)
}

/// A piece as a directory has it: when it was written, of which object, which, and its length.
pub(super) type Found = (SystemTime, Arc<str>, Piece, u64);

/// The pieces below a directory; what is none is deleted.
pub(super) fn find_pieces(directory: &Path, name: &str, found: &mut Vec<Found>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            let inner = if name.is_empty() {
                file.clone()
            } else {
                format!("{name}/{file}")
            };
            if inner != SCRATCH {
                find_pieces(&entry.path(), &inner, found)?;
            }
            continue;
        }
        match Piece::of(&file) {
            Some(piece) if !name.is_empty() => {
                found.push((metadata.modified()?, Arc::from(name), piece, metadata.len()));
            }
            _ if name.is_empty() => {}
            _ => fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}
