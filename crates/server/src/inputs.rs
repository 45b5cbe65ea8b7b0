//! The outside world's time and randomness: the only place where the server takes them from.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use trailbook_event::Timestamp;
use trailbook_ledger::{Clock, Random};

/// The machine's clocks.
#[derive(Debug)]
pub(crate) struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// With the monotonic time beginning now.
    #[allow(clippy::disallowed_methods, reason = "this is where the clock is taken from")]
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is where the clock is taken from")]
    fn now(&self) -> Timestamp {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis),
        };
        Timestamp::from_millis(millis)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// The operating system's random source.
#[derive(Debug)]
pub(crate) struct OsRandom;

impl Random for OsRandom {
    #[allow(clippy::disallowed_methods, reason = "this is where randomness is taken from")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}
