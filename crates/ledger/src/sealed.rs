//! The sealed part of one ledger, as questions read it.

use std::{fmt, sync::Arc};

use crate::{
    Error, Ledger, OrganizationKey, Overlay, Redaction, Row,
    history::History,
    redact,
    segment::{Run, Segment},
    tail::LedgerState,
};

/// The sealed part of a ledger at one moment. It stays readable for hours.
#[derive(Debug, Clone, Default)]
pub struct Sealed {
    /// The runs in the order of their sequences, without gaps from `floor` to `end`; the first may begin below `floor`.
    pub runs: Vec<SealedRun>,
    /// Sequences below this are sealed.
    pub end: u64,
    /// Nothing below this sequence is read.
    pub floor: u64,
    /// Redactions, whether sealed or not, that rows as they are stored may not carry out yet.
    pub redactions: Arc<Overlay>,
}

/// A ledger's run and the segment that has it.
#[derive(Debug, Clone)]
pub struct SealedRun {
    /// Opens the segment.
    pub segment: SegmentHandle,
    /// The ledger's rows in it.
    pub run: Run,
}

type Open = dyn Fn() -> Result<Arc<Segment>, Error> + Send + Sync;

/// A segment that is opened when it is asked for, so that many can be known and few be open.
#[derive(Clone)]
pub struct SegmentHandle {
    id: u64,
    open: Arc<Open>,
}

impl SegmentHandle {
    /// The segment with a number, which no other segment ever has, and how to open it.
    pub fn new(id: u64, open: impl Fn() -> Result<Arc<Segment>, Error> + Send + Sync + 'static) -> Self {
        let open = Arc::new(open);
        Self { id, open }
    }

    /// The segment's number.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The segment, opened.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Corrupt`].
    pub fn open(&self) -> Result<Arc<Segment>, Error> {
        (self.open)()
    }
}

impl fmt::Debug for SegmentHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("SegmentHandle").field(&self.id).finish()
    }
}

impl Redaction {
    /// The row without what was redacted.
    pub fn carried_out(&self, row: &Row) -> Row {
        redact::redacted(row, &self.secrets)
    }
}

impl Ledger {
    /// The sealed part of an organization's ledger. Whoever reads the tail too takes that first: what is sealed in between is
    /// then found in both.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the organization has no ledger; [`Error::Storage`], [`Error::Corrupt`].
    pub fn sealed(&self, organization: &OrganizationKey) -> Result<Arc<Sealed>, Error> {
        let ledger = self.state(organization)?;
        sealed(&self.inner.shared.history, &ledger).map(Arc::new)
    }
}

fn sealed(history: &Arc<History>, ledger: &LedgerState) -> Result<Sealed, Error> {
    // Before the manifest: a redaction stays in the overlay until rows that carry it out are in the manifest.
    let redactions = history.overlay(ledger.id);
    let manifest = history.manifest();
    let handle = |stored: &Arc<_>| {
        let (history, stored) = (Arc::clone(history), Arc::clone(stored));
        move || history.open(&stored)
    };
    let runs = history.runs(&manifest, ledger.id)?.into_iter();
    let runs: Vec<SealedRun> = runs
        .map(|(stored, run)| SealedRun {
            segment: SegmentHandle::new(stored.segment, handle(&stored)),
            run,
        })
        .collect();
    let floor = manifest.floor(ledger.id);
    Ok(Sealed {
        end: runs.last().map_or(floor, |last| last.run.sequences().end.max(floor)),
        runs,
        floor,
        redactions,
    })
}
