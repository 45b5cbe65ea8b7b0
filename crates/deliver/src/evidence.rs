//! The evidence file: events with what proves them, checkable without this server. A zip archive, written as a stream: nothing
//! is compressed, and one entry follows the other.
//!
//! Invariants
//! - Leaf records are there for every sequence of the range; events for all of them, or, in a filtered export, for those that match.
//! - Only what the leaf records commit to is written of an event; nothing in `events.jsonl` has to be taken on trust.
//!
//! Not here: checking (`trailbook-verify`), proofs (`trailbook-merkle`), which events.
//! See docs/formats/evidence.md, which is normative.

mod archive;

use std::{io::Write, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use trailbook_event::{Part, Timestamp};
use trailbook_ledger::{PartSecret, Row, SignedCheckpoint};
use trailbook_merkle::{Hash, LeafRecord, RangeProof};

use crate::{
    Error,
    json::{write_number, write_time},
};
use archive::Archive;

/// The media type of the file.
pub const CONTENT_TYPE: &str = "application/zip";

const README: &str = include_str!("evidence/README.txt");
/// The script that checks evidence without this program. It is published where auditors find it without an archive.
const VERIFIER: &str = include_str!("../../../docs/verify.py");
/// Bytes of lines that are gathered before they are written.
const CHUNK_BYTES: usize = 64 * 1024;

/// What the evidence is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The project of the ledger.
    pub project: &'a str,
    /// The organization of the ledger.
    pub organization: &'a str,
    /// The ledger's name in its checkpoints.
    pub origin: &'a str,
    /// The first sequence of the range.
    pub begin: u64,
    /// The sequence after the last of the range; at most the checkpoint's size.
    pub end: u64,
    /// Which events of the range are included, as a query; `None` when all are.
    pub filter: Option<&'a str>,
    /// Program and version.
    pub generated_by: &'a str,
    /// When the export was made.
    pub generated_at: Timestamp,
}

/// `evidence.json`
#[derive(Serialize)]
struct Manifest<'a> {
    format: &'static str,
    version: u32,
    origin: &'a str,
    project: &'a str,
    organization: &'a str,
    epoch: u32,
    begin: u64,
    end: u64,
    size: u64,
    events: u64,
    filtered: bool,
    filter: Option<&'a str>,
    generated_by: &'a str,
    generated_at: String,
}

/// `range-proof.json`
#[derive(Serialize)]
struct RangeProofFile {
    begin: u64,
    end: u64,
    size: u64,
    left: Vec<String>,
    right: Vec<String>,
}

/// Writes evidence for the sequences `about.begin..about.end`: the leaf records of all of them, in order, and the events, in order.
///
/// # Errors
/// [`Error::Range`] when leaves or events are not those of the range; [`Error::Ledger`] and [`Error::Output`] as they come. After
/// an error the output is not evidence and must be dropped.
pub fn write<W: Write>(
    about: &About<'_>,
    checkpoint: &SignedCheckpoint,
    proof: &RangeProof,
    leaves: impl IntoIterator<Item = Result<LeafRecord, trailbook_ledger::Error>>,
    events: impl IntoIterator<Item = Result<Arc<Row>, trailbook_ledger::Error>>,
    out: W,
) -> Result<W, Error> {
    if about.begin > about.end || about.end > checkpoint.size {
        return Err(Error::Range(format!("end={} size={}", about.end, checkpoint.size)));
    }
    let mut archive = Archive::new(out);
    archive.entry("README.txt", README.as_bytes())?;
    archive.entry("verify.py", VERIFIER.as_bytes())?;
    archive.entry("checkpoint", checkpoint.note.as_bytes())?;
    archive.entry("range-proof.json", &range_proof(about, checkpoint, proof)?)?;
    archive.start("leaves.bin")?;
    write_leaves(about, leaves, &mut archive)?;
    archive.start("events.jsonl")?;
    let count = write_events(about, events, &mut archive)?;
    archive.entry("evidence.json", &manifest(about, checkpoint, count)?)?;
    archive.finish()
}

fn range_proof(about: &About<'_>, checkpoint: &SignedCheckpoint, proof: &RangeProof) -> Result<Vec<u8>, Error> {
    let hashes = |hashes: &[Hash]| hashes.iter().map(|hash| hash.to_base64()).collect();
    json(&RangeProofFile {
        begin: about.begin,
        end: about.end,
        size: checkpoint.size,
        left: hashes(&proof.left),
        right: hashes(&proof.right),
    })
}

