//! A running server, checked from outside: its checkpoint, all its leaf records and tiles, and the events it shows.
//!
//! Invariants
//! - The root is computed here, from the entries; tiles and proofs are then held against it.
//! - An event that is shown must be, member for member, what its parts say, and its parts what its leaf record commits to.
//!
//! Not here: evidence files (evidence), HTTP itself (client).

mod client;
mod shown;
mod tree;

use serde::Deserialize;
use trailbook_merkle::{Checkpoint, Hash, LeafRecord, note::VerifierKey, verify_consistency, verify_inclusion};
use ureq::tls::TlsConfig;

use crate::{
    Findings, Report, Summary,
    event::{Checker, SentPart, id_text},
    evidence::verify_note,
};
use client::Client;

/// Which server, and as whom.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The server's address, such as `http://127.0.0.1:8080`.
    pub url: &'a str,
    /// The project, when the credential does not imply it.
    pub project: Option<&'a str>,
    /// The organization whose ledger is checked.
    pub organization: &'a str,
    /// The credential: an API key or the root key.
    pub api_key: Option<&'a str>,
    /// How the server proves over https which one it is.
    pub tls: &'a TlsConfig,
}

/// How many events are checked in full. Leaf records and tiles are always all checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Events {
    /// Every one.
    All,
    /// At most so many, spread evenly.
    Sample(u64),
}

impl Events {
    /// Whether the event with this sequence is to be checked, of `size`.
    fn take(self, sequence: u64, size: u64) -> bool {
        match self {
            Events::All => true,
            Events::Sample(0) => false,
            Events::Sample(count) => sequence.is_multiple_of(size.div_ceil(count).max(1)),
        }
    }
}

/// Checks a running server against the ledger's public key, and that its ledger continues the one in `remembered`, a checkpoint
/// of an earlier check. When all holds, the second value is the checkpoint to remember.
pub fn server(
    target: &Target<'_>,
    key: &VerifierKey,
    events: Events,
    remembered: Option<&[u8]>,
) -> (Report, Option<Vec<u8>>) {
    let mut findings = Findings::default();
    match check(target, key, events, remembered, &mut findings) {
        Err(why) if findings.is_empty() => (Report::Unreadable(why), None),
        Ok((summary, note)) if findings.is_empty() => (Report::Verified(summary), Some(note)),
        _ => (Report::Tampered(findings), None),
    }
}

fn check(
    target: &Target<'_>,
    key: &VerifierKey,
    events: Events,
    remembered: Option<&[u8]>,
    findings: &mut Findings,
) -> Result<(Summary, Vec<u8>), String> {
    let client = Client::new(target);
    let note = client
        .get("checkpoint")?
        .ok_or("The server has no such organization, or no checkpoint of it.")?;
    let checkpoint = match verify_note(&note, key) {
        Ok(checkpoint) => checkpoint,
        Err(detail) => {
            findings.item("checkpoint", detail.clone());
            return Err(detail);
        }
    };
    let mut notes = Vec::new();
    if let Some(remembered) = remembered {
        let before = verify_note(remembered, key)
            .map_err(|detail| format!("The remembered checkpoint cannot be used: {detail}."))?;
        check_consistency(&client, &before, &checkpoint, findings)?;
        notes.push(format!(
            "It continues the ledger of {} events that was remembered.",
            before.size()
        ));
    }
    let mut audit = Audit {
        client: &client,
        checkpoint: &checkpoint,
        organization: target.organization,
        checked: 0,
    };
    let mut checker = Checker::default();
    tree::check(&client, &checkpoint, findings, &mut |record, findings| {
        if events.take(record.sequence, checkpoint.size()) {
            audit.event(record, &mut checker, findings)?;
        }
        Ok(())
    })?;
    let summary = Summary {
        origin: checkpoint.origin().to_owned(),
        organization: target.organization.to_owned(),
        size: checkpoint.size(),
        begin: 0,
        end: checkpoint.size(),
        events: audit.checked,
        filtered: false,
        complete: audit.checked == checkpoint.size(),
        notes,
    };
    Ok((summary, note))
}

