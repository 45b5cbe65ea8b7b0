//! Slowing down whoever guesses: each subject (an account, a client's address) may try a few times, then waits ever longer.
//!
//! A try is counted before it is made, so that a thousand at once are no way around; one that succeeds is taken back.
//!
//! Invariants
//! - At most [`SUBJECTS_MAX`] subjects are remembered; when there are more, those that tried least are forgotten first.
//! - Whether an account exists makes no difference here.
//!
//! Not here: what a client's address is, what the caller is answered.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sha2::{Digest, Sha256};

/// Subjects that are remembered at a time.
pub const SUBJECTS_MAX: usize = 100_000;

/// How patient one is with a kind of subject.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Tries without waiting.
    pub free: u32,
    /// The wait after the first try that is not free; it doubles with every further one.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
    /// After so long without a try everything is forgiven.
    pub forgiven_after: Duration,
}

impl Patience {
    /// With wrong passwords for an account. The longest wait is short enough that strangers cannot lock anybody out for a day.
    pub const ACCOUNT: Self = Self::waits(5, 1, 15 * 60);
    /// With wrong passwords from an address; many people may share one.
    pub const ADDRESS: Self = Self::waits(20, 1, 15 * 60);
    /// With requests for links by mail to an account.
    pub const MAILED: Self = Self::waits(3, 60, 60 * 60);

    const fn waits(free: u32, first_seconds: u64, longest_seconds: u64) -> Self {
        Self {
            free,
            first_wait: Duration::from_secs(first_seconds),
            longest_wait: Duration::from_secs(longest_seconds),
            forgiven_after: Duration::from_secs(24 * 3600),
        }
    }

    fn wait(&self, tries: u32) -> Duration {
        let Some(doublings) = tries.checked_sub(self.free) else {
            return Duration::ZERO;
        };
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.first_wait.saturating_mul(factor).min(self.longest_wait)
    }
}

/// Who tries, and how patient one is with it.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    key: [u8; 16],
    patience: Patience,
}

impl Subject {
    /// The subject that `parts` name together; other parts are another subject.
    pub fn new(patience: Patience, parts: &[&str]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize()[..16]);
        Self { key, patience }
    }
}

/// A try that may not be made yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled {
    /// When it may.
    pub retry_after_seconds: u32,
}

/// What is remembered of one subject.
#[derive(Debug, Clone, Copy)]
struct Tries {
    count: u32,
    last: Duration,
    not_before: Duration,
    forgiven_at: Duration,
}

/// The memory of tries. Times are monotonic, since any fixed moment.
#[derive(Debug, Default)]
pub struct Throttle {
    tries: Mutex<HashMap<[u8; 16], Tries>>,
}

impl Throttle {
    /// Counts a try of all `subjects` together.
    ///
    /// # Errors
    /// [`Throttled`] when one of them has to wait; then nothing is counted.
    pub fn attempt(&self, subjects: &[Subject], now: Duration) -> Result<(), Throttled> {
        let mut tries = self.lock();
        let wait = subjects
            .iter()
            .filter_map(|subject| tries.get(&subject.key)?.not_before.checked_sub(now))
            .max()
            .unwrap_or_default();
        if !wait.is_zero() {
            let seconds = wait.as_millis().div_ceil(1000);
            return Err(Throttled {
                retry_after_seconds: u32::try_from(seconds).unwrap_or(u32::MAX),
            });
        }
        for subject in subjects {
            make_room(&mut tries, now);
            count(&mut tries, subject, now);
        }
        Ok(())
    }

    /// The try succeeded: `subject` begins anew.
    pub fn forgive(&self, subject: &Subject) {
        self.lock().remove(&subject.key);
    }

