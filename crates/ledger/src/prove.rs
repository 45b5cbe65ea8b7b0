//! Proofs and tiles: from leaf hashes (`leaves`) and complete subtrees in the database.

use std::{collections::HashMap, ops::Range};

use trailbook_merkle::{
    Hash, NodeSource, RangeProof, Subtree, complete_root, consistency_ranges, inclusion_ranges, prove_consistency,
    prove_inclusion, prove_range, subtrees,
    tile::{self, TileKind, TilePath},
};

use crate::{Error, Ledger, OrganizationKey, tail::LedgerState};

/// The subtrees that a proof needs, fetched beforehand.
struct Fetched(HashMap<(u64, u8), Hash>);

impl NodeSource for Fetched {
    fn subtree(&self, begin: u64, level: u8) -> Option<Hash> {
        self.0.get(&(begin, level)).copied()
    }
}

/// Complete subtrees from this height on are kept in the database for ever.
const TILE_LEVEL: u8 = 8;

fn refused(error: trailbook_merkle::Error) -> Error {
    Error::corrupt(error.to_string())
}

impl Ledger {
    /// That leaf `index` is in the tree of the first `size` leaves (RFC 9162 section 2.1.3.1).
    pub async fn prove_inclusion(
        &self,
        organization: &OrganizationKey,
        index: u64,
        size: u64,
    ) -> Result<Vec<Hash>, Error> {
        let ledger = self.state_of_size(organization, size)?;
        let ranges = inclusion_ranges(index, size).map_err(|_| Error::NotFound)?;
        prove_inclusion(&self.fetch(&ledger, ranges).await?, index, size).map_err(refused)
    }

    /// That the tree of the first `to` leaves extends that of the first `from` (RFC 9162 section 2.1.4.1).
    pub async fn prove_consistency(
        &self,
        organization: &OrganizationKey,
        from: u64,
        to: u64,
    ) -> Result<Vec<Hash>, Error> {
        if from > to {
            return Err(Error::NotFound);
        }
        let ledger = self.state_of_size(organization, to)?;
        self.consistency(&ledger, from, to).await
    }

    pub(crate) async fn consistency(&self, ledger: &LedgerState, from: u64, to: u64) -> Result<Vec<Hash>, Error> {
        let ranges = consistency_ranges(from, to).map_err(refused)?;
        prove_consistency(&self.fetch(ledger, ranges).await?, from, to).map_err(refused)
    }

    /// That leaves `begin..end` are exactly those of the tree of the first `size` leaves.
    pub async fn prove_range(
        &self,
        organization: &OrganizationKey,
        begin: u64,
        end: u64,
        size: u64,
    ) -> Result<RangeProof, Error> {
        if begin > end || end > size {
            return Err(Error::NotFound);
        }
        let ledger = self.state_of_size(organization, size)?;
        let fetched = self.fetch(&ledger, vec![0..begin, end..size]).await?;
        prove_range(&fetched, begin, end, size).map_err(refused)
    }

    /// The bytes of a tile of hashes or of a bundle of entries (C2SP tlog-tiles) that lies within the first `size`
    /// leaves. `NotFound` when it reaches beyond.
    pub async fn tile(&self, organization: &OrganizationKey, tile: &TilePath, size: u64) -> Result<Vec<u8>, Error> {
        let ledger = self.state_of_size(organization, size)?;
        if tile.leaves().end > size {
            return Err(Error::NotFound);
        }
        match tile.kind() {
            TileKind::Hashes(level) => {
                let nodes = self.nodes(&ledger, level, tile.nodes()).await?;
                Ok(nodes.iter().flat_map(|hash| hash.0).collect())
            }
            TileKind::Entries => {
                let leaves = tile.leaves();
                let (mut next, mut bundle) = (leaves.start, Vec::new());
                if next < self.floor(&ledger) {
                    return Err(Error::Gone);
                }
                while next < leaves.end {
                    let rows = self.rows(organization, next, (leaves.end - next) as usize)?;
                    if rows.is_empty() {
                        return Err(Error::Gone);
                    }
                    next += rows.len() as u64;
                    for row in rows {
                        tile::write_entry(&row.leaf_record().encode(), &mut bundle).map_err(refused)?;
                    }
                }
                Ok(bundle)
            }
        }
    }

    fn state_of_size(&self, organization: &OrganizationKey, size: u64) -> Result<std::sync::Arc<LedgerState>, Error> {
        let ledger = self.state(organization)?;
        if size > ledger.head().size {
            Err(Error::NotFound)
        } else {
            Ok(ledger)
        }
    }

    /// The subtrees that make up these ranges of leaves.
    async fn fetch(&self, ledger: &LedgerState, ranges: Vec<Range<u64>>) -> Result<Fetched, Error> {
        let mut fetched = HashMap::new();
        for range in ranges {
            for subtree in subtrees(range.start, range.end) {
                fetched.insert((subtree.begin, subtree.level), self.subtree(ledger, subtree).await?);
            }
        }
        Ok(Fetched(fetched))
    }

    async fn subtree(&self, ledger: &LedgerState, subtree: Subtree) -> Result<Hash, Error> {
        if subtree.level < TILE_LEVEL {
            return self.small_subtree(ledger, subtree).await;
        }
        let (level, nodes) = subtree.tile_nodes();
        Ok(complete_root(&self.nodes(ledger, level, nodes).await?))
    }

    /// Nodes of one tile level: leaf hashes from memory and segments, the others from the database.
    async fn nodes(&self, ledger: &LedgerState, level: u8, nodes: Range<u64>) -> Result<Vec<Hash>, Error> {
        if level == 0 {
            return self.leaf_hashes(ledger, nodes).await;
        }
        let found = self
            .inner
            .shared
            .database
            .subtrees(ledger.id, level, nodes.start, nodes.end)
            .await;
        let found = found.map_err(|error| Error::storage("read subtrees", error))?;
        if found.len() as u64 == nodes.end - nodes.start {
            Ok(found.into_iter().map(|subtree| subtree.hash).collect())
        } else {
            Err(Error::corrupt(format!(
                "subtrees are missing: ledger={} level={level} nodes={nodes:?}",
                ledger.key
            )))
        }
    }
}
