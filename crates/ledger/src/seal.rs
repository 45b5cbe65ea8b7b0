//! Sealing: the oldest commits of the tail become segments, and leave the database and memory.
//!
//! Invariants
//! - A commit is in the tail or in a segment, never in neither: one transaction moves it, after the objects are durable.
//! - Readers take the tail before they take the manifest, so that what is moved in between is found at least once.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    Error, Ledger, RetentionScope, Row, Secrets,
    database::Change,
    history::{History, Redaction},
    inputs::Random,
    manifest::Manifest,
    output::{self, Draft, Kind, Output},
    segment::{Compression, Indexer},
    tail::LedgerState,
};

/// Sealing is on the path of sustained ingest: pages are compressed quickly, and again when they are compacted.
const COMPRESSION: Compression = Compression(1);

/// What was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedTail {
    /// The last commit that was sealed.
    pub through: u64,
    /// Events.
    pub events: u64,
    /// Segments that they became.
    pub segments: usize,
}

impl Ledger {
    /// Seals the oldest commits of the tail, as many as make up `seal_events` events or all there are; `None` when the tail is empty.
    /// Safe to repeat after any failure: what was not recorded is still in the tail.
    pub async fn seal(&self) -> Result<Option<SealedTail>, Error> {
        let shared = &self.inner.shared;
        shared.refused()?;
        let Some(through) = shared.tail_commits.first_of(shared.limits.seal_events) else {
            return Ok(None);
        };
        let manifest = shared.history.manifest();
        let rows = rows_through(&shared.ledgers.all(), through);
        let events = rows.iter().map(|(_, rows)| rows.len() as u64).sum();
        let (commits, now) = ((manifest.sealed_through() + 1, through), shared.clock.now().millis());
        let carried_out = rows
            .iter()
            .filter_map(|(ledger, rows)| carried_out(&shared.history, ledger, rows));
        let carried_out: Vec<Change> = carried_out.collect();
        let job = {
            let (history, indexer, random) = (
                Arc::clone(&shared.history),
                Arc::clone(&shared.indexer),
                Arc::clone(&shared.random),
            );
            move || write(&history, &*indexer, &*random, &manifest, rows, commits, now)
        };
        let written = tokio::task::spawn_blocking(job)
            .await
            .map_err(|error| Error::storage("seal", error))??;
        let mut segments = Vec::new();
        for (kind, drafts) in written {
            segments.extend(output::put(shared.history.objects(), &kind, drafts).await?);
        }
        let sealed = SealedTail {
            through,
            events,
            segments: segments.len(),
        };
        let mut changes = vec![Change::Seal {
            after: commits.0 - 1,
            through,
            segments,
        }];
        changes.extend(carried_out);
        self.change(changes.into()).await?;
        Ok(Some(sealed))
    }
}

/// The rows of commits up to `through`, newest first, by ledger.
fn rows_through(ledgers: &[Arc<LedgerState>], through: u64) -> Vec<(Arc<LedgerState>, Vec<Arc<Row>>)> {
    ledgers
        .iter()
        .map(|ledger| (Arc::clone(ledger), ledger.rows_through(through)))
        .filter(|(_, rows)| !rows.is_empty())
        .collect()
}

/// The redactions that rows of the tail have undergone.
fn carried_out(history: &History, ledger: &LedgerState, rows: &[Arc<Row>]) -> Option<Change> {
    let overlay = history.overlay(ledger.id);
    let first = rows.first()?.sequence;
    let is_done = |sequence: u64, redaction: &Redaction| {
        let row = sequence.checked_sub(first).and_then(|place| rows.get(place as usize));
        row.is_some_and(|row| row.secrets == Secrets::Redacted(redaction.secrets.clone()))
    };
    let done = overlay
        .iter()
        .filter(|(sequence, redaction)| is_done(**sequence, redaction));
    let redactions: Vec<(u64, i64)> = done
        .map(|(sequence, redaction)| (*sequence, redaction.redacted_at))
        .collect();
    (!redactions.is_empty()).then_some(Change::Rewritten {
        ledger: ledger.id,
        redactions,
    })
}

/// Writes one segment for each class of retention.
fn write(
    history: &History,
    indexer: &dyn Indexer,
    random: &dyn Random,
    manifest: &Manifest,
    rows: Vec<(Arc<LedgerState>, Vec<Arc<Row>>)>,
    commits: (u64, u64),
    now: i64,
) -> Result<Vec<(Kind, Vec<Draft>)>, Error> {
    let mut outputs: BTreeMap<Option<u32>, Output<'_>> = BTreeMap::new();
    for (ledger, mut rows) in rows {
        rows.sort_unstable_by_key(|row| std::cmp::Reverse((row.occurred_at, row.sequence)));
        let retention_days = manifest
            .retentions()
            .effective(&RetentionScope::from(&ledger.key), now)
            .days;
        let output = outputs.entry(retention_days).or_insert_with(|| {
            let kind = Kind {
                level: 0,
                commits,
                retention_days,
                compression: COMPRESSION,
                rows_max: u64::MAX,
            };
            Output::new(history.objects(), indexer, random, kind)
        });
        output.run(ledger.id, &ledger.key, rows.into_iter().map(Ok))?;
    }
    outputs.into_values().map(Output::finish).collect()
}