    /// The try succeeded: it does not count against `subject`, but others before it do. For what many share: whoever has one
    /// account must not be able to begin anew with the address by signing in.
    pub fn take_back(&self, subject: &Subject, now: Duration) {
        let mut tries = self.lock();
        if let Some(tried) = tries.get_mut(&subject.key) {
            tried.count = tried.count.saturating_sub(1);
            tried.not_before = now;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 16], Tries>> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(tries: &mut HashMap<[u8; 16], Tries>, subject: &Subject, now: Duration) {
    let patience = &subject.patience;
    let before = tries
        .get(&subject.key)
        .filter(|tried| tried.forgiven_at > now)
        .map_or(0, |tried| tried.count);
    let count = before.saturating_add(1);
    let tried = Tries {
        count,
        last: now,
        not_before: now + patience.wait(count),
        forgiven_at: now + patience.forgiven_after,
    };
    tries.insert(subject.key, tried);
}

/// Forgets what is forgiven, and if that is not enough the quarter that tried least.
fn make_room(tries: &mut HashMap<[u8; 16], Tries>, now: Duration) {
    if tries.len() < SUBJECTS_MAX {
        return;
    }
    tries.retain(|_, tried| tried.forgiven_at > now);
    if tries.len() < SUBJECTS_MAX {
        return;
    }
    let mut by_weight: Vec<(u32, Duration, [u8; 16])> = tries
        .iter()
        .map(|(key, tried)| (tried.count, tried.last, *key))
        .collect();
    let quarter = by_weight.len() / 4;
    by_weight.select_nth_unstable(quarter);
    for (_, _, key) in &by_weight[..quarter] {
        tries.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn account(name: &str) -> Subject {
        Subject::new(Patience::ACCOUNT, &["account", name])
    }

    fn wait_of(throttle: &Throttle, subject: Subject, now: Duration) -> u32 {
        throttle
            .attempt(&[subject], now)
            .expect_err("throttled")
            .retry_after_seconds
    }

    #[test]
    fn tries_beyond_the_free_ones_wait_ever_longer_up_to_a_bound() {
        let throttle = Throttle::default();
        let (ann, mut now) = (account("ann"), seconds(100));
        for _ in 0..5 {
            throttle.attempt(&[ann], now).expect("free");
        }
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            assert_eq!(wait_of(&throttle, ann, now), wait);
            now += seconds(wait.into());
            throttle.attempt(&[ann], now).expect("waited");
        }
        throttle
            .attempt(&[account("bob")], now)
            .expect("another subject is free");
    }

    #[test]
    fn a_refused_try_does_not_make_the_wait_longer() {
        let throttle = Throttle::default();
        for _ in 0..6 {
            throttle.attempt(&[account("ann")], seconds(0)).ok();
        }
        (0..100).for_each(|_| assert_eq!(wait_of(&throttle, account("ann"), seconds(0)), 1));
    }

    #[test]
    fn success_begins_anew_for_the_account_but_not_for_the_address() {
        let throttle = Throttle::default();
        let address = Subject::new(Patience::ADDRESS, &["address", "203.0.113.9"]);
        for number in 0..19 {
            let guessed = account(&format!("guessed {number}"));
            throttle.attempt(&[guessed, address], seconds(0)).expect("free");
            let own = account("own");
            throttle.attempt(&[own, address], seconds(0)).expect("free");
            throttle.forgive(&own);
            throttle.take_back(&address, seconds(0));
        }
        throttle
            .attempt(&[account("one more"), address], seconds(0))
            .expect("the last free one");
        assert_eq!(wait_of(&throttle, address, seconds(0)), 1);
    }

    #[test]
    fn a_day_of_quiet_forgives() {
        let throttle = Throttle::default();
        (0..5).for_each(|_| throttle.attempt(&[account("ann")], seconds(0)).expect("free"));
        let tomorrow = seconds(24 * 3600);
        (0..5).for_each(|_| throttle.attempt(&[account("ann")], tomorrow).expect("free again"));
    }

    #[test]
    fn memory_is_bounded_and_whoever_tried_most_is_remembered() {
        let throttle = Throttle::default();
        (0..5).for_each(|_| throttle.attempt(&[account("ann")], seconds(0)).expect("free"));
        for number in 0..2 * SUBJECTS_MAX {
            throttle
                .attempt(&[account(&number.to_string())], seconds(0))
                .expect("free");
        }
        assert!(throttle.lock().len() <= SUBJECTS_MAX);
        assert_eq!(wait_of(&throttle, account("ann"), seconds(0)), 1);
    }
}
