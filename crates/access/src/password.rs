//! Passwords: what makes one acceptable, and hashing with Argon2id within bounds of work and memory.
//!
//! Invariants
//! - At most [`HASHES_AT_ONCE`] hashes are computed and [`HASHES_WAITING_MAX`] wait; beyond that a try is refused as [`Busy`].
//! - [`Passwords::verify`] does the same work whether there is an account or not.
//! - Passwords are compared in normal form C, so that every keyboard types the same one.
//!
//! Not here: how often somebody may try (`throttle`).

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHash as Phc, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::{Output, ParamsString, Salt},
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use trailbook_ledger::Random;
use unicode_normalization::UnicodeNormalization;

/// Memory of one hash, in KiB: 19 MiB, the least that OWASP's password storage cheat sheet advises for these passes.
pub const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over the memory.
pub const PASSES: u32 = 2;
/// Lanes.
pub const LANES: u32 = 1;
/// Hashes that are computed at a time; each takes [`MEMORY_KIB`] and a core.
pub const HASHES_AT_ONCE: usize = 2;
/// Hashes that wait for a place: about two seconds of work.
pub const HASHES_WAITING_MAX: usize = 128;
/// When to try again after [`Busy`].
pub const BUSY_SECONDS: u32 = 2;
/// Characters of a password, at least. NIST SP 800-63B: length counts, composition does not.
pub const CHARACTERS_MIN: usize = 12;
/// Characters of a password, at most.
pub const CHARACTERS_MAX: usize = 128;

/// Bytes of a text that is worth normalising: no character takes more than four.
const BYTES_MAX: usize = CHARACTERS_MAX * 4;

/// The passwords of at least twelve characters that leaks show most often, without case. Whatever repeats one or two characters
/// is refused as well.
const COMMONEST: [&str; 42] = [
    "123456789012",
    "1234567890123",
    "12345678901234",
    "123456789012345",
    "1234567890123456",
    "012345678901",
    "123123123123",
    "987654321098",
    "112233445566",
    "123456123456",
    "123456654321",
    "password1234",
    "password12345",
    "password123456",
    "passwordpassword",
    "password1234!",
    "mypassword123",
    "changeme1234",
    "changemechangeme",
    "letmeinletmein",
    "letmein12345",
    "welcome12345",
    "welcome123456",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyuiop[]",
    "qwerty123456",
    "qwertyqwerty",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "zaq12wsxcde3",
    "abcdefghijkl",
    "abcdefghijklm",
    "abcdef123456",
    "abc123abc123",
    "iloveyou1234",
    "iloveyouiloveyou",
    "administrator",
    "administrator1",
    "adminadminadmin",
    "trustno1trustno1",
    "correcthorsebatterystaple",
];

/// A password that may be set.
pub struct NewPassword(String);

impl NewPassword {
    /// Checks a password that somebody chose for the account with this e-mail address.
    ///
    /// # Errors
    /// A sentence for whoever chose it.
    pub fn check(text: &str, email: &str) -> Result<Self, String> {
        let normal = normal(text).unwrap_or_default();
        let characters = normal.chars().count();
        if !(CHARACTERS_MIN..=CHARACTERS_MAX).contains(&characters) {
            return Err(format!(
                "A password has {CHARACTERS_MIN} to {CHARACTERS_MAX} characters; a few words make a good one."
            ));
        }
        let plain = normal.to_lowercase();
        if plain == email.to_lowercase() {
            return Err("The e-mail address is no password; choose another.".into());
        }
        if COMMONEST.contains(&plain.as_str()) || repeats(&plain) {
            return Err("This password is among the commonest, which are guessed first; choose another.".into());
        }
        Ok(Self(normal))
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(password)")
    }
}

/// Whether it is one or two characters again and again.
fn repeats(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    characters.windows(3).all(|window| window[0] == window[2])
}

/// Normal form C; `None` when it is longer than any password.
fn normal(text: &str) -> Option<String> {
    (text.len() <= BYTES_MAX).then(|| text.nfc().collect())
}

