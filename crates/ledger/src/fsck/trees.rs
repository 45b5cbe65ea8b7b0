//! The trees of ledgers, computed from their leaves, against what is stored of them.

use std::collections::BTreeMap;

use trailbook_merkle::{Checkpoint, Frontier, Hash, note};

use super::Fsck;
use crate::{
    Error,
    database::{Database, LedgerId, StoredHead, Subtree},
    open::frontier_of,
    signer::{CheckpointSigner, origin_name},
};

/// A ledger rebuilt from its events.
pub(super) struct Rebuilt {
    pub(super) stored: StoredHead,
    pub(super) frontier: Frontier,
    pub(super) received_at: i64,
    pub(super) subtrees: Vec<Subtree>,
    /// The first leaf that was put into the tree one by one; what is before it is taken from the database.
    pub(super) first: u64,
    /// Roots at the sizes that checkpoints speak of, once reached.
    pub(super) roots: BTreeMap<u64, Option<Hash>>,
    /// Events are missing: the tree is not the ledger's.
    pub(super) broken: bool,
}

/// All ledgers, without events yet.
pub(super) async fn begin(database: &dyn Database, heads: &[StoredHead]) -> Result<BTreeMap<LedgerId, Rebuilt>, Error> {
    let mut ledgers = BTreeMap::new();
    for stored in heads {
        ledgers.insert(stored.ledger, Rebuilt::begin(database, stored.clone()).await?);
    }
    Ok(ledgers)
}

impl Rebuilt {
    /// The ledger of a stored head, without events yet.
    async fn begin(database: &dyn Database, stored: StoredHead) -> Result<Self, Error> {
        let checkpoints = database.checkpoints(stored.ledger).await;
        let checkpoints = checkpoints.map_err(|error| Error::storage("read checkpoints", error))?;
        Ok(Self {
            received_at: i64::MIN,
            frontier: Frontier::new(),
            subtrees: Vec::new(),
            first: 0,
            roots: checkpoints
                .iter()
                .map(|checkpoint| (checkpoint.size, (checkpoint.size == 0).then(|| Frontier::new().root())))
                .collect(),
            broken: false,
            stored,
        })
    }

    /// Compares the tree with what is stored of it; answers whether it could be computed.
    pub(super) async fn check(&self, database: &dyn Database, report: &mut Fsck) -> Result<bool, Error> {
        if self.broken {
            let place = format!("tree of {}", self.stored.key);
            report.find(place, "it cannot be computed while events are missing");
            return Ok(false);
        }
        check_head(self, report);
        check_subtrees(database, self, report).await?;
        Ok(true)
    }

    /// Puts the next leaf into the tree; says so when leaves are missing before it.
    pub(super) fn append(&mut self, sequence: u64, leaf_hash: Hash, place: &str, report: &mut Fsck) {
        if sequence != self.frontier.size() && !self.broken {
            report.find(
                place,
                format!("the event before it should have sequence {}", self.frontier.size()),
            );
            self.broken = true;
        }
        let (ledger, subtrees) = (self.stored.ledger, &mut self.subtrees);
        self.frontier.append(leaf_hash, &mut |closed| {
            subtrees.push(Subtree {
                ledger,
                level: closed.level,
                index: closed.index,
                hash: closed.hash,
            });
        });
        if let Some(root) = self.roots.get_mut(&self.frontier.size()) {
            *root = Some(self.frontier.root());
        }
    }
}

fn check_head(ledger: &Rebuilt, report: &mut Fsck) {
    let place = format!("head of {}", ledger.stored.key);
    if ledger.stored.size != ledger.frontier.size() {
        let detail = format!(
            "it says {} events, there are {}",
            ledger.stored.size,
            ledger.frontier.size()
        );
        return report.find(place, detail);
    }
    match frontier_of(&ledger.stored) {
        Err(error) => report.find(place, error.to_string()),
        Ok(frontier) if frontier != ledger.frontier => report.find(place, "its tree is not the tree of the events"),
        // When all events have expired, nothing else knows the time any more.
        Ok(_) if ledger.received_at == i64::MIN => {}
        Ok(_) if ledger.stored.received_at != ledger.received_at => {
            report.find(place, "its newest time is not that of the newest event");
        }
        Ok(_) => {}
    }
}

async fn check_subtrees(database: &dyn Database, ledger: &Rebuilt, report: &mut Fsck) -> Result<(), Error> {
    let levels = ledger
        .subtrees
        .iter()
        .map(|subtree| subtree.level)
        .max()
        .unwrap_or_default();
    // One level above the highest complete one is asked as well: nothing may be there.
    for level in 1..=levels + 1 {
        let first = ledger.first >> (8 * u32::from(level));
        let stored = database.subtrees(ledger.stored.ledger, level, first, u64::MAX).await;
        let stored = stored.map_err(|error| Error::storage("read subtrees", error))?;
        let expected: Vec<Subtree> = ledger
            .subtrees
            .iter()
            .copied()
            .filter(|subtree| subtree.level == level)
            .collect();
        let place = |index| format!("subtree {index} of level {level} of {}", ledger.stored.key);
        for subtree in &expected {
            match stored.iter().find(|stored| stored.index == subtree.index) {
                None => report.find(place(subtree.index), "it is missing"),
                Some(found) if found.hash != subtree.hash => {
                    report.find(place(subtree.index), "it is not that of the events")
                }
                Some(_) => {}
            }
        }
        for surplus in stored
            .iter()
            .filter(|stored| !expected.iter().any(|subtree| subtree.index == stored.index))
        {
            report.find(place(surplus.index), "it should not exist");
        }
    }
    Ok(())
}

/// Holds a ledger's checkpoints against their signatures and its tree.
pub(super) async fn check_checkpoints(
    database: &dyn Database,
    deployment: &str,
    signing_key: [u8; 32],
    ledger: &Rebuilt,
    report: &mut Fsck,
) -> Result<(), Error> {
    let stored = database.checkpoints(ledger.stored.ledger).await;
    for checkpoint in stored.map_err(|error| Error::storage("read checkpoints", error))? {
        report.checkpoints += 1;
        let place = format!(
            "checkpoint of {} at {} events (epoch {})",
            ledger.stored.key, checkpoint.size, checkpoint.epoch
        );
        let origin = origin_name(deployment, &ledger.stored.key, checkpoint.epoch);
        let signer = CheckpointSigner::new(signing_key).for_origin(&origin)?;
        let text = note::open(checkpoint.note.as_bytes(), &[signer.verifier().clone()]);
        match text.and_then(Checkpoint::parse) {
            Err(error) => report.find(place, error.to_string()),
            Ok(signed)
                if (signed.origin(), signed.size(), signed.root()) != (&origin, checkpoint.size, checkpoint.root) =>
            {
                report.find(place, "its note says something else");
            }
            // Of what has expired there is no tree to compare with; the database keeps what consistency proofs need.
            Ok(_) if (1..=ledger.first).contains(&checkpoint.size) => {}
            Ok(_) if ledger.roots.get(&checkpoint.size) != Some(&Some(checkpoint.root)) => {
                report.find(place, "its root is not that of the events");
            }
            Ok(_) => {}
        }
    }
    Ok(())
}
