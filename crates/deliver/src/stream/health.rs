//! How a stream is getting on: when to try again after a failure, and when to tell that it lags.

use std::{ops::Range, time::Duration};

use trailbook_access::records::{Stream, StreamHealth};
use trailbook_ledger::{Ledger, OrganizationKey, Random};

/// The pause after the first failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause of our own choice.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A destination that asks for a longer pause is asked again all the same.
const ASKED_PAUSE_MAX: Duration = Duration::from_secs(3_600);
/// Characters of a failure that are kept.
pub(crate) const REASON_MAX: usize = 500;
/// A lag of so much is told, at least …
const LAG_MIN: Duration = Duration::from_secs(900);
/// … and at least so many intervals.
const LAG_INTERVALS: u32 = 3;

/// How far a stream is behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lag {
    /// Events that were stored and not looked at.
    pub events: u64,
    /// The age of the oldest of them, milliseconds.
    pub age_ms: i64,
}

impl Lag {
    /// Whether it is so much that somebody should know. Whoever set the stream up, let it go on or sent it back knows, for a while.
    pub(super) fn is_alarming(self, stream: &Stream, now: i64) -> bool {
        let intervals = Duration::from_secs(stream.interval_seconds.into()) * LAG_INTERVALS;
        let known = now - stream.updated_at;
        self.age_ms.min(known) >= i64::try_from(intervals.max(LAG_MIN).as_millis()).unwrap_or(i64::MAX)
    }
}

/// Events that wait in the ledgers of a stream.
#[derive(Default)]
pub(super) struct Behind {
    events: u64,
    /// When the oldest of those that are not sealed was received, milliseconds.
    oldest: Option<i64>,
    /// Ledgers whose next event is sealed, some of them.
    sealed: Vec<(OrganizationKey, u64)>,
}

/// What is sealed has waited longer than whatever is not, as far as that matters.
const LONG_AGO: i64 = i64::MIN;
/// Ledgers whose next event is read from a file to know its age.
const READ_MAX: usize = 8;

impl Behind {
    /// Notes the sequences of a ledger that wait; answers since when, milliseconds, without reading files.
    pub(super) fn note(&mut self, ledger: &Ledger, organization: &OrganizationKey, waiting: Range<u64>) -> i64 {
        self.events += waiting.end - waiting.start;
        let rows = ledger.tail(organization, waiting.start, 1);
        let held = rows.first().filter(|row| row.sequence == waiting.start);
        let Some(since) = held.map(|row| row.received_at.millis()) else {
            if self.sealed.len() < READ_MAX {
                self.sealed.push((organization.clone(), waiting.start));
            }
            return LONG_AGO;
        };
        self.oldest = Some(self.oldest.map_or(since, |oldest| oldest.min(since)));
        since
    }

    /// How far behind that is. Reads a few events from files.
    pub(super) fn lag(self, ledger: &Ledger, now: i64) -> Lag {
        let read = |(organization, sequence): (OrganizationKey, u64)| {
            // What cannot be read is told by the delivery that needs it.
            let rows = ledger.rows(&organization, sequence, 1).unwrap_or_default();
            rows.first().map(|row| row.received_at.millis())
        };
        let oldest = self.sealed.into_iter().filter_map(read).chain(self.oldest).min();
        Lag {
            events: self.events,
            age_ms: oldest.map_or(0, |oldest| (now - oldest).max(0)),
        }
    }
}

/// Notes a failure, and when to try again: later each time, with jitter, and not before the destination asked for.
pub(super) fn failed(health: &mut StreamHealth, reason: &str, asked: Option<Duration>, now: i64, random: &dyn Random) {
    health.failures = health.failures.saturating_add(1);
    health.failing_since.get_or_insert(now);
    health.last_error = Some(reason.chars().take(REASON_MAX).collect());
    health.retry_at = Some(now + pause_ms(health.failures, asked, random));
}

/// How long to wait after so many failures in a row, milliseconds.
pub(crate) fn pause_ms(failures: u32, asked: Option<Duration>, random: &dyn Random) -> i64 {
    let doubled = FIRST_PAUSE * 2u32.saturating_pow(failures.saturating_sub(1).min(16));
    let pause = jittered(doubled.min(LONGEST_PAUSE), random).max(asked.unwrap_or_default().min(ASKED_PAUSE_MAX));
    i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)
}

/// Notes that a delivery succeeded.
pub(super) fn succeeded(health: &mut StreamHealth, delivered: u64, now: i64) {
    health.delivered += delivered;
    health.last_success_at = Some(now);
    health.last_error = None;
    health.failing_since = None;
    health.failures = 0;
    health.retry_at = None;
}

/// Between three quarters of a pause and all of it, so that streams that failed together do not come back together.
fn jittered(pause: Duration, random: &dyn Random) -> Duration {
    let mut byte = [0];
    random.fill(&mut byte);
    pause * 3 / 4 + pause / 4 * u32::from(byte[0]) / 255
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Most;
    impl Random for Most {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(255);
        }
    }

    #[test]
    fn pauses_double_up_to_five_minutes_and_what_the_destination_asks_for_is_honoured() {
        let mut health = StreamHealth::default();
        let mut pauses = Vec::new();
        for _ in 0..12 {
            failed(&mut health, "down", None, 1_000, &Most);
            pauses.push((health.retry_at.unwrap_or_default() - 1_000) / 1_000);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        failed(&mut health, "busy", Some(Duration::from_secs(900)), 1_000, &Most);
        assert_eq!(health.retry_at, Some(901_000));
        failed(&mut health, "busy", Some(Duration::from_secs(1 << 40)), 1_000, &Most);
        assert_eq!(health.retry_at, Some(3_601_000), "nobody is made to wait for ever");
        assert_eq!((health.failing_since, health.failures), (Some(1_000), 14));
        succeeded(&mut health, 7, 5_000);
        assert_eq!((health.retry_at, health.last_error, health.failures), (None, None, 0));
    }
}