/// What is kept of a password: an Argon2id hash as a PHC string. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(hash)")
    }
}

/// Too many hashes wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked")]
pub struct Busy;

/// Hashes and verifies passwords.
pub struct Passwords {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    random: Arc<dyn Random>,
    /// What is verified against when there is no account: no password has it.
    decoy: PasswordHash,
    computed: AtomicU64,
}

impl Passwords {
    /// With all places free.
    pub fn new(random: Arc<dyn Random>) -> Self {
        Self {
            places: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
            waiting: AtomicUsize::new(0),
            decoy: decoy(&*random),
            random,
            computed: AtomicU64::new(0),
        }
    }

    /// Hashes a password to keep it.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn hash(&self, password: NewPassword) -> Result<PasswordHash, Busy> {
        let salt = self.salt();
        self.bounded(move || {
            let hash: Phc = argon2()
                .hash_password_with_salt(password.0.as_bytes(), &salt)
                .expect("the parameters and the salt are in Argon2's bounds");
            PasswordHash(hash.to_string())
        })
        .await
    }

    /// Whether `password` is the one that `kept` was made of. Without `kept` it is not, after the same work.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn verify(&self, password: &str, kept: Option<&PasswordHash>) -> Result<bool, Busy> {
        // A text that no password can be costs the same as a wrong one, whoever is asked for.
        let (password, known) = (normal(password).unwrap_or_default(), kept.is_some());
        let against = kept.unwrap_or(&self.decoy).clone();
        let matches = self.bounded(move || {
            Phc::new(&against.0).is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
        });
        Ok(matches.await? && known)
    }

    /// Hashes computed since the start, for the metric.
    pub fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    fn salt(&self) -> [u8; 16] {
        let mut salt = [0; 16];
        self.random.fill(&mut salt);
        salt
    }

    async fn bounded<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let waiting = Waiting::enter(&self.waiting)?;
        let place = self.places.clone().acquire_owned().await.map_err(|_| Busy)?;
        drop(waiting);
        self.computed.fetch_add(1, Ordering::Relaxed);
        // The place goes with the work: a caller who goes away does not make room for another while it still runs.
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(place);
            result
        });
        done.await.map_err(|_| Busy)
    }
}

/// One more that waits, until dropped.
struct Waiting<'w>(&'w AtomicUsize);

