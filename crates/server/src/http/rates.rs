//! How much a caller and an organization may ask in a second. Root may ask whatever it wants.

use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};
use trailbook_access::Caller;
use trailbook_ledger::OrganizationKey;

use super::problem::{Code, Problem};

/// Callers or organizations that are counted; when there are more, those that asked little are forgotten.
const COUNTED_MAX: usize = 100_000;

/// The limits, and what was asked lately.
pub(crate) struct Rates {
    callers: Limit<String>,
    organizations: Limit<OrganizationKey>,
}

/// One kind of limit; `None` is none.
struct Limit<K: std::hash::Hash + Eq + Clone> {
    name: &'static str,
    limiter: Option<DefaultKeyedRateLimiter<K>>,
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
        if caller.is_root() {
            return Ok(());
        }
        self.callers.count(&caller.id().to_owned(), 1)
    }

    /// Counts events that a caller sends.
    pub(crate) fn events(&self, caller: &Caller, organization: &OrganizationKey, events: u32) -> Result<(), Problem> {
        if caller.is_root() {
            return Ok(());
        }
        self.organizations.count(organization, events)
    }
}

impl<K: std::hash::Hash + Eq + Clone> Limit<K> {
    fn new(name: &'static str, rate: u32, burst: u32) -> Self {
        let quota = NonZeroU32::new(rate).zip(NonZeroU32::new(burst));
        Self {
            name,
            limiter: quota.map(|(rate, burst)| RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst))),
        }
    }

    fn count(&self, key: &K, amount: u32) -> Result<(), Problem> {
        let Some((limiter, amount)) = self.limiter.as_ref().zip(NonZeroU32::new(amount)) else {
            return Ok(());
        };
        if limiter.len() > COUNTED_MAX {
            limiter.retain_recent();
        }
        let too_many = |seconds| {
            let detail = format!("More than the limit {} allows; wait and repeat.", self.name);
            Problem::new(Code::TooManyRequests, detail).retry_after(seconds)
        };
        match limiter.check_key_n(key, amount) {
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
