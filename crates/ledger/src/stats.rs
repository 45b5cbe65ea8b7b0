//! What the ledgers take: by level and by organization.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use crate::{Error, Ledger, OrganizationKey};

/// What is stored, and where.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stats {
    /// Events that are not sealed.
    pub tail_events: u64,
    /// Their bytes in memory, estimated.
    pub tail_bytes: u64,
    /// Milliseconds since the oldest of them was committed.
    pub tail_age_ms: i64,
    /// Sealed events, by level.
    pub levels: BTreeMap<u8, LevelStats>,
    /// By organization.
    pub organizations: BTreeMap<OrganizationKey, OrganizationStats>,
}

/// The segments of one level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LevelStats {
    /// Segments.
    pub segments: u64,
    /// Their rows.
    pub events: u64,
    /// Bytes of their Parquet files.
    pub data_bytes: u64,
    /// Bytes of their bundles: index and proofs.
    pub bundle_bytes: u64,
}

/// One organization's ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OrganizationStats {
    /// Events that were ever stored.
    pub size: u64,
    /// Nothing below this sequence is read.
    pub floor: u64,
    /// Events in segments.
    pub sealed_events: u64,
    /// Segments that they are in.
    pub segments: u64,
    /// Their share of those segments' bytes, by rows.
    pub bytes: f64,
}

impl Ledger {
    /// What is in memory and in the manifest, without looking into any file.
    pub fn level_stats(&self) -> Stats {
        let shared = &self.inner.shared;
        let mut stats = Stats {
            tail_events: shared.measures.tail_events.load(Ordering::Relaxed),
            tail_bytes: shared.measures.tail_bytes.load(Ordering::Relaxed),
            tail_age_ms: shared
                .tail_commits
                .oldest()
                .map_or(0, |oldest| shared.clock.now().millis() - oldest.millis()),
            ..Stats::default()
        };
        for segment in shared.history.manifest().segments() {
            let level = stats.levels.entry(segment.level).or_default();
            level.segments += 1;
            level.events += segment.events;
            level.data_bytes += segment.data.bytes;
            level.bundle_bytes += segment.bundle.bytes;
        }
        stats
    }

    /// What every organization takes as well: reads the directory of every segment.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Storage`].
    pub fn stats(&self) -> Result<Stats, Error> {
        let shared = &self.inner.shared;
        let manifest = shared.history.manifest();
        let mut stats = self.level_stats();
        let mut sealed = BTreeMap::<u64, OrganizationStats>::new();
        for stored in manifest.segments() {
            let bytes_a_row = (stored.data.bytes + stored.bundle.bytes) as f64 / stored.events.max(1) as f64;
            for run in shared.history.open(stored)?.runs()? {
                let own = sealed.entry(run.ledger).or_default();
                own.sealed_events += run.rows;
                own.segments += 1;
                own.bytes += bytes_a_row * run.rows as f64;
            }
        }
        for ledger in shared.ledgers.all() {
            let own = OrganizationStats {
                size: ledger.head().size,
                floor: manifest.floor(ledger.id),
                ..sealed.remove(&ledger.id).unwrap_or_default()
            };
            stats.organizations.insert(ledger.key.clone(), own);
        }
        Ok(stats)
    }
}
