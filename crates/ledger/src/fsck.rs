//! Checking the stored ledgers: everything is recomputed from the stored bytes, and every difference is named.
//!
//! Works on a database that nobody writes to. Shares decoding with the ledger, but none of its conclusions: trees, heads,
//! subtrees, chain and checkpoints are built anew from the events.

mod sealed;
mod trees;

use std::{collections::BTreeMap, fmt, sync::Arc};

use trailbook_event::{Event, Part, json};
use trailbook_merkle::Hash;

pub(crate) use self::sealed::is_indexed;
use self::trees::Rebuilt;

use crate::{
    Error, Parts, Row,
    chain::{self, Anchors, ChangedHead},
    database::{Database, LedgerId, Loaded, TailRow},
    history::OpenSegments,
    objects::Objects,
    open::{load, rows},
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

/// Checks a database and its objects; `deep` also hashes every sealed event and object and makes every index anew. Errors only when
/// they cannot be read at all.
pub async fn fsck(parts: &Parts, deep: bool) -> Result<Fsck, Error> {
    let database = &*parts.database;
    let loaded = load(parts).await?;
    let mut report = Fsck {
        ledgers: loaded.heads.len() as u64,
        ..Fsck::default()
    };
    let mut ledgers = trees::begin(database, &loaded.heads).await?;
    replay_sealed(parts, &loaded, deep, &mut ledgers, &mut report).await?;
    replay(database, &loaded, &mut ledgers, &mut report).await?;
    for ledger in ledgers.values() {
        if ledger.check(database, &mut report).await? {
            trees::check_checkpoints(database, &loaded.deployment, parts.signing_key, ledger, &mut report).await?;
        }
    }
    if let Some(reason) = Anchors::new(Arc::clone(&parts.objects))
        .contradiction(loaded.head, database)
        .await?
    {
        report.find("chain", reason);
    }
    Ok(report)
}

/// What speaks against ledgers whose tree does not come to their head, were the manifest that of `loaded`.
pub(crate) async fn unsound(parts: &Parts, loaded: &Loaded) -> Result<BTreeMap<LedgerId, Vec<Finding>>, Error> {
    let database = &*parts.database;
    let mut ledgers = trees::begin(database, &loaded.heads).await?;
    let mut report = Fsck::default();
    replay_sealed(parts, loaded, false, &mut ledgers, &mut report).await?;
    replay(database, loaded, &mut ledgers, &mut report).await?;
    let mut unsound = BTreeMap::new();
    for (id, ledger) in &ledgers {
        let mut report = Fsck::default();
        ledger.check(database, &mut report).await?;
        if !report.findings.is_empty() {
            unsound.insert(*id, report.findings);
        }
    }
    Ok(unsound)
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
    let objects = Objects::new(Arc::clone(&parts.objects), parts.object_files.clone());
    let segments = OpenSegments::new(objects, parts.limits.open_segments_max);
    let sound = sealed::check_segments(&segments, loaded, deep, report);
    for (ledger, runs) in sealed::by_ledger(&sound) {
        let Some(rebuilt) = ledgers.get_mut(&ledger) else {
            report.find("segments", format!("they name ledger {ledger}, which does not exist"));
            continue;
        };
        for (stored, run) in runs {
            let segment = segments.open(stored)?;
            sealed::check_run(parts, (stored, &segment), run, rebuilt, deep, report);
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
    let mut after = loaded.sealed_through;
    loop {
        let rows = database
            .tail(after, loaded.head.commit, READ_BYTES)
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
