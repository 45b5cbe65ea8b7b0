//! Encryption of secrets that customers entrust to the server, such as the client secret of their identity provider.
//!
//! What is sealed is text: base64url of a version, the name of the key, a random nonce and XChaCha20-Poly1305. It is bound
//! to its place (whose it is, and what for), so that it opens nowhere else.
//!
//! Invariants
//! - The key is outside the database: whoever reads the database alone reads no secret.
//! - A changed byte, another place or another key is an error, never other bytes.
//!
//! Not here: secrets that need never be read again, which are kept as hashes (`root_key`).

use std::{fmt, path::Path};

use anyhow::Context;
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use sha2::{Digest, Sha256};
use trailbook_ledger::Random;

use crate::{config::Secret, secret_file};

/// The file in the data directory that keeps a made key.
pub(crate) const FILE: &str = "encryption-key";

const VERSION: u8 = 1;
const NAME_BYTES: usize = 4;
const NONCE_BYTES: usize = 24;
const HEAD_BYTES: usize = 1 + NAME_BYTES + NONCE_BYTES;

/// Why sealed text does not open.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Error {
    /// Sealed under a key that this is not.
    #[error(
        "a stored secret was encrypted with another key: set encryption_key (or the file encryption-key in the data \
         directory) to the key that was in use then, or store the secret again"
    )]
    AnotherKey,
    /// Changed, cut, or brought from elsewhere.
    #[error("a stored secret is damaged or was brought from elsewhere: store it again")]
    Damaged,
}

/// 256 bits that secrets are encrypted with.
#[derive(Clone)]
pub(crate) struct EncryptionKey([u8; 32]);

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}

impl EncryptionKey {
    /// The key of these bytes.
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Whether it is the same key.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// The key in a setting: 32 bytes as 64 hexadecimal digits or as base64.
    pub(crate) fn parse(text: &Secret) -> Option<Self> {
        let text = text.expose();
        let bytes = match secret_file::decode(text) {
            Ok(bytes) => bytes,
            Err(_) => {
                let unpadded = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
                let padded = format!("{unpadded}{}", "=".repeat((4 - unpadded.len() % 4) % 4));
                BASE64_STANDARD.decode(padded).ok()?.try_into().ok()?
            }
        };
        Some(Self(bytes))
    }

    /// The key that the operator chose, or else the one that is made once for this data directory.
    pub(crate) fn of_directory(chosen: Option<&Self>, data: &Path, random: &dyn Random) -> anyhow::Result<Self> {
        if let Some(chosen) = chosen {
            return Ok(chosen.clone());
        }
        let path = data.join(FILE);
        let kept =
            secret_file::read(&path).context("set TRAILBOOK_ENCRYPTION_KEY, or bring the file back from a copy")?;
        if let Some(bytes) = kept {
            return Ok(Self(bytes));
        }
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        secret_file::write(&path, &bytes)?;
        Ok(Self(bytes))
    }

    /// Encrypts `plain` for one place, named by parts without NUL.
    pub(crate) fn seal(&self, plain: &[u8], place: &[&str], random: &dyn Random) -> String {
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        let mut sealed = [&[VERSION], self.name().as_slice(), &nonce].concat();
        let payload = Payload {
            msg: plain,
            aad: &associated(place),
        };
        let encrypted = XChaCha20Poly1305::new(&self.0.into()).encrypt(&XNonce::from(nonce), payload);
        sealed.extend(encrypted.expect("secrets are shorter than 256 GiB"));
        BASE64_URL_SAFE_NO_PAD.encode(sealed)
    }

