//! What is remembered of expiring, so that a look at what has expired costs nothing while nothing has.
//!
//! All of it is in memory alone and can be found out again; a process that begins looks at everything once.
//!
//! Not here: floors and retentions themselves (`manifest`), moving and erasing (`retention`, `expire`).

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustc_hash::FxBuildHasher;
use trailbook_event::Timestamp;

use crate::database::{Change, LedgerId, Loaded};

/// What is remembered.
pub(crate) struct Expiring {
    first_kept: Mutex<HashMap<LedgerId, FirstKept, FxBuildHasher>>,
    /// Segments that may have rows below a floor.
    cut: Mutex<BTreeSet<u64>>,
}

/// When the first sealed row was received that is not below the floor; `None` when there was none up to a commit.
#[derive(Clone, Copy)]
struct FirstKept {
    received_at: Option<Timestamp>,
    sealed_through: u64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Expiring {
    /// Nothing is known of what was loaded.
    pub(crate) fn new(loaded: &Loaded) -> Self {
        let cut = loaded.segments.iter().filter(|_| !loaded.floors.is_empty());
        Self {
            first_kept: Mutex::default(),
            cut: Mutex::new(cut.map(|segment| segment.segment).collect()),
        }
    }

    /// Follows committed changes: segments that were written while a floor moved may have rows below it.
    pub(crate) fn apply(&self, changes: &[Change]) {
        for change in changes {
            if let Change::Replace { remove, add, .. } = change {
                let mut cut = locked(&self.cut);
                cut.retain(|segment| !remove.contains(segment));
                cut.extend(add.iter().map(|segment| segment.segment));
            }
        }
    }

    /// Whether everything of a ledger that is not below its floor is known to have been received after an instant.
    pub(crate) fn is_kept(&self, ledger: LedgerId, instant: Timestamp, sealed_through: u64) -> bool {
        let known = locked(&self.first_kept).get(&ledger).copied();
        known.is_some_and(|known| match known.received_at {
            Some(received_at) => received_at > instant,
            None => known.sealed_through == sealed_through,
        })
    }

    /// Remembers when the row at a ledger's floor was received; `None` when nothing up to a commit is above it.
    pub(crate) fn keeps(&self, ledger: LedgerId, received_at: Option<Timestamp>, sealed_through: u64) {
        let first_kept = FirstKept {
            received_at,
            sealed_through,
        };
        locked(&self.first_kept).insert(ledger, first_kept);
    }

    /// Remembers that segments have rows below a floor. To be called once the floor has moved.
    pub(crate) fn cuts(&self, segments: impl IntoIterator<Item = u64>) {
        locked(&self.cut).extend(segments);
    }

    /// Segments that may have rows below a floor.
    pub(crate) fn cut(&self) -> BTreeSet<u64> {
        locked(&self.cut).clone()
    }

    /// Forgets a segment that is about to be looked at; when something is found, it has to be remembered again.
    pub(crate) fn forget_cut(&self, segment: u64) {
        locked(&self.cut).remove(&segment);
    }
}
