//! The parts that an export's file consists of, written one after the other.

use std::io;

use bytes::Bytes;
use tokio::sync::mpsc;

/// Bytes of a part, about.
const PART_BYTES: usize = 8 << 20;

/// A part, and where the file stands after it.
pub(super) struct Part {
    pub(super) bytes: Bytes,
    /// Events in the parts up to this one.
    pub(super) rows: u64,
    /// The last event in them, where the file can go on after it.
    pub(super) last: Option<(i64, u64)>,
}

/// Gathers what is written, and hands it over part by part; waits while a part waits.
pub(super) struct PartWriter {
    gathered: Vec<u8>,
    pub(super) rows: u64,
    parts: mpsc::Sender<Part>,
}

impl PartWriter {
    pub(super) fn new(parts: mpsc::Sender<Part>, rows: u64) -> Self {
        Self {
            gathered: Vec::new(),
            rows,
            parts,
        }
    }

    /// Adds bytes that end with an event, after which the file can go on.
    pub(super) fn add(&mut self, bytes: &[u8], rows: u64, last: (i64, u64)) -> io::Result<()> {
        self.gathered.extend_from_slice(bytes);
        self.rows += rows;
        match self.gathered.len() >= PART_BYTES {
            true => self.hand_over(Some(last)),
            false => Ok(()),
        }
    }

    /// Hands over what is left.
    pub(super) fn finish(mut self, last: Option<(i64, u64)>) -> io::Result<()> {
        match self.gathered.is_empty() {
            true => Ok(()),
            false => self.hand_over(last),
        }
    }

    fn hand_over(&mut self, last: Option<(i64, u64)>) -> io::Result<()> {
        let part = Part {
            bytes: std::mem::take(&mut self.gathered).into(),
            rows: self.rows,
            last,
        };
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.parts.blocking_send(part).map_err(gone)
    }
}

impl io::Write for PartWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= PART_BYTES {
            self.hand_over(None)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
