//! The leaf records of the range, read one after the other while their hashes grow the tree.

use std::io::Read;

use trailbook_merkle::{CompactRange, LEAF_RECORD_BYTES, LeafRecord, leaf_hash};

use super::archive::{LEAVES, failed};
use crate::{
    Findings,
    event::{check_record, id_text},
};

/// A leaf of the range.
pub(super) struct Leaf {
    /// Its place in the ledger, counted from the range's begin.
    pub(super) sequence: u64,
    /// What it says; `None` when it cannot be read.
    pub(super) record: Option<LeafRecord>,
}

impl Leaf {
    /// The Log ID, when the record can be read.
    pub(super) fn id(&self) -> Option<String> {
        self.record.as_ref().map(|record| id_text(&record.id))
    }
}

/// The leaf records in order. Reading them checks each by itself and against the one before.
pub(super) struct Leaves<R> {
    reader: R,
    next: u64,
    end: u64,
    epoch: u32,
    range: CompactRange,
    before: Option<LeafRecord>,
}

impl<R: Read> Leaves<R> {
    /// Those of the range `begin..end` in a ledger whose newest epoch is `epoch`, after the tree's first leaves in `left`.
    pub(super) fn new(reader: R, begin: u64, end: u64, epoch: u32, left: CompactRange) -> Self {
        Self {
            reader,
            next: begin,
            end,
            epoch,
            range: left,
            before: None,
        }
    }

    /// The next leaf; `None` at the end of the range or of the file.
    pub(super) fn next(&mut self, findings: &mut Findings) -> Result<Option<Leaf>, String> {
        if self.next == self.end {
            return Ok(None);
        }
        let mut bytes = [0; LEAF_RECORD_BYTES];
        let length = read_up_to(&mut self.reader, &mut bytes)?;
        if length < LEAF_RECORD_BYTES {
            findings.item(LEAVES, format!("it ends before the leaf record of event {}", self.next));
            self.end = self.next;
            return Ok(None);
        }
        self.range.append(leaf_hash(&bytes), &mut |_| ());
        let leaf = Leaf {
            sequence: self.next,
            record: LeafRecord::decode(&bytes).ok(),
        };
        self.check(&leaf, findings);
        self.next += 1;
        self.before.clone_from(&leaf.record);
        Ok(Some(leaf))
    }

    /// The compact range of the leaves so far, once nothing is left; a finding when the file goes on.
    pub(super) fn finish(mut self, findings: &mut Findings) -> Result<CompactRange, String> {
        while self.next(findings)?.is_some() {}
        if read_up_to(&mut self.reader, &mut [0])? > 0 {
            findings.item(LEAVES, "it goes on after the end of the range");
        }
        Ok(self.range)
    }

    fn check(&self, leaf: &Leaf, findings: &mut Findings) {
        let Some(record) = &leaf.record else {
            return findings.event(leaf.sequence, None, "its leaf record is not one");
        };
        if record.epoch > self.epoch {
            let detail = format!(
                "its leaf record says epoch {}, and the checkpoint is of epoch {}",
                record.epoch, self.epoch
            );
            findings.event(leaf.sequence, leaf.id(), detail);
        }
        check_record(record, leaf.sequence, self.before.as_ref(), findings);
    }
}

/// The sequence in the leaf record with this Log ID.
pub(super) fn find(reader: &mut impl Read, id: &str) -> Result<Option<u64>, String> {
    let mut bytes = [0; LEAF_RECORD_BYTES];
    while read_up_to(reader, &mut bytes)? == LEAF_RECORD_BYTES {
        if let Ok(record) = LeafRecord::decode(&bytes)
            && id_text(&record.id) == id
        {
            return Ok(Some(record.sequence));
        }
    }
    Ok(None)
}

/// Fills the buffer as far as the reader goes.
fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, String> {
    let mut length = 0;
    while length < buffer.len() {
        match reader.read(&mut buffer[length..]).map_err(failed)? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}
