//! The two files of a segment as bytes: written once and hashed on the way, read at given places.

use std::{
    fs::File,
    io::{self, ErrorKind, Write},
    ops::Range,
};

use sha2::{Digest, Sha256};

use crate::{Error, objects::ObjectFile};

/// A new file that hashes what is written to it.
pub(super) struct HashedFile {
    file: File,
    hasher: Sha256,
    length: u64,
}

impl HashedFile {
    pub(super) fn new(file: File) -> Self {
        Self {
            file,
            hasher: Sha256::new(),
            length: 0,
        }
    }

    /// Syncs the file; answers its length and SHA-256.
    pub(super) fn finish(self) -> io::Result<(u64, [u8; 32])> {
        self.file.sync_all()?;
        Ok((self.length, self.hasher.finalize().into()))
    }
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A file of a segment that is read at any place.
#[derive(Debug)]
pub(crate) struct Source {
    file: ObjectFile,
    /// What helps when it is damaged.
    remedy: &'static str,
}

impl Source {
    /// The Parquet file of a segment, as it was opened.
    pub(crate) fn data(opened: io::Result<ObjectFile>, name: &str) -> Result<Self, Error> {
        Self::new(opened, name, "restore it from a backup and run `trailbook fsck`")
    }

    /// The bundle of a segment, as it was opened.
    pub(crate) fn bundle(opened: io::Result<ObjectFile>, name: &str) -> Result<Self, Error> {
        Self::new(opened, name, "make it anew with `trailbook reindex`")
    }

    fn new(opened: io::Result<ObjectFile>, name: &str, remedy: &'static str) -> Result<Self, Error> {
        let file = opened.map_err(|error| {
            let missing = error.kind() == ErrorKind::NotFound;
            let remedy = if missing { format!("; {remedy}") } else { String::new() };
            Error::storage("open segment", format!("{error} file={name}{remedy}"))
        })?;
        Ok(Self { file, remedy })
    }

    pub(super) fn length(&self) -> u64 {
        self.file.length()
    }

    /// The bytes at a place; damage when the file does not have them.
    pub(super) fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
        let end = offset.checked_add(length as u64);
        if end.is_none_or(|end| end > self.length()) {
            return Err(self.corrupt(format_args!("it ends early: offset={offset} length={length}")));
        }
        let read = self.file.read(offset, length)?;
        read.ok_or_else(|| self.corrupt(format_args!("it was cut: offset={offset}")))
    }

    /// What `understand` makes of the bytes at a place; `None` when it makes nothing of them. When they are a copy that may be damaged,
    /// they are fetched once more before that is said.
    pub(super) fn understood<T>(
        &self,
        offset: u64,
        length: usize,
        understand: impl Fn(Vec<u8>) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let understood = understand(self.read(offset, length)?);
        if understood.is_some() || !self.file.drop_copies(offset..offset + length as u64) {
            return Ok(understood);
        }
        tracing::warn!(
            file = self.file.name(),
            offset,
            "a copy is damaged and is fetched again"
        );
        Ok(understand(self.read(offset, length)?))
    }

    /// Lets places be fetched that are about to be read, all at a time.
    pub(super) fn prefetch(&self, places: impl FnOnce() -> Vec<Range<u64>>) {
        self.file.prefetch(places);
    }

    /// Damage found in this file.
    pub(super) fn corrupt(&self, what: impl std::fmt::Display) -> Error {
        Error::corrupt(format!("{what} file={}; {}", self.file.name(), self.remedy))
    }
}
