//! A sign-in between leaving for the provider and coming back, as it travels in the browser's cookie.
//!
//! Invariants
//! - A cookie that was not made here, or was changed, does not open; nobody outside reads what is in it.
//! - An attempt opens once. The states that were used are remembered until they would be too old anyway; beyond
//!   [`USED_MAX`] the oldest are forgotten, whose codes providers take once as well.

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
    sync::{Mutex, PoisonError},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use trailbook_event::Timestamp;
use trailbook_ledger::Random;

use super::{Connection, Error, LocalPath, PARAMETER_BYTES_MAX};
use crate::encryption::EncryptionKey;

/// From leaving to coming back, in milliseconds.
pub(crate) const ATTEMPT_MS: i64 = 10 * 60 * 1_000;
/// States that are remembered as used.
const USED_MAX: usize = 100_000;
/// The place that cookies are encrypted for.
const PLACE: [&str; 1] = ["single sign-on attempt"];

/// What was decided when a sign-in began.
#[derive(Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// Whose connection it is, in the caller's words.
    pub(crate) organization: String,
    /// Where to go afterwards.
    pub(crate) return_to: LocalPath,
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) state: String,
    pub(super) nonce: String,
    /// PKCE's code verifier.
    pub(super) verifier: String,
    expires_ms: i64,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Attempt");
        debug.field("organization", &self.organization).finish_non_exhaustive()
    }
}

impl Attempt {
    pub(super) fn new(
        organization: &str,
        connection: &Connection,
        return_to: LocalPath,
        now: Timestamp,
        random: &dyn Random,
    ) -> Self {
        let drawn = || {
            let mut bytes = [0; 32];
            random.fill(&mut bytes);
            BASE64_URL_SAFE_NO_PAD.encode(bytes)
        };
        Self {
            organization: organization.to_owned(),
            return_to,
            issuer: connection.issuer.clone(),
            client_id: connection.client_id.clone(),
            state: drawn(),
            nonce: drawn(),
            verifier: drawn(),
            expires_ms: now.millis() + ATTEMPT_MS,
        }
    }
}

/// Makes and opens cookies.
pub(super) struct Attempts {
    key: EncryptionKey,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    states: HashSet<String>,
    by_age: BTreeSet<(i64, String)>,
}

impl Attempts {
    pub(super) fn new(key: EncryptionKey) -> Self {
        Self {
            key,
            used: Mutex::default(),
        }
    }

    pub(super) fn seal(&self, attempt: &Attempt, random: &dyn Random) -> String {
        let plain = serde_json::to_vec(attempt).expect("text serializes");
        self.key.seal(&plain, &PLACE, random)
    }

    /// The attempt in a cookie, when it is the one of `state`; it is used then.
    pub(super) fn open(&self, cookie: &str, state: &str, now: Timestamp) -> Result<Attempt, Error> {
        if cookie.len() > 2 * PARAMETER_BYTES_MAX {
            return Err(Error::AnotherBrowser);
        }
        let plain = self.key.open(cookie, &PLACE).map_err(|_| Error::AnotherBrowser)?;
        let attempt: Attempt = serde_json::from_slice(&plain).map_err(|_| Error::AnotherBrowser)?;
        if !bool::from(attempt.state.as_bytes().ct_eq(state.as_bytes())) {
            return Err(Error::AnotherBrowser);
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if now.millis() >= attempt.expires_ms || !used.insert(&attempt, now) {
            return Err(Error::Over);
        }
        Ok(attempt)
    }
}

impl Used {
    /// Whether the attempt was not used yet.
    fn insert(&mut self, attempt: &Attempt, now: Timestamp) -> bool {
        while let Some((expires_ms, state)) = self.by_age.first()
            && (*expires_ms <= now.millis() || self.by_age.len() >= USED_MAX)
        {
            self.states.remove(state);
            self.by_age.pop_first();
        }
        self.by_age.insert((attempt.expires_ms, attempt.state.clone()));
        self.states.insert(attempt.state.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Secret, inputs::OsRandom};

    const NOW: i64 = 1_800_000_000_000;

    fn begun(attempts: &Attempts) -> (Attempt, String) {
        let connection = Connection {
            issuer: "https://idp.example".into(),
            client_id: "trailbook".into(),
            client_secret: Secret::new("hunter2".into()),
            groups_claim: "groups".into(),
        };
        let now = Timestamp::from_millis(NOW);
        let attempt = Attempt::new("default/acme", &connection, LocalPath::default(), now, &OsRandom);
        let cookie = attempts.seal(&attempt, &OsRandom);
        (attempt, cookie)
    }

    fn open(attempts: &Attempts, cookie: &str, state: &str, now: i64) -> Result<Attempt, Error> {
        attempts.open(cookie, state, Timestamp::from_millis(now))
    }

    #[test]
    fn an_attempt_opens_once_in_time_with_its_own_state() {
        let attempts = Attempts::new(EncryptionKey::new([1; 32]));
        let (attempt, cookie) = begun(&attempts);
        let (other, _) = begun(&attempts);
        assert!(matches!(
            open(&attempts, &cookie, &other.state, NOW),
            Err(Error::AnotherBrowser)
        ));
        assert!(matches!(open(&attempts, &cookie, "", NOW), Err(Error::AnotherBrowser)));
        assert!(matches!(
            open(&attempts, &cookie, &attempt.state, NOW + ATTEMPT_MS),
            Err(Error::Over)
        ));
        let opened = open(&attempts, &cookie, &attempt.state, NOW + ATTEMPT_MS - 1).expect("in time");
        assert_eq!(opened.organization, "default/acme");
        assert!(matches!(
            open(&attempts, &cookie, &attempt.state, NOW),
            Err(Error::Over)
        ));
    }

    #[test]
    fn a_cookie_of_another_deployment_or_of_nobody_does_not_open() {
        let attempts = Attempts::new(EncryptionKey::new([1; 32]));
        let (attempt, cookie) = begun(&Attempts::new(EncryptionKey::new([2; 32])));
        for cookie in [cookie.as_str(), "", "x", &"x".repeat(100_000)] {
            assert!(matches!(
                open(&attempts, cookie, &attempt.state, NOW),
                Err(Error::AnotherBrowser)
            ));
        }
    }

    #[test]
    fn what_is_remembered_of_used_attempts_is_bounded_and_goes_with_time() {
        let mut used = Used::default();
        let attempts = Attempts::new(EncryptionKey::new([1; 32]));
        let (mut attempt, _) = begun(&attempts);
        for number in 0..USED_MAX + 5 {
            attempt.state = number.to_string();
            assert!(used.insert(&attempt, Timestamp::from_millis(NOW)));
        }
        assert_eq!((used.states.len(), used.by_age.len()), (USED_MAX, USED_MAX));
        attempt.state = "later".into();
        assert!(used.insert(&attempt, Timestamp::from_millis(NOW + ATTEMPT_MS)));
        assert_eq!((used.states.len(), used.by_age.len()), (1, 1));
    }
}
