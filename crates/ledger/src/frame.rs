//! The bodies of events as bytes: frames of a tail row. See docs/formats/ledger.md, "frame".
//!
//! Invariants
//! - A frame holds one or more chunks; a chunk holds the bodies of one submission, in its order.
//! - Reading is total: damaged bytes give `None`, never a panic, and never more memory than they announce within bounds.

use std::cell::RefCell;

use bytes::Bytes;
use trailbook_event::{Parts, Timestamp};
use zstd::bulk::Compressor;

/// Frames whose raw bytes are fewer stay uncompressed until the writer packs them together.
const COMPRESS_FROM_BYTES: usize = 8 * 1024;
/// Fast enough for the ingest path; history is compressed harder when it is sealed.
const COMPRESSION_LEVEL: i32 = 1;
/// No frame is larger when decompressed: a body of 16 MiB, many small submissions packed, with room to spare.
const FRAME_BYTES_MAX: usize = 256 << 20;
/// nonce 16, occurred_at 8, country 2, five lengths.
const HEADER_BYTES: usize = 16 + 8 + 2 + 5 * 4;

/// The body of one stored event: what is neither its place in the ledger nor derived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) nonce: [u8; 16],
    pub(crate) occurred_at: Timestamp,
    pub(crate) country: Option<[u8; 2]>,
    pub(crate) parts: Parts<Bytes>,
}

/// Encoded bodies.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// Chunks, raw.
    pub(crate) payload: Bytes,
    /// The same, compressed, when it was worth it.
    pub(crate) compressed: Option<Vec<u8>>,
}

impl Frame {
    /// A frame of some bodies of another one.
    pub(crate) fn of<'b>(bodies: impl Iterator<Item = &'b Body>) -> Self {
        let mut builder = Builder::with_capacity(0);
        for body in bodies {
            builder.push(&body.nonce, body.occurred_at, body.country, &body.parts);
        }
        builder.finish().0
    }
}

/// Collects the bodies of one submission.
pub(crate) struct Builder {
    headers: Vec<u8>,
    bytes: Vec<u8>,
    count: u32,
}

impl Builder {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            headers: Vec::new(),
            bytes: Vec::with_capacity(bytes),
            count: 0,
        }
    }

    pub(crate) fn push(
        &mut self,
        nonce: &[u8; 16],
        occurred_at: Timestamp,
        country: Option<[u8; 2]>,
        parts: &Parts<impl AsRef<[u8]>>,
    ) {
        self.headers.extend_from_slice(nonce);
        self.headers.extend_from_slice(&occurred_at.millis().to_le_bytes());
        self.headers.extend_from_slice(&country.unwrap_or_default());
        for end in parts.ends() {
            self.headers.extend_from_slice(&end.to_le_bytes());
        }
        self.bytes.extend_from_slice(parts.bytes().as_ref());
        self.count += 1;
    }

    /// The frame, and its bodies in memory of their own: the frame is let go once it is stored.
    pub(crate) fn finish(self) -> (Frame, Vec<Body>) {
        let mut payload = Vec::with_capacity(8 + self.headers.len() + self.bytes.len());
        payload.extend_from_slice(&self.count.to_le_bytes());
        payload.extend_from_slice(&(self.bytes.len() as u32).to_le_bytes());
        payload.extend_from_slice(&self.headers);
        payload.extend_from_slice(&self.bytes);
        let bodies = read_bodies(Bytes::from(self.headers), Bytes::from(self.bytes), self.count as usize);
        let bodies = bodies.unwrap_or_default();
        debug_assert_eq!(bodies.len(), self.count as usize, "a frame reads back what was put in");
        let compressed = (payload.len() >= COMPRESS_FROM_BYTES).then(|| compress(&payload));
        (
            Frame {
                payload: Bytes::from(payload),
                compressed,
            },
            bodies,
        )
    }
}

