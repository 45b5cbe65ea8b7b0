//! The whole tree of a running server: every leaf record, every tile, and the root that they make.

use std::num::NonZeroU8;

use trailbook_merkle::{
    Checkpoint, Frontier, Hash, LeafRecord, leaf_hash,
    tile::{TILE_WIDTH, TileKind, TilePath, read_entries},
};

use super::client::Client;
use crate::{Findings, event::check_record};

/// What is done with each leaf record.
pub(super) type Each<'e> = &'e mut dyn FnMut(&LeafRecord, &mut Findings) -> Result<(), String>;

/// Reads all entries up to the checkpoint's size, grows the tree from them, and compares tiles and root. Calls `each` with every
/// leaf record.
pub(super) fn check(
    client: &Client,
    checkpoint: &Checkpoint,
    findings: &mut Findings,
    each: Each<'_>,
) -> Result<(), String> {
    let size = checkpoint.size();
    let mut frontier = Frontier::new();
    let mut levels = Levels::default();
    let mut before: Option<LeafRecord> = None;
    while frontier.size() < size {
        let width = TILE_WIDTH.min(size - frontier.size());
        let path = tile(TileKind::Entries, frontier.size() / TILE_WIDTH, width)?;
        let Some(bundle) = client.get(&path)? else {
            findings.item(path, "the server does not have it");
            return Ok(());
        };
        let entries = read_entries(&bundle)
            .ok()
            .filter(|entries| entries.len() as u64 == width);
        let Some(entries) = entries else {
            findings.item(path, format!("it does not hold {width} entries"));
            return Ok(());
        };
        for entry in entries {
            let sequence = frontier.size();
            let hash = leaf_hash(entry);
            levels.push(0, hash);
            frontier.append(hash, &mut |subtree| {
                levels.push(usize::from(subtree.level), subtree.hash)
            });
            levels.compare_full(client, findings)?;
            match LeafRecord::decode(entry) {
                Ok(record) => {
                    check_record(&record, sequence, before.as_ref(), findings);
                    each(&record, findings)?;
                    before = Some(record);
                }
                Err(_) => findings.event(sequence, None, "its leaf record is not one"),
            }
        }
    }
    levels.compare_rest(client, findings)?;
    if frontier.root() != checkpoint.root() {
        findings.item(
            "entries",
            "the leaf records do not lead to the root that the checkpoint signs",
        );
    }
    Ok(())
}

fn tile(kind: TileKind, index: u64, width: u64) -> Result<String, String> {
    let partial = u8::try_from(width).ok().and_then(NonZeroU8::new);
    let path = TilePath::new(kind, index, partial).map_err(|error| error.to_string())?;
    Ok(format!("tlog/tile/{path}"))
}

/// The nodes of each tile level that have been computed and not yet been compared.
#[derive(Default)]
struct Levels {
    waiting: Vec<Vec<Hash>>,
    compared: Vec<u64>,
}

impl Levels {
    fn push(&mut self, level: usize, hash: Hash) {
        if self.waiting.len() <= level {
            self.waiting.resize(level + 1, Vec::new());
            self.compared.resize(level + 1, 0);
        }
        self.waiting[level].push(hash);
    }

    /// Compares the tiles that have become full.
    fn compare_full(&mut self, client: &Client, findings: &mut Findings) -> Result<(), String> {
        for level in 0..self.waiting.len() {
            if self.waiting[level].len() as u64 == TILE_WIDTH {
                self.compare(level, client, findings)?;
            }
        }
        Ok(())
    }

    /// Compares the last, partial tile of each level.
    fn compare_rest(&mut self, client: &Client, findings: &mut Findings) -> Result<(), String> {
        for level in 0..self.waiting.len() {
            if !self.waiting[level].is_empty() {
                self.compare(level, client, findings)?;
            }
        }
        Ok(())
    }

    fn compare(&mut self, level: usize, client: &Client, findings: &mut Findings) -> Result<(), String> {
        let hashes = std::mem::take(&mut self.waiting[level]);
        let kind = TileKind::Hashes(level as u8);
        let path = tile(kind, self.compared[level], hashes.len() as u64)?;
        self.compared[level] += 1;
        let expected: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
        match client.get(&path)? {
            Some(bytes) if bytes == expected => {}
            Some(_) => findings.item(path, "its hashes are not those of the leaf records"),
            None => findings.item(path, "the server does not have it"),
        }
        Ok(())
    }
}