impl<'w> Waiting<'w> {
    fn enter(waiting: &'w AtomicUsize) -> Result<Self, Busy> {
        let entered = Self(waiting);
        // Dropping `entered` takes this one back when it is one too many.
        if waiting.fetch_add(1, Ordering::AcqRel) < HASHES_WAITING_MAX {
            Ok(entered)
        } else {
            Err(Busy)
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters())
}

fn parameters() -> Params {
    Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the constants are in Argon2's bounds")
}

/// A well-formed hash of nothing that anybody knows.
fn decoy(random: &dyn Random) -> PasswordHash {
    let mut bytes = [0; 48];
    random.fill(&mut bytes);
    let hash = Phc {
        algorithm: argon2::ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&parameters()).expect("parameters can be written"),
        salt: Some(Salt::new(&bytes[..16]).expect("16 bytes are a salt")),
        hash: Some(Output::new(&bytes[16..]).expect("32 bytes are a hash")),
    };
    PasswordHash(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(AtomicU64);
    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            let seed = self.0.fetch_add(1, Ordering::Relaxed) as u8;
            bytes.iter_mut().zip(seed..).for_each(|(byte, number)| *byte = number);
        }
    }

    fn passwords() -> Arc<Passwords> {
        Arc::new(Passwords::new(Arc::new(Counting(AtomicU64::new(1)))))
    }

    fn new(text: &str) -> NewPassword {
        NewPassword::check(text, "ann@fashion.example").expect("acceptable")
    }

    #[tokio::test]
    async fn a_password_is_verified_in_any_normal_form_and_by_nothing_else() {
        let passwords = passwords();
        let kept = passwords.hash(new("übermäßig lang")).await.expect("hashed");
        assert!(kept.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept.0);
        let again = passwords.hash(new("übermäßig lang")).await.expect("hashed");
        assert!(kept.0 != again.0, "every hash has a salt of its own");
        assert_eq!(
            passwords.verify("u\u{308}berma\u{308}ßig lang", Some(&kept)).await,
            Ok(true)
        );
        for wrong in ["übermäßig lan", "Übermäßig lang", "", &"x".repeat(1 << 20)] {
            assert_eq!(passwords.verify(wrong, Some(&kept)).await, Ok(false));
        }
    }

    #[tokio::test]
    async fn without_an_account_the_same_work_is_done() {
        let passwords = passwords();
        let kept = passwords.hash(new("a fine password")).await.expect("hashed");
        let cost = async |kept: Option<&PasswordHash>| {
            let before = passwords.computed();
            assert_eq!(passwords.verify("not the password", kept).await, Ok(false));
            passwords.computed() - before
        };
        assert_eq!((cost(Some(&kept)).await, cost(None).await), (1, 1));
        let (decoy, kept) = (
            Phc::new(&passwords.decoy.0).expect("a hash"),
            Phc::new(&kept.0).expect("a hash"),
        );
        assert_eq!(
            (decoy.algorithm, decoy.version, decoy.params),
            (kept.algorithm, kept.version, kept.params)
        );
    }

    #[tokio::test]
    async fn more_than_can_wait_are_refused_and_leave_no_trace() {
        let passwords = passwords();
        let places = passwords
            .places
            .clone()
            .acquire_many_owned(HASHES_AT_ONCE as u32)
            .await
            .expect("free");
        let waiting: Vec<_> = (0..HASHES_WAITING_MAX)
            .map(|_| {
                let passwords = passwords.clone();
                tokio::spawn(async move { passwords.verify("whatever it is", None).await })
            })
            .collect();
        while passwords.waiting.load(Ordering::Acquire) < HASHES_WAITING_MAX {
            tokio::task::yield_now().await;
        }
        assert_eq!(passwords.verify("one too many", None).await, Err(Busy));
        waiting.iter().for_each(tokio::task::JoinHandle::abort);
        for waiter in waiting {
            assert!(waiter.await.is_err(), "it was told to stop");
        }
        drop(places);
        assert_eq!(passwords.waiting.load(Ordering::Acquire), 0);
        assert_eq!(passwords.verify("there is room again", None).await, Ok(false));
    }

    #[test]
    fn length_counts_and_composition_does_not() {
        let check = |text: &str| NewPassword::check(text, "Ann@Fashion.example").err();
        for fine in [
            "twelve chars",
            "alllowercase",
            "😀😀😀😁😀😀😀😀😀😀😀😀",
            &"long ".repeat(25),
        ] {
            assert_eq!(check(fine), None, "{fine}");
        }
        for short in ["eleven char", "", &"x ".repeat(65), &"y".repeat(1 << 20)] {
            assert!(
                check(short).is_some_and(|why| why.contains("12 to 128")),
                "{} bytes",
                short.len()
            );
        }
        assert!(check("ann@fashion.EXAMPLE").is_some_and(|why| why.contains("e-mail")));
        for common in ["Password1234", "aaaaaaaaaaaa", "abababababab"] {
            assert!(check(common).is_some_and(|why| why.contains("commonest")), "{common}");
        }
        assert!(
            COMMONEST
                .iter()
                .all(|common| common.chars().count() >= CHARACTERS_MIN && *common == common.to_lowercase())
        );
    }

    #[test]
    fn neither_passwords_nor_hashes_are_printed() {
        assert_eq!(
            format!("{:?} {:?}", new("a fine password"), decoy(&Counting(AtomicU64::new(1)))),
            "(password) (hash)"
        );
    }
}
