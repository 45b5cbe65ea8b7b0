//! The root key: chosen by the operator, or made at the first start and shown once.
//!
//! Invariants
//! - The server keeps only the key's SHA-256; a made key has 256 random bits, so no slow hash is needed.
//! - Comparison takes the same time wherever the keys differ (`SecretHash`).
//!
//! Not here: what the key allows (`http::access`).

use std::path::Path;

use anyhow::Context;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use trailbook_access::secret::SecretHash;
use trailbook_ledger::Random;

use crate::{config::Secret, secret_file};

/// The file in the data directory that keeps the hash of a made key.
pub(crate) const FILE: &str = "root-key.sha256";

/// The root key's hash.
#[derive(Debug, Clone)]
pub(crate) struct RootKey(SecretHash);

impl RootKey {
    /// The hash of a key's text.
    pub(crate) fn of(key: &str) -> Self {
        Self(SecretHash::of(key))
    }

    /// Whether a credential with this hash is the root key.
    pub(crate) fn is(&self, credential: &SecretHash) -> bool {
        self.0 == *credential
    }

    /// The key that the operator chose, or else the one that was made for this data directory. A key made now is
    /// returned as well: it must be shown, for nobody can read it again.
    pub(crate) fn of_directory(
        chosen: Option<&Secret>,
        data: &Path,
        random: &dyn Random,
    ) -> anyhow::Result<(Self, Option<String>)> {
        if let Some(chosen) = chosen {
            return Ok((Self::of(chosen.expose()), None));
        }
        let path = data.join(FILE);
        match secret_file::read(&path).context("set TRAILBOOK_ROOT_KEY, or remove the file to have a new key made")? {
            Some(hash) => Ok((Self(hash.into()), None)),
            None => make(&path, random),
        }
    }
}

fn make(path: &Path, random: &dyn Random) -> anyhow::Result<(RootKey, Option<String>)> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    let key = format!("tb_root_{}", BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let root = RootKey::of(&key);
    secret_file::write(path, root.0.bytes())?;
    Ok((root, Some(key)))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    struct Counting;
    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.iter_mut().zip(1..).for_each(|(byte, number)| *byte = number);
        }
    }

    #[test]
    fn a_made_key_is_shown_once_and_kept_as_a_hash_that_only_the_owner_can_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let (_, shown) = RootKey::of_directory(None, directory.path(), &Counting).expect("made");
        let shown = shown.expect("shown at the first start");
        let (root, again) = RootKey::of_directory(None, directory.path(), &Counting).expect("read");
        assert!(again.is_none());
        assert!(root.is(&SecretHash::of(&shown)) && !root.is(&SecretHash::of("another")));
        let path = directory.path().join(FILE);
        assert_eq!(fs::metadata(&path).expect("kept").permissions().mode() & 0o777, 0o600);
        assert!(!fs::read_to_string(path).expect("text").contains(&shown));
    }
}
