//! Checking the stored ledgers: everything is recomputed from the stored bytes, and every difference is named.
//!
//! Works on a database that nobody writes to. Shares decoding with the ledger, but none of its conclusions: trees, heads,
//! subtrees, chain and checkpoints are built anew from the events.

mod sealed;

use std::{collections::BTreeMap, fmt, sync::Arc};

use trailbook_event::{Event, Part, json};
use trailbook_merkle::{Checkpoint, Frontier, Hash, note};

use crate::{
    Error, Parts, Row,
    chain::{self, Anchors, ChangedHead},
    database::{Database, LedgerId, Loaded, StoredHead, Subtree, TailRow},
    open::{frontier_of, load, rows},
    signer::{CheckpointSigner, origin_name},
    tail_row::{self, Numbering},
};

/// Tail rows read at a time.
const READ_BYTES: usize = 16 << 20;

/// One difference between what is stored and what must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which commit, event, head, subtree or checkpoint.
    pub place: String,
    /// What differs.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.detail)
    }
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fsck {
    /// Events that are there; of sealed ones the bytes are hashed when looking deep.
    pub events: u64,
    /// Segments.
    pub segments: u64,
    /// Commits with events.
    pub commits: u64,
    /// Ledgers.
    pub ledgers: u64,
    /// Checkpoints whose signature and root were checked.
    pub checkpoints: u64,
    /// Everything that is not as it must be; empty when the ledgers are sound.
    pub findings: Vec<Finding>,
}

impl Fsck {
    fn find(&mut self, place: impl fmt::Display, detail: impl Into<String>) {
        self.findings.push(Finding {
            place: place.to_string(),
            detail: detail.into(),
        });
    }
}

/// A ledger rebuilt from its events.
struct Rebuilt {
    stored: StoredHead,
    frontier: Frontier,
    received_at: i64,
    subtrees: Vec<Subtree>,
    /// The first leaf that was put into the tree one by one; what is before it is taken from the database.
    first: u64,
    /// Roots at the sizes that checkpoints speak of, once reached.
    roots: BTreeMap<u64, Option<Hash>>,
    /// Events are missing: the tree is not the ledger's.
    broken: bool,
}

/// Checks a database and its objects; `deep` also hashes every sealed event and object and makes every index anew. Errors only when
/// they cannot be read at all.
pub async fn fsck(parts: &Parts, deep: bool) -> Result<Fsck, Error> {
    let database = &*parts.database;
    let loaded = load(parts).await?;
    let mut report = Fsck {
        ledgers: loaded.heads.len() as u64,
        ..Fsck::default()
    };
    let mut ledgers = BTreeMap::new();
    for stored in loaded.heads.clone() {
        let checkpoints = database.checkpoints(stored.ledger).await;
        let checkpoints = checkpoints.map_err(|error| Error::storage("read checkpoints", error))?;
        ledgers.insert(
            stored.ledger,
            Rebuilt {
                received_at: i64::MIN,
                frontier: Frontier::new(),
                subtrees: Vec::new(),
                first: 0,
                roots: checkpoints.iter().map(|checkpoint| (checkpoint.size, None)).collect(),
                broken: false,
                stored,
            },
        );
    }
    replay_sealed(parts, &loaded, deep, &mut ledgers, &mut report).await?;
    replay(database, &loaded, &mut ledgers, &mut report).await?;
    for ledger in ledgers.values() {
        if ledger.broken {
            report.find(
                format_args!("tree of {}", ledger.stored.key),
                "it cannot be computed while events are missing",
            );
            continue;
        }
        check_head(ledger, &mut report);
        check_subtrees(database, ledger, &mut report).await?;
        check_checkpoints(database, &loaded.deployment, parts.signing_key, ledger, &mut report).await?;
    }
    if let Some(reason) = Anchors::new(Arc::clone(&parts.objects))
        .contradiction(loaded.head, database)
        .await?
    {
        report.find("chain", reason);
    }
    Ok(report)
}

/// Puts what is below the floors and what is sealed into the trees.
async fn replay_sealed(
    parts: &Parts,
    loaded: &Loaded,
    deep: bool,
    ledgers: &mut BTreeMap<LedgerId, Rebuilt>,
    report: &mut Fsck,
) -> Result<(), Error> {
    for (ledger, floor) in &loaded.floors {
        if let Some(rebuilt) = ledgers.get_mut(ledger) {
            sealed::begin(&*parts.database, rebuilt, floor.sequence, report).await?;
        }
    }
    let open = sealed::open_all(parts, loaded, deep, report);
    for (ledger, runs) in sealed::runs_by_ledger(&open, report) {
        let Some(rebuilt) = ledgers.get_mut(&ledger) else {
            report.find("segments", format!("they name ledger {ledger}, which does not exist"));
            continue;
        };
        for (stored, segment, run) in runs {
            sealed::check_run(parts, (stored, segment), &run, rebuilt, deep, report);
        }
    }
    Ok(())
}

