//! Expiring and sweeping: what lies below the floors is erased, and objects that nothing names are deleted.
//!
//! Invariants
//! - Bytes below a floor are gone from the newest segments within half a day of their expiry, and from the store half a day later.
//! - An object is deleted only when no manifest names it and its grace is over; while a backup is under way none is.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    Error, Ledger, RetentionScope,
    compact::GRACE,
    database::{Change, StoredSegment},
    output::DIRECTORY,
};

/// A segment is written anew once its oldest expired event has been expired for so long.
const REWRITE_AFTER_MS: i64 = 8 * 3_600_000;

/// What a segment has below the floors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Below {
    Nothing,
    Waits,
    Due,
}

impl Ledger {
    /// Erases what lies below the floors of one segment that needs it; `false` when none does. Safe to repeat.
    pub async fn expire(&self) -> Result<bool, Error> {
        let shared = &self.inner.shared;
        shared.refused()?;
        let (manifest, expiring) = (shared.history.manifest(), &shared.history.expiring);
        let cut = expiring.cut();
        for stored in manifest.segments().filter(|stored| cut.contains(&stored.segment)) {
            // A floor that moves from here on is remembered once more.
            expiring.forget_cut(stored.segment);
            let (ledger, wanted) = (self.clone(), Arc::clone(stored));
            let below = tokio::task::spawn_blocking(move || ledger.below_floors(&wanted)).await;
            let below = below
                .map_err(|error| Error::storage("look for expired events", error))
                .flatten();
            if !matches!(below, Ok(Below::Nothing)) {
                expiring.cuts([stored.segment]);
            }
            if below? == Below::Due {
                self.replace(vec![Arc::clone(stored)], stored.level).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What a segment has below the floors. It is due when there is nothing else, or when something of it expired long ago.
    fn below_floors(&self, stored: &StoredSegment) -> Result<Below, Error> {
        let shared = &self.inner.shared;
        let (manifest, now) = (shared.history.manifest(), shared.clock.now().millis());
        let (mut expired, mut is_due) = (0, false);
        for run in shared.history.open(stored)?.runs()? {
            let below = manifest
                .floor(run.ledger)
                .saturating_sub(run.first_sequence)
                .min(run.rows);
            if below > 0 {
                expired += below;
                let ledger = shared.ledgers.by_id(run.ledger);
                let expired_at = ledger.and_then(|ledger| {
                    let retention = manifest.retentions().effective(&RetentionScope::from(&ledger.key), now);
                    retention.expires_at(run.received.0.millis(), now)
                });
                // What expired under a retention that is longer now, or held, did so at some time that is not known any more.
                is_due |= expired_at.is_none_or(|at| at > now || at + REWRITE_AFTER_MS <= now);
            }
        }
        Ok(match expired {
            0 => Below::Nothing,
            _ if is_due || expired == stored.events => Below::Due,
            _ => Below::Waits,
        })
    }

    /// Carries out redactions in one segment that still has what they removed; `false` when there is none. Safe to repeat.
    pub async fn carry_out_redactions(&self) -> Result<bool, Error> {
        let shared = &self.inner.shared;
        shared.refused()?;
        let manifest = shared.history.manifest();
        for ledger in shared.history.overlaid() {
            let overlay = shared.history.overlay(ledger);
            for (stored, run) in shared.history.runs(&manifest, ledger)? {
                if overlay
                    .range(run.first_sequence..run.first_sequence + run.rows)
                    .next()
                    .is_some()
                {
                    let level = stored.level;
                    self.replace(vec![stored], level).await?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Deletes objects whose time has come; answers how many.
    pub async fn sweep(&self) -> Result<usize, Error> {
        let shared = &self.inner.shared;
        shared.refused()?;
        let now = shared.clock.now();
        let manifest = shared.history.manifest();
        if manifest.is_pinned(now.millis()) {
            return Ok(0);
        }
        let over: Vec<Change> = manifest
            .pins()
            .map(|pin| Change::Unpin { name: pin.name.clone() })
            .collect();
        if !over.is_empty() {
            self.change(over.into()).await?;
        }
        let garbage = shared.database.garbage(now.millis()).await;
        let garbage = garbage.map_err(|error| Error::storage("read what is to be deleted", error))?;
        let objects: Vec<String> = garbage.into_iter().map(|garbage| garbage.object).collect();
        for object in &objects {
            shared.history.objects().delete(object).await?;
        }
        let deleted = objects.len();
        if deleted > 0 {
            self.change(vec![Change::Swept { objects }].into()).await?;
        }
        let deleted = deleted + self.sweep_unnamed().await?;
        self.condense_records().await?;
        Ok(deleted)
    }

    /// Deletes old objects of segments, and files of uploads that were cut off, that neither the manifest nor the list of what is to be
    /// deleted names.
    async fn sweep_unnamed(&self) -> Result<usize, Error> {
        let shared = &self.inner.shared;
        let objects = shared.history.objects();
        let listed = objects
            .list(DIRECTORY)
            .await?
            .into_iter()
            .chain(objects.files(DIRECTORY)?);
        let listed: BTreeMap<String, SystemTime> = listed.map(|object| (object.name, object.modified)).collect();
        // In this order: what leaves the manifest meanwhile is found in the list.
        let manifest = shared.history.manifest();
        let garbage = shared.database.garbage(i64::MAX).await;
        let garbage = garbage.map_err(|error| Error::storage("read what is to be deleted", error))?;
        let mut named: HashSet<String> = garbage.into_iter().map(|garbage| garbage.object).collect();
        for segment in manifest.segments() {
            named.extend([segment.data.name.clone(), segment.bundle.name.clone()]);
        }
        let now = Duration::from_millis(u64::try_from(shared.clock.now().millis()).unwrap_or_default());
        let mut deleted = 0;
        for (name, modified) in listed.into_iter().filter(|(name, _)| !named.contains(name)) {
            let modified = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            if modified + GRACE < now {
                objects.delete(&name).await?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }
}
