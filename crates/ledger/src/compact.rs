//! Compacting: small segments next to one another become fewer and larger ones.
//!
//! Not here: which segments those are (`manifest`), how runs are merged (`rewrite`).

use std::{sync::Arc, time::Duration};

use crate::{
    Error, Ledger,
    database::{Change, LedgerId, StoredSegment},
    history::History,
    inputs::Random,
    manifest::{Merge, plan_compaction},
    output::{self, Draft, Kind, Output},
    rewrite::{Rules, adjoining, rewrite},
    segment::{Compression, Indexer},
    tail::Ledgers,
    writer::Shared,
};

/// What stays is compressed harder.
const COMPRESSION: Compression = Compression(6);

/// How long objects stay that no manifest names any more: readers that began before may still need them, and what they hold must
/// be gone within a day after it expired or was redacted.
pub(crate) const GRACE: Duration = Duration::from_secs(12 * 3_600);

/// What was compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Segments that went.
    pub removed: usize,
    /// Segments that came.
    pub added: usize,
    /// Events in them.
    pub events: u64,
}

impl Ledger {
    /// Merges the segments that are most worth it; `None` when none are. Safe to repeat after any failure.
    pub async fn compact(&self) -> Result<Option<Compacted>, Error> {
        self.inner.shared.refused()?;
        match self.to_compact() {
            Some(merge) => self.replace(merge.inputs, merge.level).await,
            None => Ok(None),
        }
    }

    /// The segments that are most worth merging; `None` when none are.
    pub(crate) fn to_compact(&self) -> Option<Merge> {
        let Shared { history, limits, .. } = &*self.inner.shared;
        plan_compaction(&history.manifest(), &limits.compaction, &history.adjoining_nothing())
    }

    /// Writes some segments anew, which are in the order of their commits: without what lies below the floors, with redactions
    /// carried out. Of segments between which a ledger has a gap only those before it are taken.
    pub(crate) async fn replace(&self, inputs: Vec<Arc<StoredSegment>>, level: u8) -> Result<Option<Compacted>, Error> {
        let shared = &self.inner.shared;
        let Some(first) = inputs.first().map(|input| input.segment) else {
            return Ok(None);
        };
        let rewriting = Rewriting {
            history: Arc::clone(&shared.history),
            ledgers: Arc::clone(&shared.ledgers),
            indexer: Arc::clone(&shared.indexer),
            random: Arc::clone(&shared.random),
            inputs,
            level,
            rows_max: shared.limits.compaction.segment_rows_max,
        };
        let written = tokio::task::spawn_blocking(move || rewriting.run())
            .await
            .map_err(|error| Error::storage("write segments anew", error))??;
        let Some(Written {
            kind,
            drafts,
            inputs,
            carried_out,
        }) = written
        else {
            shared.history.adjoins_nothing(first);
            return Ok(None);
        };
        let add = output::put(shared.history.objects(), &kind, drafts).await?;
        let compacted = Compacted {
            removed: inputs.len(),
            added: add.len(),
            events: add.iter().map(|segment| segment.events).sum(),
        };
        let mut changes = vec![Change::Replace {
            remove: inputs.iter().map(|segment| segment.segment).collect(),
            add,
            removable_at: shared.clock.now().millis() + GRACE.as_millis() as i64,
        }];
        changes.extend(carried_out);
        self.change(changes.into()).await?;
        Ok(Some(compacted))
    }
}

/// What a rewriting wrote, and of which segments.
struct Written {
    kind: Kind,
    drafts: Vec<Draft>,
    inputs: Vec<Arc<StoredSegment>>,
    carried_out: Vec<Change>,
}

/// What a rewriting works with.
struct Rewriting {
    history: Arc<History>,
    ledgers: Arc<Ledgers>,
    indexer: Arc<dyn Indexer>,
    random: Arc<dyn Random>,
    inputs: Vec<Arc<StoredSegment>>,
    level: u8,
    rows_max: u64,
}

impl Rewriting {
    /// Writes as many of the inputs as adjoin; `None` when that is only the first of several.
    fn run(mut self) -> Result<Option<Written>, Error> {
        let open = self.inputs.iter().map(|input| self.history.open(input));
        let open = open.collect::<Result<Vec<_>, _>>()?;
        let adjoin = adjoining(&open)?;
        if adjoin < self.inputs.len().min(2) {
            return Ok(None);
        }
        self.inputs.truncate(adjoin);
        let kind = Kind {
            level: self.level,
            commits: (self.inputs[0].commits.0, self.inputs[adjoin - 1].commits.1),
            retention_days: self.inputs[0].retention_days,
            compression: COMPRESSION,
            rows_max: self.rows_max,
        };
        let mut output = Output::new(self.history.objects(), &*self.indexer, &*self.random, kind);
        let carried_out = rewrite(&open[..adjoin], &|ledger| self.rules(ledger), &mut output)?;
        let (kind, drafts) = output.finish()?;
        Ok(Some(Written {
            kind,
            drafts,
            inputs: self.inputs,
            carried_out,
        }))
    }

    fn rules(&self, ledger: LedgerId) -> Result<Rules, Error> {
        let state = self
            .ledgers
            .by_id(ledger)
            .ok_or_else(|| Error::corrupt(format!("a segment names an unknown ledger: ledger={ledger}")))?;
        Ok(Rules {
            key: state.key.clone(),
            floor: self.history.manifest().floor(ledger),
            overlay: self.history.overlay(ledger),
        })
    }
}
