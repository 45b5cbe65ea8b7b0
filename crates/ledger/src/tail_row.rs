//! A commit's events as one piece of bytes. See docs/formats/ledger.md, "tail row".
//!
//! Invariant: `decode(encode(row)) == row`, and any changed byte is noticed by the checksum.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use trailbook_merkle::Hash;

use crate::{
    EventId,
    database::LedgerId,
    frame::{self, Body, Frame, Reader},
};

const MAGIC: [u8; 4] = *b"TBT1";
const CHECKSUM_BYTES: usize = 8;

/// The events of one commit that follow one another in one ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) ledger: LedgerId,
    pub(crate) epoch: u32,
    pub(crate) first_sequence: u64,
    pub(crate) received_at: i64,
}

/// What a tail row says of each event beside its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Numbering {
    pub(crate) first_id: Option<EventId>,
    pub(crate) runs: Vec<Run>,
    /// Per event: its run. Its sequence is the run's first plus the number of events of the run before it.
    pub(crate) run_of: Vec<u32>,
    pub(crate) leaf_hashes: Vec<Hash>,
}

/// Encodes a commit's events.
pub(crate) fn encode(numbering: &Numbering, frames: &[&Frame]) -> Vec<u8> {
    let stored: usize = frames
        .iter()
        .map(|f| f.compressed.as_ref().map_or(f.payload.len(), Vec::len) + 9)
        .sum();
    let mut out = Vec::with_capacity(64 + numbering.runs.len() * 28 + numbering.run_of.len() * 36 + stored);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(numbering.first_id.unwrap_or(EventId::from_bytes([0; 16])).bytes());
    out.extend_from_slice(&(numbering.runs.len() as u32).to_le_bytes());
    for run in &numbering.runs {
        out.extend_from_slice(&run.ledger.to_le_bytes());
        out.extend_from_slice(&run.epoch.to_le_bytes());
        out.extend_from_slice(&run.first_sequence.to_le_bytes());
        out.extend_from_slice(&run.received_at.to_le_bytes());
    }
    out.extend_from_slice(&(numbering.run_of.len() as u32).to_le_bytes());
    for run in &numbering.run_of {
        out.extend_from_slice(&run.to_le_bytes());
    }
    for hash in &numbering.leaf_hashes {
        out.extend_from_slice(hash.as_ref());
    }
    frame::write_frames(frames, &mut out);
    let checksum = Sha256::digest(&out);
    out.extend_from_slice(&checksum[..CHECKSUM_BYTES]);
    out
}

/// A tail row as read, damaged or not.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) numbering: Numbering,
    /// As many as there are numbers, or none when they cannot be read.
    pub(crate) bodies: Option<Vec<Body>>,
    /// Whether the checksum matches.
    pub(crate) intact: bool,
}

/// Decodes what can be read of a commit's events; an error when not even the numbering can.
pub(crate) fn decode(body: &Bytes) -> Result<Decoded, &'static str> {
    let length = body.len().checked_sub(CHECKSUM_BYTES).ok_or("it is too short")?;
    let intact = Sha256::digest(&body[..length])[..CHECKSUM_BYTES] == body[length..];
    let mut reader = Reader::new(body.slice(..length));
    if reader.array::<4>() != Some(MAGIC) {
        return Err("it is not of a known version");
    }
    let numbering = read_numbering(&mut reader).ok_or("its numbering is malformed")?;
    let bodies = frame::read_frames(reader).filter(|bodies| bodies.len() == numbering.run_of.len());
    Ok(Decoded {
        numbering,
        bodies,
        intact,
    })
}

/// Decodes a commit's events: the numbering and the bodies, equally many and intact.
pub(crate) fn decode_intact(body: &Bytes) -> Result<(Numbering, Vec<Body>), &'static str> {
    let decoded = decode(body)?;
    let bodies = decoded.bodies.ok_or("its bodies are malformed")?;
    if decoded.intact {
        Ok((decoded.numbering, bodies))
    } else {
        Err("its checksum does not match")
    }
}

impl Numbering {
    /// The place of every event: its run and its sequence.
    pub(crate) fn places(&self) -> impl Iterator<Item = (&Run, u64)> {
        let mut next: Vec<u64> = self.runs.iter().map(|run| run.first_sequence).collect();
        self.run_of.iter().map(move |run| {
            let sequence = next[*run as usize];
            next[*run as usize] += 1;
            (&self.runs[*run as usize], sequence)
        })
    }

    /// The Log ID of the event at `position`.
    pub(crate) fn id(&self, position: usize) -> EventId {
        self.first_id
            .map_or(EventId::from_bytes([0; 16]), |first| first.plus(position as u64))
    }
}

fn read_numbering(reader: &mut Reader) -> Option<Numbering> {
    let first_id = Some(EventId::from_bytes(reader.array()?));
    let runs = (0..reader.u32()?)
        .map(|_| {
            Some(Run {
                ledger: reader.u64()?,
                epoch: reader.u32()?,
                first_sequence: reader.u64()?,
                received_at: reader.i64()?,
            })
        })
        .collect::<Option<Vec<_>>>()?;
    let count = reader.u32()?;
    let run_of = (0..count)
        .map(|_| reader.u32().filter(|run| (*run as usize) < runs.len()))
        .collect::<Option<Vec<_>>>()?;
    let leaf_hashes = (0..count)
        .map(|_| reader.array().map(Hash))
        .collect::<Option<Vec<_>>>()?;
    Some(Numbering {
        first_id,
        runs,
        run_of,
        leaf_hashes,
    })
}
