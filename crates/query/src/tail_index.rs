//! One organization's tail as blocks that follow one another, published as snapshots.
//!
//! New rows become a small block; small blocks are built anew as one when enough of a kind stand at the end, so that each
//! row is indexed a few times at most and questions meet few blocks. Blocks whose rows are sealed are let go.
//!
//! Invariants
//! - A snapshot's blocks have every row from where the tail began up to its size exactly once, in sequence order.
//! - Only the holder of `growing` publishes, and what it publishes is never smaller.

mod unite;

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use trailbook_ledger::{Head, OrganizationKey, Overlay, Row, Sealed, Secrets};

use self::unite::{BLOCK_BYTES_MAX, to_unite};
use crate::{
    Error, Source,
    block::{Block, Held, ROWS_MAX},
    history::Strand,
};

/// The largest block that a reader builds from smaller ones; larger ones are left to [`TailIndex::catch_up`].
const READER_ROWS_MAX: usize = 512;

/// What one question sees of the tail.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    blocks: Vec<Arc<Held>>,
    /// The rows are those with a sequence below this.
    pub(crate) size: u64,
    pub(crate) epoch: u32,
}

impl Snapshot {
    /// The sequence of the first row.
    pub(crate) fn first_sequence(&self) -> u64 {
        self.blocks.first().map_or(self.size, |block| first_sequence(block))
    }

    /// The blocks with rows that are not sealed.
    pub(crate) fn strands(&self, sealed: &Sealed) -> Vec<Strand> {
        let from = sealed.end.max(sealed.floor);
        let block = |held: &Arc<Held>| Strand::from([Block::held(Arc::clone(held), from)]);
        let is_needed = |held: &&Arc<Held>| end(held) > from;
        self.blocks.iter().filter(is_needed).map(block).collect()
    }

    fn to_unite(&self, rows_max: usize) -> Option<Range<usize>> {
        let size = |block: &Arc<Held>| (block.rows().len(), block.part_bytes());
        to_unite(&self.blocks.iter().map(size).collect::<Vec<_>>(), rows_max)
    }

    /// Lets go of what lies below the tail, which begins at `begin` now; `false` when there is nothing.
    fn trim(&mut self, begin: u64) -> bool {
        let gone = self.blocks.partition_point(|block| end(block) <= begin);
        self.blocks.drain(..gone);
        gone > 0
    }

    /// Builds blocks anew whose rows do not carry out a redaction yet; `false` when there are none.
    fn redact(&mut self, overlay: &Overlay) -> Result<bool, Error> {
        let mut changed = false;
        for block in &mut self.blocks {
            let mut rows = Vec::new();
            for (sequence, redaction) in overlay.range(first_sequence(block)..end(block)) {
                let place = (sequence - first_sequence(block)) as usize;
                let row = &block.rows()[place];
                if row.secrets != Secrets::Redacted(redaction.secrets.clone()) {
                    rows.push((place, redaction.carried_out(row)));
                }
            }
            if !rows.is_empty() {
                let mut all = block.rows().to_vec();
                rows.into_iter().for_each(|(place, row)| all[place] = Arc::new(row));
                *block = Arc::new(Held::build(all)?);
                changed = true;
            }
        }
        Ok(changed)
    }
}

/// The index of one organization's tail.
#[derive(Debug, Default)]
pub(crate) struct TailIndex {
    /// Held while rows are indexed; never by readers of a snapshot.
    growing: Mutex<()>,
    /// Held only to copy or replace the pointer.
    published: RwLock<Arc<Snapshot>>,
}

impl TailIndex {
    /// A snapshot with at least the rows of `head`, indexing what is missing.
    pub(crate) fn at_least(
        &self,
        head: &Head,
        organization: &OrganizationKey,
        source: &dyn Source,
    ) -> Result<Arc<Snapshot>, Error> {
        let published = self.published();
        if published.size >= head.size && published.epoch == head.epoch {
            return Ok(published);
        }
        self.grow(head, organization, source)
    }

