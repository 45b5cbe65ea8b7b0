//! What goes wrong with requests: the plan, the dice, and the count of requests.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// Requests since the start, by method.
pub type Count = BTreeMap<String, u64>;

/// How requests fail. Chances are from 0 to 1, and are drawn for each request in the order of the fields; the first that hits decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Only requests with this method, such as `PUT`; `None` is all.
    pub only: Option<String>,
    /// Only requests whose path and query have this text.
    pub containing: Option<String>,
    /// Milliseconds that each request waits before anything else.
    pub delay_ms: u64,
    /// Chance that a request is never answered, and not carried out.
    pub hang: f64,
    /// Chance that the connection ends before the request is carried out.
    pub cut_before: f64,
    /// Chance of an answer with `status`; the request is not carried out.
    pub error_rate: f64,
    /// The status of those answers.
    pub status: u16,
    /// Chance that the connection ends after the request was carried out, without an answer.
    pub cut_after: f64,
    /// Chance that an answer's body ends half way, and the connection with it.
    pub truncate: f64,
    /// Chance that a byte in the middle of an answer's body is another.
    pub flip: f64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            only: None,
            containing: None,
            delay_ms: 0,
            hang: 0.0,
            cut_before: 0.0,
            error_rate: 0.0,
            status: 503,
            cut_after: 0.0,
            truncate: 0.0,
            flip: 0.0,
        }
    }
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Answered,
    Hangs,
    CutBefore,
    Refused(u16),
    CutAfter,
    Truncated,
    Flipped,
}

/// The faults at present, and what was counted.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    faults: Mutex<Faults>,
    count: Mutex<Count>,
    drawn: AtomicU64,
}

impl Plan {
    pub(crate) fn set(&self, faults: Faults) {
        *locked(&self.faults) = faults;
    }

    pub(crate) fn count(&self) -> Count {
        locked(&self.count).clone()
    }

    /// Counts a request; answers how long it waits and what becomes of it.
    pub(crate) fn draw(&self, method: &str, target: &str) -> (Duration, Fate) {
        *locked(&self.count).entry(method.to_owned()).or_default() += 1;
        let faults = locked(&self.faults).clone();
        let other_method = faults.only.as_deref().is_some_and(|only| only != method);
        let elsewhere = faults.containing.as_deref().is_some_and(|text| !target.contains(text));
        if other_method || elsewhere {
            return (Duration::ZERO, Fate::Answered);
        }
        let fates = [
            (faults.hang, Fate::Hangs),
            (faults.cut_before, Fate::CutBefore),
            (faults.error_rate, Fate::Refused(faults.status)),
            (faults.cut_after, Fate::CutAfter),
            (faults.truncate, Fate::Truncated),
            (faults.flip, Fate::Flipped),
        ];
        let hit = fates.into_iter().find(|(chance, _)| self.chance() < *chance);
        let fate = hit.map_or(Fate::Answered, |(_, fate)| fate);
        (Duration::from_millis(faults.delay_ms), fate)
    }

    /// The next of a fixed sequence of numbers from 0 to 1 (SplitMix64).
    fn chance(&self) -> f64 {
        let step = 0x9e37_79b9_7f4a_7c15_u64;
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let mut mixed = drawn.wrapping_mul(step);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
