//! The sealed part of all ledgers as readers and jobs see it: the manifest, open segments, and redactions to honour.
//!
//! Invariants
//! - What a reader holds stays readable: a manifest never changes, and objects outlive the manifest that named them by hours.
//! - Open files and remembered runs are bounded, whatever the number of segments.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use quick_cache::sync::Cache;

use crate::{
    Error, Limits, PartSecret,
    database::{Change, LedgerId, Loaded, StoredRedaction, StoredSegment},
    expiring::Expiring,
    lake,
    manifest::Manifest,
    objects::Objects,
    segment::{Run, Segment},
};

/// Runs that are remembered, so that their segments' directories need not be searched again.
const RUNS_REMEMBERED: usize = 200_000;

/// Redactions of one ledger that its segments do not carry out yet, by sequence.
pub type Overlay = BTreeMap<u64, Redaction>;

/// A redaction to honour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    /// What is kept of the five parts.
    pub secrets: Box<[PartSecret; 5]>,
    /// When it was committed, milliseconds.
    pub redacted_at: i64,
}

impl Redaction {
    fn of(stored: &StoredRedaction) -> Self {
        Self {
            secrets: stored.secrets.clone(),
            redacted_at: stored.redacted_at,
        }
    }
}

/// Segments that are opened when they are needed, of which a bounded number stay open.
pub(crate) struct OpenSegments {
    objects: Objects,
    open: Cache<u64, Arc<Segment>>,
}

impl OpenSegments {
    pub(crate) fn new(objects: Objects, open_max: usize) -> Self {
        Self {
            objects,
            open: Cache::new(open_max),
        }
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// A segment, opened.
    pub(crate) fn open(&self, stored: &StoredSegment) -> Result<Arc<Segment>, Error> {
        self.open
            .get_or_insert_with(&stored.segment, || self.objects.segment(stored).map(Arc::new))
    }
}

/// The history of all ledgers.
pub(crate) struct History {
    segments: OpenSegments,
    manifest: RwLock<Arc<Manifest>>,
    overlays: RwLock<BTreeMap<LedgerId, Arc<Overlay>>>,
    runs: Cache<(u64, LedgerId), Option<Run>>,
    next_segment: AtomicU64,
    /// Segments that cannot be merged with the next one, as a ledger would have a gap.
    adjoining_nothing: Mutex<BTreeSet<u64>>,
    pub(crate) expiring: Expiring,
    pub(crate) lake: lake::Progress,
}

impl History {
    /// The history that was loaded.
    pub(crate) fn new(objects: Objects, loaded: &Loaded, limits: &Limits) -> Self {
        let mut overlays = BTreeMap::<LedgerId, Overlay>::new();
        for redaction in loaded.redactions.iter().filter(|redaction| !redaction.rewritten) {
            let overlay = overlays.entry(redaction.ledger).or_default();
            overlay.insert(redaction.sequence, Redaction::of(redaction));
        }
        Self {
            segments: OpenSegments::new(objects, limits.open_segments_max),
            manifest: RwLock::new(Arc::new(Manifest::new(loaded, limits.retention_days))),
            overlays: RwLock::new(
                overlays
                    .into_iter()
                    .map(|(ledger, overlay)| (ledger, Arc::new(overlay)))
                    .collect(),
            ),
            runs: Cache::new(RUNS_REMEMBERED),
            next_segment: AtomicU64::new(loaded.next_segment),
            adjoining_nothing: Mutex::default(),
            expiring: Expiring::new(loaded),
            lake: lake::Progress::default(),
        }
    }

    pub(crate) fn objects(&self) -> &Objects {
        self.segments.objects()
    }