/// `/consistency`
#[derive(Deserialize)]
struct Consistency {
    hashes: Vec<String>,
}

fn check_consistency(
    client: &Client,
    before: &Checkpoint,
    now: &Checkpoint,
    findings: &mut Findings,
) -> Result<(), String> {
    const ITEM: &str = "consistency";
    if before.origin() != now.origin() {
        findings.item(
            ITEM,
            format!(
                "the remembered checkpoint is of {}, the server's of {}",
                before.origin(),
                now.origin()
            ),
        );
        return Ok(());
    }
    if before.size() > now.size() {
        findings.item(
            ITEM,
            format!("the ledger had {} events, and now has {}", before.size(), now.size()),
        );
        return Ok(());
    }
    let mut proof = Vec::new();
    if before.size() > 0 && before.size() < now.size() {
        let path = format!("consistency?from={}&to={}", before.size(), now.size());
        let Some(body) = client.get(&path)? else {
            findings.item(
                ITEM,
                "the server gives no proof that the ledger continues the remembered one",
            );
            return Ok(());
        };
        let sent: Consistency = client::json(&body, &path)?;
        proof = hashes(sent.hashes.iter().map(String::as_str));
    }
    if verify_consistency(before.size(), before.root(), now.size(), now.root(), &proof).is_err() {
        findings.item(
            ITEM,
            format!("the first {} events are not those that were remembered", before.size()),
        );
    }
    Ok(())
}

/// Hashes from base64; one that cannot be read ends the list, and so the proof fails.
fn hashes<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Hash> {
    texts.map_while(|text| Hash::from_base64(text).ok()).collect()
}

/// `/events/{id}/proof`
#[derive(Deserialize)]
struct Proof<'a> {
    index: u64,
    #[serde(borrow)]
    leaf: &'a str,
    hashes: Vec<&'a str>,
    parts: Vec<SentPart<'a>>,
}

/// The check of single events.
struct Audit<'a> {
    client: &'a Client,
    checkpoint: &'a Checkpoint,
    organization: &'a str,
    checked: u64,
}

impl Audit<'_> {
    /// Asks for an event and its proof, and holds both against its leaf record.
    fn event(&mut self, record: &LeafRecord, checker: &mut Checker, findings: &mut Findings) -> Result<(), String> {
        let id = id_text(&record.id);
        let proof_path = format!("events/{id}/proof?size={}", self.checkpoint.size());
        let (shown, proof) = (self.client.get(&format!("events/{id}"))?, self.client.get(&proof_path)?);
        let mut fault = |detail: String| findings.event(record.sequence, Some(id.clone()), detail);
        let (Some(shown), Some(proof)) = (shown, proof) else {
            fault("the server does not show it, or gives no proof of it".to_owned());
            return Ok(());
        };
        let proof: Proof<'_> = client::json(&proof, &proof_path)?;
        if proof.leaf != client::base64(&record.encode()) {
            fault("the leaf in its proof differs from its leaf record".to_owned());
        }
        let path = hashes(proof.hashes.iter().copied());
        let (size, root) = (self.checkpoint.size(), self.checkpoint.root());
        let included = verify_inclusion(record.leaf_hash(), record.sequence, size, &path, root).is_ok();
        if proof.index != record.sequence || path.len() != proof.hashes.len() || !included {
            fault("its proof does not lead to the checkpoint's root".to_owned());
        }
        let mut proved = shown::Members::default();
        let checked = checker.check(&proof.parts, record, self.organization, &mut |part, value| {
            proved.add_part(part, value)
        });
        checked.faults.into_iter().for_each(&mut fault);
        shown::compare(&shown, record, &proved).into_iter().for_each(fault);
        self.checked += 1;
        Ok(())
    }
}
