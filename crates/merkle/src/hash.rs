//! A SHA-256 value and the three ways a tree makes one. See RFC 9162 section 2.1.1.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::Error;

/// A SHA-256 value: of a leaf, of an inner node, of a tree, or a commitment to a part. Displayed in lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash in standard base64 with padding, 44 characters.
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }

    /// The hash written by [`Hash::to_base64`]; any other spelling is [`Error::Invalid`].
    pub fn from_base64(text: &str) -> Result<Self, Error> {
        const INVALID: Error = Error::Invalid("hash is not 32 bytes in standard base64");
        if text.len() != 44 {
            return Err(INVALID);
        }
        let bytes = STANDARD.decode(text).map_err(|_| INVALID)?;
        Self::try_from(bytes.as_slice()).map_err(|_| INVALID)
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| Error::Invalid("hash is not 32 bytes long"))
    }
}

impl From<[u8; 32]> for Hash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// The hash of a leaf: SHA-256 over 0x00 and the leaf's bytes.
pub fn leaf_hash(record: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(record);
    Hash(hasher.finalize().into())
}

/// The hash of an inner node: SHA-256 over 0x01 and its two children.
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    Hash(Sha256::digest(bytes).into())
}

/// The root of the tree without leaves: SHA-256 over nothing.
pub fn empty_root() -> Hash {
    Hash(Sha256::digest([]).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_base64_is_read() {
        let hash = empty_root();
        let text = hash.to_base64();
        assert_eq!(text, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(Hash::from_base64(&text), Ok(hash));
        for wrong in [
            &text[..43],
            &format!("{text}="),
            &text.replace("FU=", "FV="),
            &text.replace('+', "-"),
            "",
        ] {
            assert!(Hash::from_base64(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn hexadecimal_is_lower_case() {
        assert_eq!(
            empty_root().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