    pub(crate) fn manifest(&self) -> Arc<Manifest> {
        Arc::clone(&self.manifest.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A change as it is committed, when nothing else can be committed before it: new segments get their numbers, and a redaction comes on
    /// top of an earlier one.
    pub(crate) fn on_top(&self, mut change: Change) -> Change {
        match change {
            Change::Redact(redaction) => self.redaction_on_top(redaction),
            Change::Seal {
                segments: ref mut new, ..
            }
            | Change::Replace { add: ref mut new, .. } => {
                let next = self.next_segment.load(Ordering::Relaxed);
                new.iter_mut()
                    .zip(next..)
                    .for_each(|(segment, number)| segment.segment = number);
                change
            }
            change => change,
        }
    }

    /// A redaction on top of one of the same event that is not carried out yet: what that removes stays removed, although whoever asked for
    /// this may not have seen it.
    fn redaction_on_top(&self, mut redaction: StoredRedaction) -> Change {
        if let Some(earlier) = self.overlay(redaction.ledger).get(&redaction.sequence) {
            for (secret, earlier) in redaction.secrets.iter_mut().zip(earlier.secrets.iter()) {
                if matches!(earlier, PartSecret::Commitment(_)) {
                    *secret = *earlier;
                }
            }
            // It tells the two apart when they are carried out.
            redaction.redacted_at = redaction.redacted_at.max(earlier.redacted_at + 1);
        }
        Change::Redact(redaction)
    }

    /// Makes committed changes visible. A redaction is honoured before the segments that need it are seen, and until those that do not
    /// are.
    pub(crate) fn apply(&self, changes: &[Change]) {
        if changes.iter().any(|change| matches!(change, Change::Replace { .. })) {
            let mut known = self.adjoining_nothing.lock().unwrap_or_else(PoisonError::into_inner);
            known.clear();
        }
        for change in changes {
            if let Change::Redact(redaction) = change {
                self.change_overlay(redaction.ledger, |overlay| {
                    overlay.insert(redaction.sequence, Redaction::of(redaction));
                });
            }
        }
        let new = changes.iter().flat_map(|change| match change {
            Change::Seal { segments, .. } => segments.as_slice(),
            Change::Replace { add, .. } => add.as_slice(),
            _ => &[],
        });
        if let Some(newest) = new.map(|segment| segment.segment).max() {
            self.next_segment.fetch_max(newest + 1, Ordering::Relaxed);
        }
        let mut manifest = self.manifest.write().unwrap_or_else(PoisonError::into_inner);
        *manifest = Arc::new(manifest.apply(changes));
        drop(manifest);
        self.expiring.apply(changes);
        for change in changes {
            if let Change::Rewritten { ledger, redactions } = change {
                self.change_overlay(*ledger, |overlay| {
                    overlay.retain(|sequence, redaction| !redactions.contains(&(*sequence, redaction.redacted_at)));
                });
            }
        }
    }

    fn change_overlay(&self, ledger: LedgerId, change: impl FnOnce(&mut Overlay)) {
        let mut overlays = self.overlays.write().unwrap_or_else(PoisonError::into_inner);
        let overlay = overlays.entry(ledger).or_default();
        change(Arc::make_mut(overlay));
        if overlay.is_empty() {
            overlays.remove(&ledger);
        }
    }

    /// Remembers that a segment cannot be merged with the one after it.
    pub(crate) fn adjoins_nothing(&self, segment: u64) {
        let mut known = self.adjoining_nothing.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(segment);
    }

    /// The segments that cannot be merged with the one after them.
    pub(crate) fn adjoining_nothing(&self) -> BTreeSet<u64> {
        let known = self.adjoining_nothing.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Redactions that the ledger's segments do not carry out yet.
    pub(crate) fn overlay(&self, ledger: LedgerId) -> Arc<Overlay> {
        let overlays = self.overlays.read().unwrap_or_else(PoisonError::into_inner);
        overlays.get(&ledger).cloned().unwrap_or_default()
    }

    /// The ledgers that have such redactions.
    pub(crate) fn overlaid(&self) -> Vec<LedgerId> {
        self.overlays
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .keys()
            .copied()
            .collect()
    }

    /// A segment, opened.
    pub(crate) fn open(&self, stored: &StoredSegment) -> Result<Arc<Segment>, Error> {
        self.segments.open(stored)
    }

    /// A ledger's run in a segment.
    fn run(&self, stored: &StoredSegment, ledger: LedgerId) -> Result<Option<Run>, Error> {
        self.runs
            .get_or_insert_with(&(stored.segment, ledger), || self.open(stored)?.run(ledger))
    }

    /// The runs of a ledger, in the order of their sequences.
    pub(crate) fn runs(&self, manifest: &Manifest, ledger: LedgerId) -> Result<Vec<(Arc<StoredSegment>, Run)>, Error> {
        let candidates = manifest.segments_of(ledger);
        let runs = candidates.map(|stored| Ok(self.run(stored, ledger)?.map(|run| (Arc::clone(stored), run))));
        let mut runs: Vec<_> = runs.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        // A ledger whose retention has changed may be in segments whose commits overlap: of one class, in which others were compacted
        // over what it has in another.
        runs.sort_by_key(|(_, run)| run.first_sequence);
        Ok(runs)
    }
}
