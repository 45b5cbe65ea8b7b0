//! Who looked lately: that somebody looks at a log is recorded once an hour.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use trailbook_ledger::OrganizationKey;

/// How long somebody who was recorded is not recorded again.
const AGAIN_AFTER: Duration = Duration::from_secs(3_600);
/// Callers remembered. Beyond it the oldest half is forgotten, and recorded once more.
const REMEMBERED_MAX: usize = 100_000;

/// When each caller was recorded as looking at each organization's log.
#[derive(Default)]
pub(crate) struct Viewed(Mutex<HashMap<(String, OrganizationKey), Duration>>);

impl Viewed {
    /// Whether a look at `now` (monotonic) is to be recorded; if so, later ones are not for a while.
    pub(crate) fn is_new(&self, caller: &str, organization: &OrganizationKey, now: Duration) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (caller.to_owned(), organization.clone());
        if seen.get(&key).is_some_and(|last| now < *last + AGAIN_AFTER) {
            return false;
        }
        if seen.len() >= REMEMBERED_MAX {
            let mut times: Vec<Duration> = seen.values().copied().collect();
            let middle = times.len() / 2;
            let (_, median, _) = times.select_nth_unstable(middle);
            let median = *median;
            seen.retain(|_, last| *last > median);
        }
        seen.insert(key, now);
        true
    }

    /// Takes a look back that could not be recorded.
    pub(crate) fn forget(&self, caller: &str, organization: &OrganizationKey) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(&(caller.to_owned(), organization.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_is_recorded_once_an_hour_for_each_caller_and_organization() {
        let viewed = Viewed::default();
        let organization = |name: &str| OrganizationKey::new("default", name);
        let hour = Duration::from_secs(3_600);
        assert!(viewed.is_new("usr_1", &organization("acme"), Duration::ZERO));
        assert!(!viewed.is_new("usr_1", &organization("acme"), hour - Duration::from_secs(1)));
        assert!(viewed.is_new("usr_2", &organization("acme"), Duration::ZERO));
        assert!(viewed.is_new("usr_1", &organization("beta"), Duration::ZERO));
        assert!(viewed.is_new("usr_1", &organization("acme"), hour));
    }
}
