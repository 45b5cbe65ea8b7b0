//! Where the time goes: counters that the writer and the database add to and that `/metrics` reads.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::Job;

/// A stage of the append path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Parsing, checking and canonicalising, before the ledger; whoever admits adds to it.
    Admit,
    /// Nonces, salts and commitments of the parts.
    Commitments,
    /// Compressing the bodies.
    Compress,
    /// Numbering, leaf hashes and frontiers, in the writer.
    Number,
    /// SQL statements before the commit.
    Sql,
    /// The commit and its sync.
    Sync,
    /// Publishing committed rows to readers.
    Publish,
}

impl Stage {
    /// All stages in their order.
    pub const ALL: [Stage; 7] = [
        Stage::Admit,
        Stage::Commitments,
        Stage::Compress,
        Stage::Number,
        Stage::Sql,
        Stage::Sync,
        Stage::Publish,
    ];

    /// The stage's name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Admit => "admit",
            Stage::Commitments => "commitments",
            Stage::Compress => "compress",
            Stage::Number => "number",
            Stage::Sql => "sql",
            Stage::Sync => "sync",
            Stage::Publish => "publish",
        }
    }
}

/// Upper bounds of the duration buckets, milliseconds; one more bucket holds the rest.
pub const BUCKETS_MS: [f64; 14] = [
    0.25, 0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 25.0, 50.0, 100.0, 250.0, 1000.0,
];

/// How long something took, in buckets.
#[derive(Debug, Default)]
pub struct Durations {
    buckets: [AtomicU64; BUCKETS_MS.len() + 1],
    sum_ns: AtomicU64,
}

impl Durations {
    /// Counts one.
    pub fn observe(&self, duration: Duration) {
        let millis = duration.as_secs_f64() * 1e3;
        let bucket = BUCKETS_MS
            .iter()
            .position(|bound| millis <= *bound)
            .unwrap_or(BUCKETS_MS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(duration.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Counts per bucket (not cumulative), and the sum in seconds.
    pub fn read(&self) -> ([u64; BUCKETS_MS.len() + 1], f64) {
        (
            std::array::from_fn(|index| self.buckets[index].load(Ordering::Relaxed)),
            self.sum_ns.load(Ordering::Relaxed) as f64 / 1e9,
        )
    }
}

/// The ledger's measures. All only grow, but the gauges `tail_events`, `tail_bytes`, `cache_bytes` and `lake_versions_waiting`.
#[derive(Debug, Default)]
pub struct Measures {
    stages_ns: [AtomicU64; Stage::ALL.len()],
    /// Events appended.
    pub events: AtomicU64,
    /// Duplicates recognised.
    pub duplicates: AtomicU64,
    /// Commits of other nodes that were taken in.
    pub followed: AtomicU64,
    /// Events in the tail.
    pub tail_events: AtomicU64,
    /// Bytes of the tail in memory, estimated.
    pub tail_bytes: AtomicU64,
    /// Durations of jobs that did something, in the order of [`crate::Job::ALL`].
    pub jobs: [Durations; Job::ALL.len()],
    /// Jobs that failed, in the same order.
    pub job_failures: [AtomicU64; Job::ALL.len()],
    /// Versions of the lake's table that its log lacks; kept by whoever writes them.
    pub lake_versions_waiting: AtomicU64,
    /// Commit durations: statements and sync.
    pub commits: Durations,
    /// Durations of the database's own log checkpoints (SQLite: from WAL into the file).
    pub wal_checkpoints: Durations,
    /// Those among them that the writer had to wait for.
    pub wal_restarts: Durations,
    /// Bytes of the cache of a remote store's objects.
    pub cache_bytes: AtomicU64,
    /// Chunks of objects that were read from the cache.
    pub cache_hits: AtomicU64,
    /// Chunks of objects that somebody had to wait for.
    pub cache_misses: AtomicU64,
    /// Requests for chunks that failed and were repeated, or given up.
    pub cache_failures: AtomicU64,
}

impl Measures {
    /// Adds to a stage.
    pub fn add(&self, stage: Stage, duration: Duration) {
        self.stages_ns[stage as usize].fetch_add(duration.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Seconds spent in a stage.
    pub fn seconds(&self, stage: Stage) -> f64 {
        self.stages_ns[stage as usize].load(Ordering::Relaxed) as f64 / 1e9
    }
}
