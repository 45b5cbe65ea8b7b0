//! Cursors: where a listing stands and what it was about, authenticated, so that a page continues only what was begun.
//!
//! A cursor is 79 bytes in base64url: the fields below and a MAC (HMAC-SHA-256, 16 bytes) over them. What is too long to
//! carry (organization, filter, own filter) is bound by a digest.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use trailbook_event::{Filter, Timestamp};

use crate::{Error, Scope, block::Moment, scope::Range, walk::Order};

const VERSION: u8 = 1;
const BODY_BYTES: usize = 63;
const MAC_BYTES: usize = 16;

/// A cursor's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) order: Order,
    pub(crate) range: Range,
    pub(crate) epoch: u32,
    /// The ledger's size at the first page.
    pub(crate) size: u64,
    /// The last event that was handed out.
    pub(crate) last: Moment,
    /// See [`binding`].
    pub(crate) binding: [u8; 16],
}

/// What a listing is about, in 16 bytes. Filters are bound by their printed text, which says all that they mean.
pub(crate) fn binding(scope: &Scope, filter: &Filter) -> [u8; 16] {
    let own = scope.own.as_ref().map(ToString::to_string);
    let texts = [
        Some(scope.organization.project()),
        Some(scope.organization.organization()),
        Some(&*filter.to_string()),
        own.as_deref(),
    ]
    .map(|text| text.map(str::to_owned));
    let mut hasher = Sha256::new();
    for text in texts {
        let length = text.as_ref().map_or(u64::MAX, |text| text.len() as u64);
        hasher.update(length.to_be_bytes());
        hasher.update(text.unwrap_or_default());
    }
    first_16(&hasher.finalize())
}

/// The key that cursors are made and checked with.
#[derive(Clone)]
pub(crate) struct CursorKey([u8; 32]);

impl CursorKey {
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// The text of a cursor.
    pub(crate) fn seal(&self, cursor: &Cursor) -> String {
        let mut bytes = cursor.to_bytes();
        let mac = self.mac(&bytes);
        bytes.extend_from_slice(&mac.finalize().into_bytes()[..MAC_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor that [`CursorKey::seal`] made.
    pub(crate) fn open(&self, text: &str) -> Result<Cursor, Error> {
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        bytes
            .split_last_chunk::<MAC_BYTES>()
            .filter(|(body, mac)| self.mac(body).verify_truncated_left(*mac).is_ok())
            .and_then(|(body, _)| Cursor::from_bytes(body))
            .ok_or_else(|| Error::invalid("`cursor` is not one that this server handed out; begin again without it."))
    }

    fn mac(&self, body: &[u8]) -> Hmac<Sha256> {
        // HMAC fills a key shorter than the hash's block of 64 bytes with zeros.
        let mut key = [0; 64];
        key[..32].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&key.into());
        mac.update(body);
        mac
    }
}

impl Cursor {
    fn to_bytes(&self) -> Vec<u8> {
        let Range { from, to } = self.range;
        let mut bytes = Vec::with_capacity(BODY_BYTES + MAC_BYTES);
        bytes.push(VERSION);
        bytes.push(u8::from(self.order == Order::Ascending));
        bytes.push(u8::from(from.is_some()) | u8::from(to.is_some()) << 1);
        for time in [from, to] {
            bytes.extend_from_slice(&time.map_or(0, Timestamp::millis).to_be_bytes());
        }
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(&self.size.to_be_bytes());
        bytes.extend_from_slice(&self.last.0.to_be_bytes());
        bytes.extend_from_slice(&self.last.1.to_be_bytes());
        bytes.extend_from_slice(&self.binding);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; BODY_BYTES] = bytes.try_into().ok()?;
        let number = |at: usize| bytes[at..].first_chunk().map(|eight| u64::from_be_bytes(*eight));
        let time = |at: usize| number(at).map(u64::cast_signed);
        let end = |bit: u8, at: usize| {
            (bytes[2] & bit != 0)
                .then(|| time(at).map(Timestamp::from_millis))
                .flatten()
        };
        (bytes[0] == VERSION).then_some(Self {
            order: if bytes[1] == 0 {
                Order::Descending
            } else {
                Order::Ascending
            },
            range: Range {
                from: end(1, 3),
                to: end(2, 11),
            },
            epoch: u32::from_be_bytes(*bytes[19..].first_chunk()?),
            size: number(23)?,
            last: (time(31)?, number(39)?),
            binding: first_16(&bytes[47..]),
        })
    }
}

fn first_16(bytes: &[u8]) -> [u8; 16] {
    let mut first = [0; 16];
    first.copy_from_slice(&bytes[..16]);
    first
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn cursor() -> Cursor {
        Cursor {
            order: Order::Ascending,
            range: Range {
                from: None,
                to: Some(Timestamp::from_millis(-5)),
            },
            epoch: 2,
            size: u64::MAX,
            last: (i64::MIN, 7),
            binding: [9; 16],
        }
    }

    #[test]
    fn a_cursor_is_read_back_only_with_its_key_and_unchanged() {
        let key = CursorKey::new([1; 32]);
        let text = key.seal(&cursor());
        assert_eq!(key.open(&text).unwrap(), cursor());
        assert!(CursorKey::new([2; 32]).open(&text).is_err());
        for at in 0..text.len() {
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            let mut changed = text.clone();
            changed.replace_range(at..=at, other);
            assert!(key.open(&changed).is_err(), "changed at {at}");
        }
        assert!(key.open("").is_err() && key.open(&text[1..]).is_err() && key.open("\u{e9}").is_err());
    }
}