fn manifest(about: &About<'_>, checkpoint: &SignedCheckpoint, events: u64) -> Result<Vec<u8>, Error> {
    json(&Manifest {
        format: "trailbook-evidence",
        version: 1,
        origin: about.origin,
        project: about.project,
        organization: about.organization,
        epoch: checkpoint.epoch,
        begin: about.begin,
        end: about.end,
        size: checkpoint.size,
        events,
        filtered: about.filter.is_some(),
        filter: about.filter,
        generated_by: about.generated_by,
        generated_at: about.generated_at.to_string(),
    })
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| Error::Output(error.into()))?;
    text.push(b'\n');
    Ok(text)
}

fn write_leaves<W: Write>(
    about: &About<'_>,
    leaves: impl IntoIterator<Item = Result<LeafRecord, trailbook_ledger::Error>>,
    archive: &mut Archive<W>,
) -> Result<(), Error> {
    let mut expected = about.begin;
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    for leaf in leaves {
        let leaf = leaf?;
        if leaf.sequence != expected || expected >= about.end {
            return Err(Error::Range(format!("leaf={} expected={expected}", leaf.sequence)));
        }
        expected += 1;
        chunk.extend_from_slice(&leaf.encode());
        flush_if_full(&mut chunk, archive)?;
    }
    if expected != about.end {
        return Err(Error::Range(format!(
            "leaves end at {expected}, the range at {}",
            about.end
        )));
    }
    Ok(archive.write_all(&chunk)?)
}

/// Writes the events' lines and says how many there were.
fn write_events<W: Write>(
    about: &About<'_>,
    events: impl IntoIterator<Item = Result<Arc<Row>, trailbook_ledger::Error>>,
    archive: &mut Archive<W>,
) -> Result<u64, Error> {
    let (mut count, mut earliest) = (0, about.begin);
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    for row in events {
        let row = row?;
        if row.sequence < earliest || row.sequence >= about.end {
            return Err(Error::Range(format!(
                "event={} expected at least {earliest}",
                row.sequence
            )));
        }
        earliest = row.sequence + 1;
        count += 1;
        write_line(&row, &mut chunk);
        flush_if_full(&mut chunk, archive)?;
    }
    if about.filter.is_none() && count != about.end - about.begin {
        return Err(Error::Range(format!("events={count} of {}", about.end - about.begin)));
    }
    archive.write_all(&chunk)?;
    Ok(count)
}

fn flush_if_full<W: Write>(chunk: &mut Vec<u8>, archive: &mut Archive<W>) -> Result<(), Error> {
    if chunk.len() >= CHUNK_BYTES {
        archive.write_all(chunk)?;
        chunk.clear();
    }
    Ok(())
}

/// Appends the line of one event, with everything that its leaf record commits to.
fn write_line(row: &Row, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"sequence\":");
    write_number(row.sequence, out);
    out.extend_from_slice(b",\"id\":\"");
    row.id.write(out);
    out.extend_from_slice(b"\",\"epoch\":");
    write_number(row.epoch.into(), out);
    out.extend_from_slice(b",\"received_at\":");
    write_time(row.received_at, out);
    out.extend_from_slice(b",\"parts\":");
    for part in Part::ALL {
        out.extend_from_slice(if part == Part::Core {
            b"[{\"name\":\""
        } else {
            b",{\"name\":\""
        });
        out.extend_from_slice(part.name().as_bytes());
        let (name, secret) = match row.secret(part) {
            PartSecret::Salt(salt) => {
                out.extend_from_slice(b"\",\"bytes\":\"");
                write_base64(row.parts.part(part), out);
                (&b"\",\"salt\":\""[..], salt)
            }
            PartSecret::Commitment(kept) => (&b"\",\"commitment\":\""[..], kept.0),
        };
        out.extend_from_slice(name);
        write_base64(&secret, out);
        out.extend_from_slice(b"\"}");
    }
    out.extend_from_slice(b"]}\n");
}

fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    STANDARD
        .encode_slice(bytes, &mut out[start..])
        .expect("four characters for three bytes are enough");
}
