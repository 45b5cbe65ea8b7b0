//! Floors: below them nothing of a ledger is read, ever again. They only move up, by time and policy.
//!
//! Invariants
//! - An event is below the floor once its retention has passed, unless a legal hold is on; never before.
//! - A floor that moved never moves back, whatever the policy says later.
//! - What proofs need of what lies below is kept in the same commit that moves the floor: see `pieces`.
//!
//! Not here: erasing what lies below (`expire`), how policies combine (`manifest`).

use std::sync::Arc;

use trailbook_event::Timestamp;

use crate::{
    Error, Ledger, OrganizationKey, Retention, RetentionChange, RetentionScope,
    database::{Change, Floor, StoredRetention, StoredSegment, StoredTile},
    forgotten::Record,
    history::History,
    pieces::{self, TILE},
    segment::{Run, Segment},
    tail::LedgerState,
};

/// How many floors move in one commit.
const FLOORS_AT_A_TIME: usize = 1_000;

/// What has expired of a ledger.
struct Expired {
    /// Where the floor is.
    from: u64,
    /// Where it has to move.
    to: Floor,
    /// The segments in between.
    segments: Vec<u64>,
}

/// Floors that move in one commit.
#[derive(Default)]
struct Floors {
    records: Vec<Record>,
    changes: Vec<Change>,
    /// Segments that then have rows below a floor.
    cut: Vec<u64>,
}

impl Ledger {
    /// Moves the floors up to what has expired by now; answers how many moved.
    pub async fn advance_floors(&self) -> Result<usize, Error> {
        let shared = &self.inner.shared;
        let now = shared.clock.now().millis();
        self.move_floors(&|ledger| {
            let retention = shared
                .history
                .manifest()
                .retentions()
                .effective(&RetentionScope::from(&ledger.key), now);
            // What expires at `now` was received so long ago or longer.
            let kept = retention.expires_at(0, now)?;
            Some(Timestamp::from_millis(now - kept))
        })
        .await
    }

    /// Moves the floors of ledgers over everything that was received up to an instant; answers how many moved.
    pub(crate) async fn move_floors(
        &self,
        until: &(dyn Fn(&LedgerState) -> Option<Timestamp> + Sync),
    ) -> Result<usize, Error> {
        let shared = &self.inner.shared;
        shared.refused()?;
        let (mut moved, mut floors) = (0, Floors::default());
        for ledger in shared.ledgers.all() {
            let Some(instant) = until(&ledger) else { continue };
            let Some(expired) = tokio::task::block_in_place(|| self.expired(&ledger, instant))? else {
                continue;
            };
            floors.changes.push(Change::Floor {
                ledger: ledger.id,
                floor: expired.to,
                tiles: self.tiles_below(&ledger, expired.from, expired.to.sequence).await?,
            });
            floors.records.push(Record::floor(&ledger.key, instant));
            floors.cut.extend(expired.segments);
            moved += 1;
            if floors.changes.len() >= FLOORS_AT_A_TIME {
                self.commit_floors(std::mem::take(&mut floors)).await?;
            }
        }
        if !floors.changes.is_empty() {
            self.commit_floors(floors).await?;
        }
        Ok(moved)
    }

    async fn commit_floors(&self, floors: Floors) -> Result<(), Error> {
        let held = self.forgetting().await;
        self.forget(&held, floors.records, floors.changes.into()).await?;
        self.inner.shared.history.expiring.cuts(floors.cut);
        Ok(())
    }

    /// What was received of a ledger up to an instant and is not below its floor.
    fn expired(&self, ledger: &LedgerState, instant: Timestamp) -> Result<Option<Expired>, Error> {
        let history = &self.inner.shared.history;
        let manifest = history.manifest();
        let sealed_through = manifest.sealed_through();
        if history.expiring.is_kept(ledger.id, instant, sealed_through) {
            return Ok(None);
        }
        let from = manifest.floor(ledger.id);
        let runs = history.runs(&manifest, ledger.id)?;
        let (to, received_at) = first_after(history, &runs, from, instant)?;
        if to == from {
            history.expiring.keeps(ledger.id, received_at, sealed_through);
            return Ok(None);
        }
        let between = runs
            .iter()
            .filter(|(_, run)| run.first_sequence < to && run.first_sequence + run.rows > from);
        Ok(Some(Expired {
            from,
            to: Floor {
                sequence: to,
                received_at: instant.millis(),
            },
            segments: between.map(|(stored, _)| stored.segment).collect(),
        }))
    }

    /// How long events of an organization or a project are kept: what was set for it, else for the scope above.
    pub fn retention(&self, scope: impl Into<RetentionScope>) -> Retention {
        let shared = &self.inner.shared;
        let now = shared.clock.now().millis();
        shared.history.manifest().retentions().effective(&scope.into(), now)
    }

    /// What was set for a scope itself, in force or waiting; `None` when nothing ever was.
    pub fn own_retention(&self, scope: impl Into<RetentionScope>) -> Option<StoredRetention> {
        let manifest = self.inner.shared.history.manifest();
        manifest.retentions().own(&scope.into()).cloned()
    }