    /// What was sealed for this place.
    pub(crate) fn open(&self, sealed: &str, place: &[&str]) -> Result<Vec<u8>, Error> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(sealed).map_err(|_| Error::Damaged)?;
        let (head, encrypted) = sealed.split_at_checked(HEAD_BYTES).ok_or(Error::Damaged)?;
        if head[0] != VERSION {
            return Err(Error::Damaged);
        }
        let (name, nonce) = head[1..].split_at(NAME_BYTES);
        if name != self.name() {
            return Err(Error::AnotherKey);
        }
        let nonce = XNonce::try_from(nonce).map_err(|_| Error::Damaged)?;
        let payload = Payload {
            msg: encrypted,
            aad: &associated(place),
        };
        let opened = XChaCha20Poly1305::new(&self.0.into()).decrypt(&nonce, payload);
        opened.map_err(|_| Error::Damaged)
    }

    /// Tells keys apart and says nothing of their bytes.
    fn name(&self) -> [u8; NAME_BYTES] {
        let digest = Sha256::new()
            .chain_update(b"trailbook/encryption-key/v1\0")
            .chain_update(self.0);
        let mut name = [0; NAME_BYTES];
        name.copy_from_slice(&digest.finalize()[..NAME_BYTES]);
        name
    }
}

fn associated(place: &[&str]) -> Vec<u8> {
    place.join("\0").into_bytes()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::inputs::OsRandom;

    const PLACE: [&str; 2] = ["single sign-on", "default/acme"];

    #[test]
    fn what_is_sealed_opens_at_its_place_alone() {
        let key = EncryptionKey::new([7; 32]);
        let sealed = key.seal(b"hunter2", &PLACE, &OsRandom);
        assert_eq!(key.open(&sealed, &PLACE).expect("opened"), b"hunter2");
        assert_eq!(
            key.open(&sealed, &["single sign-on", "default/other"]),
            Err(Error::Damaged)
        );
        assert_eq!(key.open(&sealed, &["stream", "default/acme"]), Err(Error::Damaged));
        assert_ne!(key.seal(b"hunter2", &PLACE, &OsRandom), sealed, "a nonce of its own");
    }

    #[test]
    fn another_key_is_named_as_the_reason() {
        let sealed = EncryptionKey::new([7; 32]).seal(b"hunter2", &PLACE, &OsRandom);
        assert_eq!(
            EncryptionKey::new([8; 32]).open(&sealed, &PLACE),
            Err(Error::AnotherKey)
        );
        assert!(Error::AnotherKey.to_string().contains("encryption_key"));
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let key = EncryptionKey::new([7; 32]);
        let sealed = key.seal(b"hunter2", &PLACE, &OsRandom);
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&sealed).expect("base64");
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(
                key.open(&BASE64_URL_SAFE_NO_PAD.encode(&changed), &PLACE).is_err(),
                "{at}"
            );
            assert!(
                key.open(&BASE64_URL_SAFE_NO_PAD.encode(&bytes[..at]), &PLACE).is_err(),
                "{at}"
            );
        }
    }

    #[test]
    fn a_key_is_read_from_hexadecimal_and_base64_of_32_bytes() {
        let parse = |text: &str| EncryptionKey::parse(&Secret::new(text.into())).map(|key| key.0);
        assert_eq!(parse(&"ff".repeat(32)), Some([255; 32]));
        assert_eq!(parse(&BASE64_STANDARD.encode([251; 32])), Some([251; 32]));
        assert_eq!(parse(&BASE64_URL_SAFE_NO_PAD.encode([251; 32])), Some([251; 32]));
        for wrong in ["", "short", &"ff".repeat(31), &BASE64_STANDARD.encode([1; 33])] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_made_key_stays_and_only_the_owner_can_read_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let made = EncryptionKey::of_directory(None, directory.path(), &OsRandom).expect("made");
        let again = EncryptionKey::of_directory(None, directory.path(), &OsRandom).expect("read");
        assert_eq!(made.0, again.0);
        let path = directory.path().join(FILE);
        assert_eq!(fs::metadata(&path).expect("kept").permissions().mode() & 0o777, 0o600);
        fs::write(path, "damaged").expect("written");
        assert!(EncryptionKey::of_directory(None, directory.path(), &OsRandom).is_err());
        assert_eq!(format!("{made:?}"), "(secret)");
    }
}
