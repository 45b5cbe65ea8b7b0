//! The events' lines, each paired with the leaf record of its place.
//!
//! A line and a leaf are a pair when they agree on the sequence or on the Log ID. So a line with one wrong byte, wherever it
//! is, is still held against the right leaf, and the finding names the right event.

use std::{
    borrow::Cow,
    io::{BufRead, Read},
};

use serde::Deserialize;
use trailbook_event::Timestamp;

use super::{
    archive::{EVENTS, failed},
    leaves::{Leaf, Leaves},
    manifest::Manifest,
};
use crate::{
    Findings,
    event::{Checker, SentPart, id_text},
};

/// The longest line that is read: an event of the largest size that can be configured sensibly, in base64.
const LINE_BYTES_MAX: u64 = 64 << 20;
/// How often the leaf records are searched for a Log ID.
const LOOKUPS_MAX: u32 = 8;

/// One line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    sequence: u64,
    id: &'a str,
    epoch: u32,
    received_at: &'a str,
    #[serde(borrow)]
    parts: Vec<SentPart<'a>>,
}

/// Which event a line says it is, as far as that can be read.
#[derive(Debug, Clone)]
struct Claim<'a> {
    sequence: Option<u64>,
    id: Option<Cow<'a, str>>,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    /// Events that were held against their leaf records.
    pub(super) events: u64,
    /// Parts of which only the commitment is there.
    pub(super) redacted: u64,
}

/// Finds the sequence of a Log ID among the range's leaf records, however slowly.
pub(super) type Lookup<'w> = &'w dyn Fn(&str) -> Result<Option<u64>, String>;

/// The walk along lines and leaves.
pub(super) struct Events<'w, R> {
    leaves: &'w mut Leaves<R>,
    manifest: &'w Manifest,
    lookup: Lookup<'w>,
    lookups: u32,
    leaf: Option<Leaf>,
    checker: Checker,
    tally: Tally,
}

impl<'w, R: Read> Events<'w, R> {
    pub(super) fn new(leaves: &'w mut Leaves<R>, manifest: &'w Manifest, lookup: Lookup<'w>) -> Self {
        Self {
            leaves,
            manifest,
            lookup,
            lookups: 0,
            leaf: None,
            checker: Checker::default(),
            tally: Tally::default(),
        }
    }

    /// Checks all lines. In an unfiltered export each leaf must have its line.
    pub(super) fn check(mut self, lines: &mut impl BufRead, findings: &mut Findings) -> Result<Tally, String> {
        self.leaf = self.leaves.next(findings)?;
        let (mut line, mut number) = (Vec::new(), 0_u64);
        loop {
            line.clear();
            if lines
                .by_ref()
                .take(LINE_BYTES_MAX)
                .read_until(b'\n', &mut line)
                .map_err(failed)?
                == 0
            {
                break;
            }
            number += 1;
            self.line(&line, number, findings)?;
        }
        while self.leaf.is_some() {
            self.skip(findings)?;
        }
        if self.tally.events != self.manifest.events {
            let detail = format!(
                "it has {} events, and evidence.json says {}",
                self.tally.events, self.manifest.events
            );
            findings.item(EVENTS, detail);
        }
        Ok(self.tally)
    }

    fn line(&mut self, line: &[u8], number: u64, findings: &mut Findings) -> Result<(), String> {
        let parsed = parse(line);
        let claim = parsed.as_ref().map_or_else(|_| guess(line), Claim::of);
        self.find_leaf(&claim, findings)?;
        let pair = self.leaf.take_if(|leaf| claim.is_of(leaf));
        match (pair, parsed) {
            (Some(leaf), parsed) => {
                self.tally.events += 1;
                self.pair(&leaf, parsed, findings);
                self.leaf = self.leaves.next(findings)?;
            }
            (None, parsed) => {
                let place = claim
                    .sequence
                    .map(|sequence| format!(" of event {sequence}"))
                    .unwrap_or_default();
                let id = claim.id.map(|id| format!(" ({id})")).unwrap_or_default();
                let why = parsed.err().unwrap_or_else(|| {
                    "it stands a second time, out of order, or outside of the range; or its leaf record differs"
                        .to_owned()
                });
                findings.item(format!("{EVENTS} line {number}"), format!("the line{place}{id}: {why}"));
            }
        }
        Ok(())
    }

