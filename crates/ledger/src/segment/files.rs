//! The two files of a segment as bytes: written once and hashed on the way, read at given places.

use std::{
    fs::File,
    io::{self, ErrorKind, Write},
    os::unix::fs::FileExt,
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::Error;

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

/// A file that is read at any place.
#[derive(Debug)]
pub(super) struct Source {
    file: File,
    name: String,
    length: u64,
    /// What helps when it is damaged.
    remedy: &'static str,
}

impl Source {
    pub(super) fn open(path: &Path, remedy: &'static str) -> Result<Self, Error> {
        let name = path.display().to_string();
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (length, file) = opened.map_err(|error| {
            let missing = error.kind() == ErrorKind::NotFound;
            let remedy = if missing { format!("; {remedy}") } else { String::new() };
            Error::storage("open segment", format!("{error} file={name}{remedy}"))
        })?;
        Ok(Self {
            file,
            name,
            length,
            remedy,
        })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The bytes at a place; damage when the file does not have them.
    pub(super) fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
        let end = offset.checked_add(length as u64);
        if end.is_none_or(|end| end > self.length) {
            return Err(self.corrupt(format_args!("it ends early: offset={offset} length={length}")));
        }
        let mut bytes = vec![0; length];
        match self.file.read_exact_at(&mut bytes, offset) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                Err(self.corrupt(format_args!("it was cut: offset={offset}")))
            }
            Err(error) => Err(Error::storage("read segment", format!("{error} file={}", self.name))),
        }
    }

    /// Damage found in this file.
    pub(super) fn corrupt(&self, what: impl std::fmt::Display) -> Error {
        Error::corrupt(format!("{what} file={}; {}", self.name, self.remedy))
    }
}
