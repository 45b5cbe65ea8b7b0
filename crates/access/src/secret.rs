//! Secrets that are handed out once: keys, viewer tokens, sessions, links. Made here, known afterwards by their SHA-256.
//!
//! A secret reads `tb_key_` (or another [`SecretKind`]'s prefix), 43 characters of base64url (32 random bytes), six hexadecimal
//! digits of a CRC-32: by their shape scanners find secrets where they should not be. Nothing here reads the shape; what a secret opens is
//! found by its hash.
//!
//! Invariants
//! - What is random has 256 bits, so a fast hash is enough: guessing is hopeless.
//! - Neither a secret nor its hash is printed; hashes are compared in constant time.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use trailbook_ledger::Random;

/// What a secret opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// An API key.
    Key,
    /// An embedded viewer.
    ViewerToken,
    /// A signed-in browser.
    Session,
    /// An invitation or a password reset.
    Link,
}

impl SecretKind {
    /// What every secret of this kind begins with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Key => "tb_key_",
            Self::ViewerToken => "tb_view_",
            Self::Session => "tb_sess_",
            Self::Link => "tb_link_",
        }
    }
}

/// A secret in the clear, on its way to whom it belongs to. Never printed, never stored.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A new secret that nobody can guess.
    pub fn make(kind: SecretKind, random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        let body = format!("{}{}", kind.prefix(), BASE64_URL_SAFE_NO_PAD.encode(bytes));
        let digits = checksum(&body);
        Self(body + &digits)
    }

    /// The secret itself, to hand it out.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}

/// The SHA-256 under which a secret is known. Comparing takes the same time wherever two differ.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash of a text that may be a secret.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for SecretHash {
    /// A hash as it was kept.
    fn from(kept: [u8; 32]) -> Self {
        Self(kept)
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretHash {}

impl fmt::Debug for SecretHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(hash)")
    }
}

impl Serialize for SecretHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for SecretHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(D::Error::custom)?;
        let bytes = bytes.try_into().map_err(|_| D::Error::custom("a hash has 32 bytes"))?;
        Ok(Self(bytes))
    }
}

/// A new id: `prefix` and 16 random bytes in hexadecimal.
pub fn new_id(prefix: &str, random: &dyn Random) -> String {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    format!("{prefix}{}", hexadecimal(&bytes))
}

fn checksum(body: &str) -> String {
    format!("{:06x}", crc32fast::hash(body.as_bytes()) & 0x00ff_ffff)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Same(u8);
    impl Random for Same {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn a_secret_has_the_shape_that_scanners_look_for() {
        for (kind, prefix) in [
            (SecretKind::Key, "tb_key_"),
            (SecretKind::ViewerToken, "tb_view_"),
            (SecretKind::Session, "tb_sess_"),
            (SecretKind::Link, "tb_link_"),
        ] {
            let secret = Secret::make(kind, &Same(7));
            let (body, checksum) = secret.expose().split_at(prefix.len() + 43);
            assert!(body.starts_with(prefix), "{body}");
            let digits = format!("{:08x}", crc32fast::hash(body.as_bytes()));
            assert_eq!(checksum, &digits[2..]);
        }
    }

    #[test]
    fn the_hash_is_of_the_whole_text_and_survives_being_stored() {
        let (one, other) = (
            Secret::make(SecretKind::Key, &Same(1)),
            Secret::make(SecretKind::Key, &Same(2)),
        );
        assert!(one.hash() == SecretHash::of(one.expose()) && one.hash() != other.hash());
        let stored = serde_json::to_string(&one.hash()).expect("JSON");
        assert!(serde_json::from_str::<SecretHash>(&stored).expect("a hash") == one.hash());
    }

    #[test]
    fn nothing_of_it_is_printed() {
        let secret = Secret::make(SecretKind::Link, &Same(9));
        assert_eq!(format!("{secret:?} {:?}", secret.hash()), "(secret) (hash)");
    }
}
