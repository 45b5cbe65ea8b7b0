//! An evidence file, checked offline: signature, events against leaf records, leaf records against the signed root.
//!
//! Invariants
//! - Every finding names the event or the file that is wrong; a single changed byte in an event's line names that event.
//! - Memory does not grow with the file: leaf records and events are read side by side as streams.
//!
//! Not here: a server that runs (server).
//! See docs/formats/evidence.md.

mod archive;
mod events;
mod leaves;
mod manifest;

use std::{
    fs::File,
    io::{self, Cursor, Read, Seek},
    path::Path,
};

use trailbook_merkle::{
    Checkpoint, CompactRange, Error, Frontier, Hash,
    note::{self, VerifierKey},
};

use crate::{Findings, Report, Summary};
use archive::{Archive, CHECKPOINT, EVENTS, LEAVES, MANIFEST, RANGE_PROOF, README, SCRIPT};
use events::Events;
use leaves::Leaves;
use manifest::{Manifest, RangeProofFile};

/// Checks the evidence file at `path` against the ledger's public key.
pub fn evidence_file(path: &Path, key: &VerifierKey) -> Report {
    evidence(|| File::open(path), key)
}

/// Checks evidence in memory.
pub fn evidence_bytes(bytes: &[u8], key: &VerifierKey) -> Report {
    evidence(|| Ok(Cursor::new(bytes)), key)
}

/// Checks evidence that `open` opens, several times, always the same bytes from their beginning.
pub fn evidence<R: Read + Seek>(open: impl Fn() -> io::Result<R>, key: &VerifierKey) -> Report {
    let mut findings = Findings::default();
    match check(open, key, &mut findings) {
        Err(why) if findings.is_empty() => Report::Unreadable(why),
        Ok(summary) if findings.is_empty() => Report::Verified(summary),
        _ => Report::Tampered(findings),
    }
}

/// Everything that is checked, in order. An error is a reason to stop reading; what was found until then counts.
fn check<R: Read + Seek>(
    open: impl Fn() -> io::Result<R>,
    key: &VerifierKey,
    findings: &mut Findings,
) -> Result<Summary, String> {
    let reopen = || open().map_err(archive::failed);
    let mut archive = Archive::open(reopen()?)?;
    archive.whole(README, findings)?;
    if archive.has_script() {
        archive.whole(SCRIPT, findings)?;
    }
    let manifest = archive.whole(MANIFEST, findings)?;
    let manifest = Manifest::parse(&manifest)?;
    let note = archive.whole(CHECKPOINT, findings)?;
    let checkpoint = open_checkpoint(&note, key, &manifest, findings);
    let proof = archive.whole(RANGE_PROOF, findings)?;
    let (left, right) = surroundings(&proof, &manifest, findings);

    let mut leaves_archive = Archive::open(reopen()?)?;
    let mut leaves_file = leaves_archive.stream(LEAVES)?;
    let mut leaves = Leaves::new(
        &mut leaves_file.reader,
        manifest.begin,
        manifest.end,
        manifest.epoch,
        left,
    );
    let mut events_file = archive.stream(EVENTS)?;
    let lookup = |id: &str| {
        let mut archive = Archive::open(reopen()?)?;
        leaves::find(&mut archive.stream(LEAVES)?.reader, id)
    };
    let tally = Events::new(&mut leaves, &manifest, &lookup).check(&mut events_file.reader, findings)?;
    let range = leaves.finish(findings)?;
    leaves_file.finish(LEAVES, findings)?;
    events_file.finish(EVENTS, findings)?;

    check_root(range, right, checkpoint.as_ref(), findings);
    let mut notes: Vec<String> = archive::check_seal(reopen()?, findings)?.into_iter().collect();
    if tally.redacted > 0 {
        notes.push(format!(
            "{} parts were redacted; their commitments hold.",
            tally.redacted
        ));
    }
    notes.extend(
        manifest
            .filter
            .iter()
            .map(|filter| format!("The exporter says that the filter was: {filter}")),
    );
    Ok(manifest.summary(tally.events, notes))
}