    /// What changes of retention come to. They are made from what is set while the right to forget is held.
    pub(crate) fn retentions_changed(&self, changes: &[RetentionChange]) -> Vec<StoredRetention> {
        let shared = &self.inner.shared;
        let now = shared.clock.now().millis();
        let mut retentions = shared.history.manifest().retentions().clone();
        let changed = |change| {
            let stored = retentions.changed(change, now, self.has_events(&change.scope));
            retentions.set(&stored);
            stored
        };
        changes.iter().map(changed).collect()
    }

    /// Whether anything was ever stored under a scope.
    fn has_events(&self, scope: &RetentionScope) -> bool {
        let is_stored = |ledger: &Arc<LedgerState>| ledger.head().size > 0;
        match scope {
            RetentionScope::Organization(key) => self.state(key).is_ok_and(|ledger| is_stored(&ledger)),
            RetentionScope::Project(project) => {
                let ledgers = self.inner.shared.ledgers.all();
                let mut of_project = ledgers.iter().filter(|ledger| ledger.key.project() == &**project);
                of_project.any(is_stored)
            }
        }
    }

    /// What is kept of the tiles between two floors.
    async fn tiles_below(&self, ledger: &LedgerState, old: u64, new: u64) -> Result<Vec<StoredTile>, Error> {
        let checkpoints = self.inner.shared.database.checkpoints(ledger.id).await;
        let mut sizes: Vec<u64> = checkpoints
            .map_err(|error| Error::storage("read checkpoints", error))?
            .iter()
            .map(|checkpoint| checkpoint.size)
            .filter(|size| !size.is_multiple_of(TILE))
            .collect();
        sizes.sort_unstable();
        sizes.dedup();
        let mut tiles = Vec::new();
        let of_checkpoints = sizes.iter().map(|size| size / TILE);
        // The tile that the old floor cut, those that checkpoints end in, and the one that the new floor cuts.
        let mut touched: Vec<u64> = of_checkpoints.chain([old / TILE, new / TILE]).collect();
        touched.sort_unstable();
        touched.dedup();
        for tile in touched
            .into_iter()
            .filter(|tile| (old / TILE..=new / TILE).contains(tile))
        {
            let (begin, end) = (tile * TILE, ((tile + 1) * TILE).min(new));
            let mut kept = self.pieces(ledger, tile).await?;
            let from = begin.max(old);
            let leaves = self.leaf_hashes(ledger, from..end.max(from)).await?;
            kept.extend(pieces::of_leaves((from % TILE) as u8, &leaves));
            if end == begin + TILE {
                let inside = sizes.iter().filter(|size| (begin..end).contains(size));
                let inside: Vec<u8> = inside.map(|size| (size % TILE) as u8).collect();
                kept = pieces::condensed(&kept, &inside).ok_or_else(|| {
                    Error::corrupt(format!("the leaf hashes of a tile: ledger={} tile={tile}", ledger.key))
                })?;
            }
            tiles.push(StoredTile {
                ledger: ledger.id,
                tile,
                pieces: kept,
            });
        }
        Ok(tiles)
    }

    /// What has expired of the organization's events was received up to this instant; `None` when nothing has.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the organization has no ledger.
    pub fn expired_through(&self, organization: &OrganizationKey) -> Result<Option<Timestamp>, Error> {
        let ledger = self.state(organization)?;
        let through = self.inner.shared.history.manifest().expired_through(ledger.id);
        Ok(through.map(Timestamp::from_millis))
    }

    /// The first index of the organization's tree from which on all leaf records are kept: a multiple of 256, which is what a tile has.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the organization has no ledger.
    pub fn minimum_index(&self, organization: &OrganizationKey) -> Result<u64, Error> {
        Ok(self.floor(&*self.state(organization)?).next_multiple_of(TILE))
    }

    /// Nothing below this sequence is read.
    pub(crate) fn floor(&self, ledger: &LedgerState) -> u64 {
        self.inner.shared.history.manifest().floor(ledger.id)
    }
}

/// The first sequence that was received after an instant, among what is sealed, and not below `floor`; and when it was received,
/// `None` when there is no such row.
fn first_after(
    history: &History,
    runs: &[(Arc<StoredSegment>, Run)],
    floor: u64,
    instant: Timestamp,
) -> Result<(u64, Option<Timestamp>), Error> {
    let mut first = floor;
    for (stored, run) in runs {
        let end = run.first_sequence + run.rows;
        if end <= first || run.received.1 <= instant {
            first = first.max(end);
            continue;
        }
        let segment = history.open(stored)?;
        let (mut low, mut high) = (first.max(run.first_sequence), end);
        while low < high {
            let middle = low.midpoint(high);
            if received_at(&segment, run, middle)? > instant {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return Ok((low, Some(received_at(&segment, run, low)?)));
    }
    Ok((first, None))
}

/// When a row of a run was received.
fn received_at(segment: &Segment, run: &Run, sequence: u64) -> Result<Timestamp, Error> {
    let number = segment.numbers(run, sequence..sequence + 1)?;
    let number = number
        .first()
        .ok_or_else(|| Error::corrupt("a permutation is too short"))?;
    segment.received_at(run, *number)
}
