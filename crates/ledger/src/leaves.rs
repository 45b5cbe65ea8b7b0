//! Leaf hashes and what is kept of them, wherever they are: in memory, in segments, or, below the floor, as pieces of tiles.

use std::ops::Range;

use trailbook_merkle::{Hash, Subtree, complete_root};

use crate::{
    Error, Ledger,
    pieces::{self, Piece, TILE},
    tail::LedgerState,
};

impl Ledger {
    /// The leaf hashes of these sequences; [`Error::Gone`] when one lies below the floor and is not kept.
    pub(crate) async fn leaf_hashes(&self, ledger: &LedgerState, sequences: Range<u64>) -> Result<Vec<Hash>, Error> {
        if let Some(hashes) = ledger.leaf_hashes(sequences.start, sequences.end) {
            return Ok(hashes);
        }
        let history = &self.inner.shared.history;
        let manifest = history.manifest();
        let floor = manifest.floor(ledger.id);
        let mut hashes = self
            .kept_leaves(ledger, sequences.start..sequences.end.min(floor))
            .await?;
        for (stored, run) in history.runs(&manifest, ledger.id)? {
            let next = (sequences.start + hashes.len() as u64)..sequences.end.min(run.first_sequence + run.rows);
            if !next.is_empty() && next.start >= run.first_sequence {
                hashes.extend(history.open(&stored)?.leaf_hashes(&run, next)?);
            }
        }
        let next = sequences.start + hashes.len() as u64;
        if next < sequences.end {
            let rest = ledger.leaf_hashes(next, sequences.end);
            hashes.extend(rest.ok_or_else(|| missing(ledger, next))?);
        }
        Ok(hashes)
    }

    /// Leaf hashes below the floor.
    async fn kept_leaves(&self, ledger: &LedgerState, sequences: Range<u64>) -> Result<Vec<Hash>, Error> {
        let mut hashes = Vec::new();
        let mut next = sequences.start;
        while next < sequences.end {
            let kept = self.pieces(ledger, next / TILE).await?;
            let end = sequences.end.min((next / TILE + 1) * TILE);
            for sequence in next..end {
                hashes.push(pieces::root(&kept, (sequence % TILE) as u8, 0).ok_or(Error::Gone)?);
            }
            next = end;
        }
        Ok(hashes)
    }

    /// What is kept of a tile in the database.
    pub(crate) async fn pieces(&self, ledger: &LedgerState, tile: u64) -> Result<Vec<Piece>, Error> {
        let tiles = self.inner.shared.database.tiles(ledger.id, tile, tile + 1).await;
        let tiles = tiles.map_err(|error| Error::storage("read what is kept of a tile", error))?;
        Ok(tiles.into_iter().flat_map(|tile| tile.pieces).collect())
    }

    /// The root of a complete subtree of fewer than 256 leaves.
    pub(crate) async fn small_subtree(&self, ledger: &LedgerState, subtree: Subtree) -> Result<Hash, Error> {
        let floor = self.inner.shared.history.manifest().floor(ledger.id);
        let tile = subtree.begin / TILE;
        if (tile + 1) * TILE <= floor {
            let kept = self.pieces(ledger, tile).await?;
            return pieces::root(&kept, (subtree.begin % TILE) as u8, subtree.level).ok_or(Error::Gone);
        }
        Ok(complete_root(
            &self.leaf_hashes(ledger, subtree.begin..subtree.end()).await?,
        ))
    }
}

fn missing(ledger: &LedgerState, sequence: u64) -> Error {
    Error::corrupt(format!(
        "leaf hashes are missing: ledger={} from={sequence}; run `trailbook fsck`",
        ledger.key
    ))
}
