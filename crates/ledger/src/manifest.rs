//! Which segments there are, where floors stand and how long events are kept: one immutable state, replaced by each change.
//!
//! Invariants
//! - Of each ledger the runs in the segments of one class follow one another in the order of the segments' commits.
//! - A state never changes; readers hold the one that they began with.
//!
//! Not here: the segments' contents (`segment`), storing (`database`).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use rustc_hash::FxBuildHasher;

use crate::{
    database::{Change, Floor, LedgerId, Loaded, StoredPin, StoredSegment},
    lake::Table,
};

mod compaction;
mod filter;
mod retention;

pub use compaction::CompactionLimits;
pub(crate) use compaction::{Merge, plan_compaction};
pub(crate) use filter::LedgerFilter;
pub(crate) use retention::Retentions;
pub use retention::{DAY_MS, Retention, RetentionChange};

/// A segment and its filter, decoded.
struct Entry {
    stored: Arc<StoredSegment>,
    filter: LedgerFilter,
}

/// The state of history.
#[derive(Clone)]
pub(crate) struct Manifest {
    /// By first commit, then by first ledger, then by number.
    segments: Arc<BTreeMap<(u64, LedgerId, u64), Arc<Entry>>>,
    sealed_through: u64,
    floors: Arc<HashMap<LedgerId, Floor, FxBuildHasher>>,
    retentions: Retentions,
    pins: Vec<StoredPin>,
    lake: Table,
}

fn place(stored: &StoredSegment) -> (u64, LedgerId, u64) {
    (stored.commits.0, stored.ledgers.0, stored.segment)
}

fn entry(stored: StoredSegment) -> ((u64, LedgerId, u64), Arc<Entry>) {
    let filter = LedgerFilter::decode(&stored.filter);
    let entry = Entry {
        filter,
        stored: Arc::new(stored),
    };
    (place(&entry.stored), Arc::new(entry))
}

impl Manifest {
    /// What was loaded; `default_days` is the deployment's retention.
    pub(crate) fn new(loaded: &Loaded, default_days: Option<u32>) -> Self {
        Self {
            segments: Arc::new(loaded.segments.iter().cloned().map(entry).collect()),
            sealed_through: loaded.sealed_through,
            floors: Arc::new(loaded.floors.iter().copied().collect()),
            retentions: Retentions::new(&loaded.retentions, default_days),
            pins: loaded.pins.clone(),
            lake: Table::new(&loaded.deployment, loaded.next_lake_version),
        }
    }

    /// The state after committed changes.
    pub(crate) fn apply(&self, changes: &[Change]) -> Self {
        let mut next = self.clone();
        changes.iter().for_each(|change| next.make(change));
        next
    }

    fn make(&mut self, change: &Change) {
        match change {
            Change::Seal { through, segments, .. } => {
                self.sealed_through = *through;
                Arc::make_mut(&mut self.segments).extend(segments.iter().cloned().map(entry));
            }
            Change::Replace { remove, add, .. } => {
                let segments = Arc::make_mut(&mut self.segments);
                segments.retain(|_, entry| !remove.contains(&entry.stored.segment));
                segments.extend(add.iter().cloned().map(entry));
            }
            Change::Floor { ledger, floor, .. } => {
                Arc::make_mut(&mut self.floors).insert(*ledger, *floor);
            }
            Change::Retention(retention) => self.retentions.set(retention),
            Change::Pin(pin) => {
                self.pins.retain(|known| known.name != pin.name);
                self.pins.push(pin.clone());
            }
            Change::Unpin { name } => self.pins.retain(|pin| pin.name != *name),
            Change::Lake(version) => self.lake.next_version = version.version + 1,
            Change::Redact(_)
            | Change::Rewritten { .. }
            | Change::Swept { .. }
            | Change::Record(_)
            | Change::LakeForgotten { .. } => {}
        }
    }

    /// All segments, in the order of their commits.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &Arc<StoredSegment>> {
        self.segments.values().map(|entry| &entry.stored)
    }

    /// The segments that may hold a ledger, in the order of their commits.
    pub(crate) fn segments_of(&self, ledger: LedgerId) -> impl Iterator<Item = &Arc<StoredSegment>> {
        self.segments
            .values()
            .filter(move |entry| {
                let (first, last) = entry.stored.ledgers;
                (first..=last).contains(&ledger) && entry.filter.may_contain(ledger)
            })
            .map(|entry| &entry.stored)
    }

    /// The last commit that was sealed.
    pub(crate) fn sealed_through(&self) -> u64 {
        self.sealed_through
    }

    /// Nothing of the ledger below this sequence is read.
    pub(crate) fn floor(&self, ledger: LedgerId) -> u64 {
        self.floors.get(&ledger).map_or(0, |floor| floor.sequence)
    }

    /// What has expired of the ledger was received up to this instant, milliseconds; `None` when nothing has.
    pub(crate) fn expired_through(&self, ledger: LedgerId) -> Option<i64> {
        self.floors.get(&ledger).map(|floor| floor.received_at)
    }

    /// The lake's table, of which the newest version has just these segments.
    pub(crate) fn lake(&self) -> &Table {
        &self.lake
    }

    /// How long events are kept.
    pub(crate) fn retentions(&self) -> &Retentions {
        &self.retentions
    }

    /// Backups that began and have not ended.
    pub(crate) fn pins(&self) -> impl Iterator<Item = &StoredPin> {
        self.pins.iter()
    }

    /// Whether a backup is under way.
    pub(crate) fn is_pinned(&self, now: i64) -> bool {
        self.pins.iter().any(|pin| pin.until > now)
    }
}