    /// The snapshot with redactions carried out. What is sealed is let go for later readers.
    pub(crate) fn settled(&self, snapshot: Arc<Snapshot>, sealed: &Sealed) -> Result<Arc<Snapshot>, Error> {
        let mut settled = Snapshot::clone(&snapshot);
        let trimmed = settled.trim(sealed.end);
        let redacted = settled.redact(&sealed.redactions)?;
        if !trimmed && !redacted {
            return Ok(snapshot);
        }
        let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&snapshot, &self.published()) {
            return Ok(self.publish(settled));
        }
        Ok(Arc::new(settled))
    }

    /// Lets go of what lies below the tail, which begins at `begin` now.
    pub(crate) fn trim(&self, begin: u64) {
        let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut snapshot = Snapshot::clone(&self.published());
        if snapshot.trim(begin) {
            self.publish(snapshot);
        }
    }

    /// Indexes what is missing and unites blocks. Larger ones are built while readers index and publish; only one caller
    /// at a time is to do this.
    pub(crate) fn catch_up(
        &self,
        head: &Head,
        organization: &OrganizationKey,
        source: &dyn Source,
    ) -> Result<(), Error> {
        let mut snapshot = self.grow(head, organization, source)?;
        while let Some(places) = snapshot.to_unite(ROWS_MAX) {
            let small = &snapshot.blocks[places.clone()];
            let united = united(small)?;
            let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
            let mut newest = Snapshot::clone(&self.published());
            let now = newest.blocks.get(places.clone()).unwrap_or_default();
            if !now.iter().zip(small).all(|(now, small)| Arc::ptr_eq(now, small)) || now.len() != small.len() {
                // A reader has changed some of them meanwhile; the next time will find what is left to do.
                break;
            }
            newest.blocks.splice(places, [united]);
            snapshot = self.publish(newest);
        }
        Ok(())
    }

    fn grow(&self, head: &Head, organization: &OrganizationKey, source: &dyn Source) -> Result<Arc<Snapshot>, Error> {
        let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut snapshot = Snapshot::clone(&self.published());
        snapshot.epoch = head.epoch;
        while snapshot.size < head.size {
            let rows = fitting(source.tail(organization, snapshot.size, ROWS_MAX));
            let begin = rows.first().map_or(head.size, |row| row.sequence);
            if begin != snapshot.size {
                // All that was here is sealed, and more.
                snapshot.blocks.clear();
                snapshot.size = begin;
            }
            if !rows.is_empty() {
                snapshot.size += rows.len() as u64;
                snapshot.blocks.push(Arc::new(Held::build(rows)?));
            }
        }
        while let Some(places) = snapshot.to_unite(READER_ROWS_MAX) {
            let united = united(&snapshot.blocks[places.clone()])?;
            snapshot.blocks.splice(places, [united]);
        }
        Ok(self.publish(snapshot))
    }

    /// Only for the holder of `growing`.
    fn publish(&self, snapshot: Snapshot) -> Arc<Snapshot> {
        let snapshot = Arc::new(snapshot);
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&snapshot);
        snapshot
    }

    fn published(&self) -> Arc<Snapshot> {
        Arc::clone(&self.published.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn first_sequence(block: &Held) -> u64 {
    block.moments().sequences().start
}

fn end(block: &Held) -> u64 {
    first_sequence(block) + block.rows().len() as u64
}

/// The first of these rows, as many as one block takes.
fn fitting(mut rows: Vec<Arc<Row>>) -> Vec<Arc<Row>> {
    let mut bytes = 0;
    let beyond = rows.iter().position(|row| {
        bytes += row.parts.bytes().len();
        bytes > BLOCK_BYTES_MAX
    });
    rows.truncate(beyond.unwrap_or(rows.len()).max(1));
    rows
}

fn united(blocks: &[Arc<Held>]) -> Result<Arc<Held>, Error> {
    let rows = blocks.iter().flat_map(|block| block.rows().iter().cloned()).collect();
    Held::build(rows).map(Arc::new)
}
