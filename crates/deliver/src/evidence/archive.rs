//! The zip archive of evidence: stored entries with data descriptors, sealed by a checksum over every byte in its comment, so
//! that damage outside of the entries' contents is noticed too.
//!
//! Invariant: the comment is `trailbook-evidence/1 crc32=` and the CRC-32 of all bytes before it, eight lower-case digits.

use std::io::{self, Write};

use zip::{
    CompressionMethod, System, ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

use crate::Error;

/// An archive in writing. What is written to it belongs to the entry started last.
pub(super) struct Archive<W: Write> {
    zip: ZipWriter<StreamWriter<Sealed<W>>>,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(out: W) -> Self {
        let sealed = Sealed {
            out,
            held: Vec::new(),
            checksum: crc32fast::Hasher::new(),
        };
        Self {
            zip: ZipWriter::new_stream(sealed),
        }
    }

    /// Begins an entry of any size.
    pub(super) fn start(&mut self, name: &str) -> Result<(), Error> {
        let stored = SimpleFileOptions::DEFAULT
            .compression_method(CompressionMethod::Stored)
            .system(System::Unix)
            .unix_permissions(0o644)
            .large_file(true);
        Ok(self.zip.start_file(name, stored)?)
    }

    /// Writes a whole entry.
    pub(super) fn entry(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.start(name)?;
        Ok(self.zip.write_all(bytes)?)
    }

    /// Writes the directory and the comment.
    pub(super) fn finish(self) -> Result<W, Error> {
        Ok(self.zip.finish()?.into_inner().seal()?)
    }
}

impl<W: Write> Write for Archive<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.zip.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.zip.flush()
    }
}

/// The length of the archive's comment: the last two bytes of a zip file without one.
const COMMENT_LENGTH_BYTES: usize = 2;

/// An output that holds the last two bytes back, and in the end replaces them by the comment's length and the comment.
struct Sealed<W: Write> {
    out: W,
    held: Vec<u8>,
    checksum: crc32fast::Hasher,
}

impl<W: Write> Sealed<W> {
    fn pass(&mut self, count: usize) -> io::Result<()> {
        self.checksum.update(&self.held[..count]);
        self.out.write_all(&self.held[..count])?;
        self.held.drain(..count);
        Ok(())
    }

    fn seal(mut self) -> io::Result<W> {
        let prefix = "trailbook-evidence/1 crc32=";
        if self.held != [0; COMMENT_LENGTH_BYTES] {
            return Err(io::Error::other(
                "archive does not end in the length of an empty comment",
            ));
        }
        self.held = ((prefix.len() + 8) as u16).to_le_bytes().to_vec();
        self.pass(COMMENT_LENGTH_BYTES)?;
        write!(self.out, "{prefix}{:08x}", self.checksum.finalize())?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        self.pass(self.held.len().saturating_sub(COMMENT_LENGTH_BYTES))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