/// The signed checkpoint, when it is signed by the key and of the ledger that the manifest names.
fn open_checkpoint(note: &[u8], key: &VerifierKey, manifest: &Manifest, findings: &mut Findings) -> Option<Checkpoint> {
    let checkpoint = match verify_note(note, key) {
        Ok(checkpoint) => checkpoint,
        Err(detail) => {
            findings.item(CHECKPOINT, detail);
            return None;
        }
    };
    if checkpoint.origin() != manifest.origin {
        findings.item(
            MANIFEST,
            format!(
                "it says origin {}, the checkpoint {}",
                manifest.origin,
                checkpoint.origin()
            ),
        );
    }
    if checkpoint.size() != manifest.size {
        findings.item(
            MANIFEST,
            format!("it says size {}, the checkpoint {}", manifest.size, checkpoint.size()),
        );
    }
    if !manifest.is_of_its_origin() {
        let (project, organization, epoch) = (&manifest.project, &manifest.organization, manifest.epoch);
        let detail = format!(
            "it says project {project}, organization {organization} and epoch {epoch}, and its origin does not"
        );
        findings.item(MANIFEST, detail);
    }
    Some(checkpoint)
}

/// The checkpoint in a note signed by `key`, of the ledger that the key is for. The text says what does not hold.
pub(crate) fn verify_note(note: &[u8], key: &VerifierKey) -> Result<Checkpoint, String> {
    let text = note::open(note, std::slice::from_ref(key)).map_err(|error| match error {
        Error::Unsigned => format!("it is not signed by the key {}", key.name()),
        other => format!("{other}"),
    })?;
    let checkpoint = Checkpoint::parse(text).map_err(|error| error.to_string())?;
    if checkpoint.origin() == key.name() {
        Ok(checkpoint)
    } else {
        Err(format!(
            "it is of the ledger {}, and the key is for {}",
            checkpoint.origin(),
            key.name()
        ))
    }
}

/// The compact ranges before and after the events' range; without a readable proof, empty ones that lead nowhere.
fn surroundings(bytes: &[u8], manifest: &Manifest, findings: &mut Findings) -> (CompactRange, Option<CompactRange>) {
    let nowhere = CompactRange::empty_at(manifest.begin);
    let proof = match RangeProofFile::parse(bytes) {
        Ok(proof) => proof,
        Err(detail) => {
            findings.item(RANGE_PROOF, detail);
            return (nowhere, None);
        }
    };
    if (proof.begin, proof.end, proof.size) != (manifest.begin, manifest.end, manifest.size) {
        findings.item(
            RANGE_PROOF,
            format!(
                "it is of the range {} to {} of {}, and {MANIFEST} says {} to {} of {}",
                proof.begin, proof.end, proof.size, manifest.begin, manifest.end, manifest.size
            ),
        );
        return (nowhere, None);
    }
    let left = CompactRange::new(0, proof.begin, proof.left);
    let right = CompactRange::new(proof.end, proof.size, proof.right);
    match (left, right) {
        (Ok(left), Ok(right)) => (left, Some(right)),
        (Err(error), _) | (_, Err(error)) => {
            findings.item(RANGE_PROOF, error.to_string());
            (nowhere, None)
        }
    }
}

/// Completes the tree and compares its root with the signed one.
fn check_root(
    range: CompactRange,
    right: Option<CompactRange>,
    checkpoint: Option<&Checkpoint>,
    findings: &mut Findings,
) {
    let (Some(right), Some(checkpoint)) = (right, checkpoint) else {
        return;
    };
    match root(range, &right) {
        Ok(root) if root == checkpoint.root() => {}
        Ok(_) => findings.item(
            LEAVES,
            format!("its records and the hashes in {RANGE_PROOF} do not lead to the root that the checkpoint signs"),
        ),
        Err(error) => findings.item(LEAVES, error.to_string()),
    }
}

fn root(mut range: CompactRange, right: &CompactRange) -> Result<Hash, Error> {
    range.append_range(right)?;
    Ok(Frontier::try_from(range)?.root())
}