    /// Goes on to the leaf that a line claims, when it is further on in the range.
    fn find_leaf(&mut self, claim: &Claim<'_>, findings: &mut Findings) -> Result<(), String> {
        if let Some(sequence) = claim.sequence.filter(|sequence| *sequence < self.manifest.end) {
            self.skip_to(sequence, claim, findings)?;
        }
        // In a filtered export a wrong sequence may be that of an event without a line; the Log ID then tells the right one.
        let doubtful = self.manifest.filtered && !self.leaf.as_ref().is_some_and(|leaf| claim.is_all_of(leaf));
        if let Some(id) = claim.id.as_deref().filter(|_| doubtful && self.lookups < LOOKUPS_MAX) {
            self.lookups += 1;
            if let Some(sequence) = (self.lookup)(id)? {
                self.skip_to(sequence, claim, findings)?;
            }
        }
        Ok(())
    }

    /// Leaves the leaves before `sequence` without a line, but none that has the Log ID of the claim.
    fn skip_to(&mut self, sequence: u64, claim: &Claim<'_>, findings: &mut Findings) -> Result<(), String> {
        while self
            .leaf
            .as_ref()
            .is_some_and(|leaf| leaf.sequence < sequence && !claim.has_id_of(leaf))
        {
            self.skip(findings)?;
        }
        Ok(())
    }

    /// Leaves the current leaf without a line.
    fn skip(&mut self, findings: &mut Findings) -> Result<(), String> {
        if let Some(leaf) = self.leaf.take().filter(|_| !self.manifest.filtered) {
            findings.event(
                leaf.sequence,
                leaf.id(),
                format!("it is missing from {EVENTS}, or not in its place there"),
            );
        }
        self.leaf = self.leaves.next(findings)?;
        Ok(())
    }

    /// Holds a line against its leaf record.
    fn pair(&mut self, leaf: &Leaf, parsed: Result<Line<'_>, String>, findings: &mut Findings) {
        let mut fault = |detail: String| findings.event(leaf.sequence, leaf.id(), detail);
        let line = match parsed {
            Ok(line) => line,
            Err(detail) => return fault(format!("its line is damaged: {detail}")),
        };
        let Some(record) = &leaf.record else { return };
        let says = |member: &str, line: &dyn std::fmt::Display, record: &dyn std::fmt::Display| {
            format!("its line says {member} {line}, its leaf record {record}")
        };
        if line.sequence != record.sequence {
            fault(says("sequence", &line.sequence, &record.sequence));
        }
        let id = id_text(&record.id);
        if line.id != id {
            fault(says("id", &line.id, &id));
        }
        if line.epoch != record.epoch {
            fault(says("epoch", &line.epoch, &record.epoch));
        }
        let received_at = Timestamp::from_millis(record.received_at_millis).to_string();
        if line.received_at != received_at {
            fault(says("received_at", &line.received_at, &received_at));
        }
        let checked = self
            .checker
            .check(&line.parts, record, &self.manifest.organization, &mut |_, _| ());
        self.tally.redacted += checked.redacted;
        checked.faults.into_iter().for_each(fault);
    }
}

impl<'a> Claim<'a> {
    fn of(line: &Line<'a>) -> Self {
        Self {
            sequence: Some(line.sequence),
            id: Some(Cow::Borrowed(line.id)),
        }
    }

    fn is_of(&self, leaf: &Leaf) -> bool {
        self.sequence == Some(leaf.sequence) || self.has_id_of(leaf)
    }

    fn is_all_of(&self, leaf: &Leaf) -> bool {
        self.sequence == Some(leaf.sequence) && self.has_id_of(leaf)
    }

    fn has_id_of(&self, leaf: &Leaf) -> bool {
        self.id.is_some() && self.id.as_deref() == leaf.id().as_deref()
    }
}

/// Reads a line; the text says why it is none.
fn parse(line: &[u8]) -> Result<Line<'_>, String> {
    let line = line
        .strip_suffix(b"\n")
        .ok_or("it does not end in a newline, or is too long")?;
    serde_json::from_slice(line).map_err(|error| error.to_string())
}

/// Which event a damaged line may have been, from what is left of its first members.
fn guess(line: &[u8]) -> Claim<'static> {
    let head = String::from_utf8_lossy(&line[..line.len().min(128)]);
    let after = |name: &str| {
        head.split_once(name)
            .map(|(_, rest)| rest.trim_start_matches([' ', ':', '"']))
    };
    let sequence =
        after("sequence").and_then(|rest| rest.split(|digit: char| !digit.is_ascii_digit()).next()?.parse().ok());
    let id = after("\"id\"")
        .and_then(|rest| rest.get(..36))
        .map(|id| Cow::Owned(id.to_owned()));
    Claim { sequence, id }
}
