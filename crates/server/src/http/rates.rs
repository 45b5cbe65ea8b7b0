//! How much a caller and an organization may ask in a second. Root may ask whatever it wants.
//!
//! A batch for several organizations is counted for one after the other, and what was counted stays so when the batch is refused for a
//! later one: the limiter cannot take back.

use std::{
    collections::BTreeMap,
    hash::Hash,
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering},
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};
use trailbook_access::Caller;
use trailbook_event::Admitted;
use trailbook_ledger::OrganizationKey;

use super::problem::{Code, Problem};

/// After so many counts those who asked too little lately to be near a limit are forgotten.
const FORGOTTEN_EVERY: usize = 10_000;

/// The limits, and what was asked lately.
pub(crate) struct Rates {
    callers: Option<Limit<String>>,
    organizations: Option<Limit<OrganizationKey>>,
}

/// One kind of limit.
struct Limit<K: Hash + Eq + Clone> {
    name: &'static str,
    limiter: DefaultKeyedRateLimiter<K>,
    counts: AtomicUsize,
}

impl Rates {
    /// `requests` a second of one caller, `events` a second of one organization, 0 for any; a batch has up to `batch` events.
    pub(crate) fn new(requests: u32, events: u32, batch: u32) -> Self {
        Self {
            callers: Limit::new("caller_requests_per_second", requests, requests),
            organizations: Limit::new("organization_events_per_second", events, events.max(batch)),
        }
    }

    /// Counts a request.
    pub(crate) fn request(&self, caller: &Caller) -> Result<(), Problem> {
        match &self.callers {
            Some(limit) if !caller.is_root() => limit.count(&caller.id().to_owned(), 1),
            _ => Ok(()),
        }
    }

    /// Counts events that a caller sends; all are of the organization that the caller is `bound` to, if there is one.
    pub(crate) fn events(&self, caller: &Caller, bound: Option<&str>, events: &[Admitted]) -> Result<(), Problem> {
        let Some(limit) = self.organizations.as_ref().filter(|_| !caller.is_root()) else {
            return Ok(());
        };
        let count = |organization: &str, events: usize| {
            let organization = OrganizationKey::new(caller.project.clone(), organization);
            limit.count(&organization, u32::try_from(events).unwrap_or(u32::MAX))
        };
        if let Some(bound) = bound {
            return count(bound, events.len());
        }
        let mut counts = BTreeMap::<&str, usize>::new();
        for event in events {
            *counts.entry(&event.organization).or_default() += 1;
        }
        counts
            .into_iter()
            .try_for_each(|(organization, events)| count(organization, events))
    }
}

impl<K: Hash + Eq + Clone> Limit<K> {
    /// `None` is no limit.
    fn new(name: &'static str, rate: u32, burst: u32) -> Option<Self> {
        let (rate, burst) = NonZeroU32::new(rate).zip(NonZeroU32::new(burst))?;
        Some(Self {
            name,
            limiter: RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst)),
            counts: AtomicUsize::new(1),
        })
    }

    fn count(&self, key: &K, amount: u32) -> Result<(), Problem> {
        let Some(amount) = NonZeroU32::new(amount) else {
            return Ok(());
        };
        if self
            .counts
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(FORGOTTEN_EVERY)
        {
            self.limiter.retain_recent();
        }
        let too_many = |seconds| {
            let detail = format!("More than the limit {} allows; wait and repeat.", self.name);
            Problem::new(Code::TooManyRequests, detail).retry_after(seconds)
        };
        match self.limiter.check_key_n(key, amount) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => {
                let wait = until.wait_time_from(governor::clock::DefaultClock::default().now());
                Err(too_many(u32::try_from(wait.as_secs()).unwrap_or(60).saturating_add(1)))
            }
            // A body never has more events than the burst.
            Err(_) => Err(too_many(60)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asked_little_is_forgotten() {
        let limit = Limit::new("a limit", 1_000_000, 1_000_000).expect("a limit");
        for number in 0..4 * FORGOTTEN_EVERY {
            limit.count(&number, 1).expect("far below the limit");
        }
        assert!(limit.limiter.len() < 2 * FORGOTTEN_EVERY, "{}", limit.limiter.len());
    }
}
