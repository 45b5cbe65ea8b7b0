//! One organization's index: blocks that follow one another from sequence 0 on, published as snapshots.
//!
//! New rows become a small block; small blocks are built anew as one when enough of a kind stand at the end, so that each
//! row is indexed a few times at most and questions meet few blocks.
//!
//! Invariants
//! - A snapshot's blocks have every row below its size exactly once, in sequence order.
//! - Only the holder of `growing` publishes, and what it publishes is never smaller.

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use trailbook_ledger::{Head, OrganizationKey, Row};

use crate::{
    Error, Source,
    block::{Block, ROWS_MAX},
};

/// How many blocks of a kind are left beside one another.
const FAN: usize = 8;
/// Blocks of this many bytes are left as they are.
const BLOCK_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The largest block that a reader builds from smaller ones; larger ones are left to [`TailIndex::catch_up`].
const READER_ROWS_MAX: usize = 512;

/// What one question sees.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    pub(crate) blocks: Vec<Arc<Block>>,
    /// The rows are those with a sequence below this.
    pub(crate) size: u64,
    pub(crate) epoch: u32,
}

impl Snapshot {
    fn to_unite(&self, rows_max: usize) -> Option<Range<usize>> {
        let sizes: Vec<_> = self
            .blocks
            .iter()
            .map(|block| (block.rows().len(), block.part_bytes()))
            .collect();
        to_unite(&sizes, rows_max)
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
                // A reader has united some of them meanwhile; the next time will find what is left to do.
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
            let rows = fitting(source.rows(organization, snapshot.size, ROWS_MAX));
            if rows.is_empty() {
                break;
            }
            snapshot.size += rows.len() as u64;
            snapshot.blocks.push(Arc::new(Block::build(rows)?));
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

/// The blocks at the end that are to become one: [`FAN`] of a kind or smaller, with at most `rows_max` rows together. Given
/// the rows and bytes of each.
fn to_unite(sizes: &[(usize, usize)], rows_max: usize) -> Option<Range<usize>> {
    let mut kind_max = FAN;
    while kind_max < ROWS_MAX {
        let beginning = sizes
            .iter()
            .rposition(|(rows, _)| *rows >= kind_max)
            .map_or(0, |large| large + 1);
        let small = &sizes[beginning..];
        let rows: usize = small.iter().map(|(rows, _)| rows).sum();
        let bytes: usize = small.iter().map(|(_, bytes)| bytes).sum();
        if small.len() >= FAN && rows <= rows_max && bytes <= BLOCK_BYTES_MAX {
            return Some(beginning..sizes.len());
        }
        kind_max *= FAN;
    }
    None
}

fn united(blocks: &[Arc<Block>]) -> Result<Arc<Block>, Error> {
    let rows = blocks.iter().flat_map(|block| block.rows().iter().cloned()).collect();
    Block::build(rows).map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_blocks_of_a_kind_at_the_end_become_one() {
        for (sizes, rows_max, expected) in [
            (&[][..], 100, None),
            (&[1; 7][..], 100, None),
            (&[1; 8][..], 100, Some(0..8)),
            (&[1; 8][..], 7, None),
            (&[9, 1, 1, 1, 1, 1, 1, 1, 7][..], 100, Some(1..9)),
            (&[1, 1, 1, 1, 1, 1, 1, 9][..], 100, Some(0..8)),
            (&[64, 9, 9, 9, 9, 9, 9, 9, 9][..], 100, Some(1..9)),
            (&[64, 9, 9, 9, 9, 9, 9, 1][..], 100, None),
            (&[100_000; 8][..], usize::MAX, None),
        ] {
            let sizes: Vec<_> = sizes.iter().map(|rows| (*rows, 700 * rows)).collect();
            assert_eq!(to_unite(&sizes, rows_max), expected, "{sizes:?}");
        }
    }
}