/// Hashes every event of the tail into its ledger's tree, and follows the chain of commits.
async fn replay(
    database: &dyn Database,
    loaded: &Loaded,
    ledgers: &mut BTreeMap<LedgerId, Rebuilt>,
    report: &mut Fsck,
) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let rows = database
            .tail(after, READ_BYTES)
            .await
            .map_err(|error| Error::storage("read the tail", error))?;
        let Some(last) = rows.last() else { break };
        after = last.commit;
        for stored in &rows {
            report.commits += 1;
            if let Some(numbering) = check_commit(stored, ledgers, report) {
                check_link(database, loaded, stored.commit, &numbering, ledgers, report).await?;
            }
        }
    }
    Ok(())
}

/// Checks the events of a commit, however damaged it is; answers its numbering if that can be read.
fn check_commit(stored: &TailRow, ledgers: &mut BTreeMap<LedgerId, Rebuilt>, report: &mut Fsck) -> Option<Numbering> {
    let commit = format!("commit {}", stored.commit);
    let decoded = match tail_row::decode(&stored.body) {
        Ok(decoded) => decoded,
        Err(what) => {
            report.find(commit, what);
            return None;
        }
    };
    if !decoded.intact {
        report.find(&commit, "its checksum does not match");
    }
    let numbering = decoded.numbering;
    let mut rows = decoded
        .bodies
        .map(|bodies| rows(stored.commit, &numbering, bodies).into_iter());
    for (position, (run, sequence)) in numbering.places().enumerate() {
        let Some(rebuilt) = ledgers.get_mut(&run.ledger) else {
            report.find(&commit, format!("it names ledger {}, which does not exist", run.ledger));
            continue;
        };
        let id = numbering.id(position);
        let place = format!("event {id} (sequence {sequence} of {}, {commit})", rebuilt.stored.key);
        match rows.as_mut().and_then(Iterator::next) {
            Some((_, row)) => {
                report.events += 1;
                check_event(&row, &place, rebuilt, report);
            }
            None => report.find(&place, "its bytes cannot be read"),
        }
        rebuilt.append(sequence, numbering.leaf_hashes[position], &place, report);
    }
    Some(numbering)
}

impl Rebuilt {
    /// Puts the next leaf into the tree; says so when leaves are missing before it.
    fn append(&mut self, sequence: u64, leaf_hash: Hash, place: &str, report: &mut Fsck) {
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

fn check_event(row: &Row, place: &str, rebuilt: &mut Rebuilt, report: &mut Fsck) {
    if row.received_at.millis() < rebuilt.received_at {
        report.find(place, "it was received before its predecessor");
    }
    rebuilt.received_at = row.received_at.millis();
    if row.leaf_record().leaf_hash() != row.leaf_hash {
        report.find(place, "its bytes do not hash to its leaf");
    }
    for part in Part::ALL {
        if !is_canonical(row.parts.part(part)) {
            report.find(place, format!("its part {} is not canonical", part.name()));
        }
    }
    match Event::parse(&row.parts) {
        Err(error) => report.find(place, error.to_string()),
        Ok(event) if event.organization != rebuilt.stored.key.organization() => {
            report.find(place, format!("it belongs to organization {}", event.organization));
        }
        Ok(event) if event.occurred_at != row.occurred_at => report.find(place, "its time differs from its core part"),
        Ok(_) => {}
    }
}

fn is_canonical(bytes: &[u8]) -> bool {
    let limits = json::Limits {
        depth_max: json::DEPTH_CEILING,
    };
    json::parse_bytes(bytes, &limits).is_ok_and(|value| {
        let mut again = Vec::with_capacity(bytes.len());
        json::write_canonical(&value, &mut again);
        again == bytes
    })
}

/// Compares the chain hash of a commit with its predecessor's and the heads after it, where both are remembered.
async fn check_link(
    database: &dyn Database,
    loaded: &Loaded,
    commit: u64,
    numbering: &Numbering,
    ledgers: &BTreeMap<LedgerId, Rebuilt>,
    report: &mut Fsck,
) -> Result<(), Error> {
    let storage = |error| Error::storage("read the chain", error);
    let before = if commit == 1 {
        Some(Hash([0; 32]))
    } else {
        database.chain(commit - 1).await.map_err(storage)?
    };
    let Some((before, stored)) = before.zip(database.chain(commit).await.map_err(storage)?) else {
        return Ok(());
    };
    let mut heads: Vec<ChangedHead> = numbering
        .runs
        .iter()
        .filter_map(|run| {
            let frontier = &ledgers.get(&run.ledger)?.frontier;
            Some(ChangedHead {
                ledger: run.ledger,
                epoch: run.epoch,
                size: frontier.size(),
                root: frontier.root(),
            })
        })
        .collect();
    heads.sort_by_key(|head| head.ledger);
    let link = |era| chain::next(before, era, commit, &heads) == stored;
    if !(1..=loaded.head.era).rev().any(link) {
        report.find(
            format_args!("commit {commit}"),
            "the chain hash does not follow from its predecessor and the heads",
        );
    }
    Ok(())
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

async fn check_checkpoints(
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
            Ok(_) if checkpoint.size == 0 => {}
            // Of what has expired there is no tree to compare with; the database keeps what consistency proofs need.
            Ok(_) if checkpoint.size <= ledger.first => {}
            Ok(_) if ledger.roots.get(&checkpoint.size) != Some(&Some(checkpoint.root)) => {
                report.find(place, "its root is not that of the events");
            }
            Ok(_) => {}
        }
    }
    Ok(())
}