/// Writes the frames of one commit, small ones packed together: `kind u8, raw length u32, stored length u32, bytes` each.
pub(crate) fn write_frames(frames: &[&Frame], out: &mut Vec<u8>) {
    let mut position = 0;
    while let Some(frame) = frames.get(position) {
        if let Some(compressed) = &frame.compressed {
            write_frame(frame.payload.len(), compressed, true, out);
            position += 1;
            continue;
        }
        let run = frames[position..]
            .iter()
            .take_while(|frame| frame.compressed.is_none())
            .count();
        let packed: Vec<u8> = frames[position..position + run]
            .iter()
            .flat_map(|frame| &frame.payload[..])
            .copied()
            .collect();
        position += run;
        if packed.len() >= COMPRESS_FROM_BYTES {
            write_frame(packed.len(), &compress(&packed), true, out);
        } else {
            write_frame(packed.len(), &packed, false, out);
        }
    }
}

fn write_frame(raw: usize, stored: &[u8], compressed: bool, out: &mut Vec<u8>) {
    out.push(u8::from(compressed));
    out.extend_from_slice(&(raw as u32).to_le_bytes());
    out.extend_from_slice(&(stored.len() as u32).to_le_bytes());
    out.extend_from_slice(stored);
}

/// Reads all frames up to the end of `reader`.
pub(crate) fn read_frames(mut reader: Reader) -> Option<Vec<Body>> {
    let mut bodies = Vec::new();
    while !reader.is_empty() {
        let kind = reader.array::<1>()?[0];
        let (raw, stored) = (reader.u32()? as usize, reader.u32()? as usize);
        let stored = reader.bytes(stored)?;
        let payload = match kind {
            0 if stored.len() == raw => stored,
            1 if raw <= FRAME_BYTES_MAX => Bytes::from(zstd::bulk::decompress(&stored, raw).ok()?),
            _ => return None,
        };
        if payload.len() != raw {
            return None;
        }
        bodies.extend(read_chunks(payload)?);
    }
    Some(bodies)
}

thread_local! {
    /// Setting up a compressor touches half a megabyte of fresh memory: more than compressing a batch.
    static COMPRESSOR: RefCell<Compressor<'static>> =
        RefCell::new(Compressor::new(COMPRESSION_LEVEL).expect("a compressor of a fixed level"));
}

fn compress(bytes: &[u8]) -> Vec<u8> {
    // Compression into memory fails only when memory is short; then storing fails as well.
    COMPRESSOR
        .with_borrow_mut(|compressor| compressor.compress(bytes))
        .expect("compressing into memory")
}

fn read_chunks(payload: Bytes) -> Option<Vec<Body>> {
    let mut reader = Reader::new(payload);
    let mut bodies = Vec::new();
    while !reader.is_empty() {
        let count = reader.u32()? as usize;
        let length = reader.u32()? as usize;
        let headers = reader.bytes(count.checked_mul(HEADER_BYTES)?)?;
        bodies.append(&mut read_bodies(headers, reader.bytes(length)?, count)?);
    }
    Some(bodies)
}

/// The bodies of a chunk from its headers and their bytes, which they share.
fn read_bodies(headers: Bytes, bytes: Bytes, count: usize) -> Option<Vec<Body>> {
    let (mut headers, mut bytes) = (Reader::new(headers), Reader::new(bytes));
    let bodies = (0..count)
        .map(|_| {
            let nonce = headers.array()?;
            let occurred_at = Timestamp::from_millis(i64::from_le_bytes(headers.array()?));
            let country = headers.array::<2>()?;
            let mut ends = [0; 5];
            for end in &mut ends {
                *end = headers.u32()?;
            }
            Some(Body {
                nonce,
                occurred_at,
                country: (country != [0, 0]).then_some(country),
                parts: Parts::new(bytes.bytes(ends[4] as usize)?, ends)?,
            })
        })
        .collect::<Option<Vec<_>>>()?;
    bytes.is_empty().then_some(bodies)
}

/// Reads little-endian fields off the front of a buffer; every method answers `None` past its end.
pub(crate) struct Reader(Bytes);

impl Reader {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Option<Bytes> {
        (length <= self.0.len()).then(|| self.0.split_to(length))
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let array = self.0.first_chunk::<N>().copied()?;
        bytes::Buf::advance(&mut self.0, N);
        Some(array)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }
}
