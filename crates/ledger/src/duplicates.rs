//! Recognising what was sent before: client ids and idempotency keys of the last 24 hours.
//!
//! A filter per hour answers "certainly new" from bounded memory; only "perhaps known" asks the database, which decides.
//!
//! Invariant: a key that was inserted within the last 24 hours is never called new.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::OrganizationKey;

/// How long repetitions are recognised.
pub(crate) const REMEMBERED_MS: i64 = 24 * HOUR_MS;
const HOUR_MS: i64 = 3_600_000;

/// Keys of the first page of an hour; every further page holds twice as many.
const FIRST_PAGE_KEYS: usize = 1 << 14;
/// Beyond these pages (about a million keys an hour, 1.5 MiB) an hour's filter answers "perhaps" to everything.
const PAGES_MAX: usize = 6;
const BITS_PER_KEY: usize = 12;
const PROBES: usize = 7;

/// The name under which a client id is remembered: keyed, so that a copy of the database does not reveal it by trying.
pub(crate) fn client_id_key(secret: &[u8; 32], organization: &OrganizationKey, client_id: &str) -> [u8; 16] {
    keyed(
        b"trailbook/client-id/v1\0",
        secret,
        &[
            organization.project().as_bytes(),
            organization.organization().as_bytes(),
            client_id.as_bytes(),
        ],
    )
    .first_chunk()
    .copied()
    .unwrap_or_default()
}

/// The name under which an idempotency key is remembered.
pub(crate) fn idempotency_key(secret: &[u8; 32], credential: &[u8; 32], key: &str) -> [u8; 32] {
    keyed(b"trailbook/idempotency-key/v1\0", secret, &[credential, key.as_bytes()])
}

/// SHA-256 over a domain, the secret and the length-prefixed fields.
pub(crate) fn keyed(domain: &[u8], secret: &[u8; 32], fields: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(domain);
    hash.update(secret);
    for field in fields {
        hash.update((field.len() as u64).to_le_bytes());
        hash.update(field);
    }
    hash.finalize().into()
}

/// The filters of the last 24 hours.
#[derive(Default)]
pub(crate) struct Remembered {
    hours: BTreeMap<i64, HourFilter>,
}

impl Remembered {
    /// Remembers a key (at least 16 uniformly distributed bytes) stored at `at`, milliseconds.
    pub(crate) fn insert(&mut self, key: &[u8], at: i64) {
        self.hours.entry(at / HOUR_MS).or_default().insert(probes(key));
    }

    /// Whether the key may have been stored since `since`.
    pub(crate) fn perhaps(&self, key: &[u8], since: i64) -> bool {
        let probes = probes(key);
        self.hours
            .range(since / HOUR_MS..)
            .any(|(_, hour)| hour.perhaps(probes))
    }

    /// Drops the filters of hours that ended before `before`, milliseconds.
    pub(crate) fn forget(&mut self, before: i64) {
        self.hours = self.hours.split_off(&(before / HOUR_MS));
    }
}

/// Two independent words of a key, from which all probe positions derive (double hashing).
fn probes(key: &[u8]) -> (u64, u64) {
    let word = |start: usize| {
        key.get(start..start + 8)
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u64::from_le_bytes)
    };
    (word(0), word(8) | 1)
}

#[derive(Default)]
struct HourFilter {
    pages: Vec<Page>,
    saturated: bool,
}

struct Page {
    bits: Vec<u64>,
    room: usize,
}

impl HourFilter {
    fn insert(&mut self, probes: (u64, u64)) {
        if self.pages.last().is_none_or(|page| page.room == 0) {
            if self.pages.len() == PAGES_MAX {
                self.saturated = true;
                return;
            }
            let keys = FIRST_PAGE_KEYS << self.pages.len();
            self.pages.push(Page {
                bits: vec![0; keys * BITS_PER_KEY / 64],
                room: keys,
            });
        }
        if let Some(page) = self.pages.last_mut() {
            page.room -= 1;
            for position in page.positions(probes) {
                page.bits[position / 64] |= 1 << (position % 64);
            }
        }
    }

    fn perhaps(&self, probes: (u64, u64)) -> bool {
        self.saturated
            || self.pages.iter().any(|page| {
                page.positions(probes)
                    .into_iter()
                    .all(|position| page.bits[position / 64] >> (position % 64) & 1 == 1)
            })
    }
}

impl Page {
    fn positions(&self, (first, step): (u64, u64)) -> [usize; PROBES] {
        let bits = self.bits.len() as u64 * 64;
        std::array::from_fn(|probe| (first.wrapping_add(step.wrapping_mul(probe as u64)) % bits) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> [u8; 32] {
        Sha256::digest(number.to_le_bytes()).into()
    }

    #[test]
    fn an_inserted_key_is_never_called_new() {
        let mut remembered = Remembered::default();
        for number in 0..50_000 {
            remembered.insert(&key(number), number as i64 * 1000);
        }
        assert!((0..50_000).all(|number| remembered.perhaps(&key(number), number as i64 * 1000)));
    }

    #[test]
    fn few_new_keys_are_called_perhaps() {
        let mut remembered = Remembered::default();
        for number in 0..100_000 {
            remembered.insert(&key(number), 0);
        }
        let wrong = (100_000..200_000)
            .filter(|number| remembered.perhaps(&key(*number), 0))
            .count();
        assert!(wrong < 2_000, "{wrong} of 100,000");
    }

    #[test]
    fn old_hours_are_forgotten_and_not_asked() {
        let mut remembered = Remembered::default();
        remembered.insert(&key(1), 5 * HOUR_MS);
        assert!(!remembered.perhaps(&key(1), 6 * HOUR_MS));
        remembered.forget(6 * HOUR_MS);
        assert!(!remembered.perhaps(&key(1), 0));
    }

    #[test]
    fn a_full_hour_answers_perhaps() {
        let mut hour = HourFilter::default();
        for number in 0..(FIRST_PAGE_KEYS << PAGES_MAX) as u64 {
            hour.insert(probes(&key(number)));
        }
        assert!(hour.perhaps(probes(&key(u64::MAX))));
    }
}
