//! Signed notes, C2SP signed-note with Ed25519: text that somebody vouches for, a blank line, and lines of signatures.
//! The ledger signs checkpoints with it; verifiers open them.
//!
//! Invariants
//! - What [`open`] returns is signed by a key it was given; signatures are verified strictly (no small-order keys, no second encodings).
//! - One bad signature by a known key refuses the whole note, whatever else signs it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::Error;

/// The longest note that is read.
pub const NOTE_BYTES_MAX: usize = 1 << 20;

/// The most signatures that a note is read with.
pub const SIGNATURES_MAX: usize = 100;

/// The byte that stands for Ed25519 in key ids and verifier keys.
const ED25519: u8 = 1;

const LINE_BEGIN: &str = "\u{2014} ";

/// A public key with the name it signs under. Displayed as a vkey, `name+id+key`, and parsed from one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl VerifierKey {
    fn new(name: &str, key: VerifyingKey) -> Result<Self, Error> {
        if !is_name(name) {
            return Err(Error::Invalid(
                "key name is empty or has white space, control characters or +",
            ));
        }
        let digest = Sha256::new()
            .chain_update(name)
            .chain_update([b'\n', ED25519])
            .chain_update(key.as_bytes())
            .finalize();
        Ok(Self {
            name: name.to_owned(),
            id: [digest[0], digest[1], digest[2], digest[3]],
            key,
        })
    }

    /// The key in a vkey. [`Error::Invalid`] when its form is wrong, its id is not that of its name and key, or the key is weak.
    pub fn parse(vkey: &str) -> Result<Self, Error> {
        const INVALID: Error = Error::Invalid("verifier key is not of the form NAME+ID+KEY with an Ed25519 key");
        let mut fields = vkey.splitn(3, '+');
        let (Some(name), Some(_), Some(key)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(INVALID);
        };
        let bytes = STANDARD.decode(key).map_err(|_| INVALID)?;
        let Some((&ED25519, key)) = bytes.split_first() else {
            return Err(INVALID);
        };
        let key = VerifyingKey::try_from(key)
            .ok()
            .filter(|key| !key.is_weak())
            .ok_or(INVALID)?;
        let verifier = Self::new(name, key)?;
        if verifier.to_string() == vkey {
            Ok(verifier)
        } else {
            Err(Error::Invalid("verifier key's id is not its key's"))
        }
    }

    /// The name that the key signs under.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = [ED25519; 33];
        key[1..].copy_from_slice(self.key.as_bytes());
        write!(
            f,
            "{}+{:08x}+{}",
            self.name,
            u32::from_be_bytes(self.id),
            STANDARD.encode(key)
        )
    }
}

/// A private key with the name it signs under. Its memory is cleared when it is dropped.
pub struct Signer {
    key: SigningKey,
    verifier: VerifierKey,
}

impl Signer {
    /// The signer with this name and Ed25519 secret (the 32-byte seed of RFC 8032). [`Error::Invalid`] when the name is empty or has
    /// white space, control characters or `+`.
    pub fn new(name: &str, secret: &[u8; 32]) -> Result<Self, Error> {
        let key = SigningKey::from_bytes(secret);
        let verifier = VerifierKey::new(name, key.verifying_key())?;
        Ok(Self { key, verifier })
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The note that says `text`, signed. [`Error::Invalid`] when the text does not end in a newline, has other control characters, or is
    /// too long to be opened again.
    pub fn sign(&self, text: &str) -> Result<String, Error> {
        if !text.ends_with('\n') || has_control_characters(text) {
            return Err(Error::Invalid(
                "note text does not end in a newline or has control characters",
            ));
        }
        let signature = self.key.sign(text.as_bytes());
        let mut signed = [0; 68];
        signed[..4].copy_from_slice(&self.verifier.id);
        signed[4..].copy_from_slice(&signature.to_bytes());
        let note = format!(
            "{text}\n{LINE_BEGIN}{} {}\n",
            self.verifier.name,
            STANDARD.encode(signed)
        );
        if note.len() <= NOTE_BYTES_MAX {
            Ok(note)
        } else {
            Err(Error::Invalid("note is longer than 1 MiB"))
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("verifier", &self.verifier)
            .finish_non_exhaustive()
    }
}

/// The text of a note that at least one of `keys` has signed.
///
/// Errors: [`Error::Invalid`] when it is no note, [`Error::Mismatch`] when a signature by a known key is bad, [`Error::Unsigned`] when
/// there is none by a known key. Signatures by other keys are ignored, also when they share a known key's name or id.
pub fn open<'n>(note: &'n [u8], keys: &[VerifierKey]) -> Result<&'n str, Error> {
    let (text, lines) = split(note)?;
    let mut signed = false;
    for (count, line) in lines.split('\n').enumerate() {
        if count == SIGNATURES_MAX {
            return Err(Error::Invalid("note has more than 100 signatures"));
        }
        let (name, id, signature) = parse_signature(line)?;
        for known in keys.iter().filter(|known| known.name == name && known.id == id) {
            let signature = Signature::from_slice(&signature).map_err(|_| BAD_SIGNATURE)?;
            known
                .key
                .verify_strict(text.as_bytes(), &signature)
                .map_err(|_| BAD_SIGNATURE)?;
            signed = true;
        }
    }
    if signed { Ok(text) } else { Err(Error::Unsigned) }
}

const BAD_SIGNATURE: Error = Error::Mismatch("note has a bad signature by a known key");

/// The note's text with its last newline, and its signature lines without theirs.
fn split(note: &[u8]) -> Result<(&str, &str), Error> {
    const INVALID: Error = Error::Invalid("note is not a text, a blank line and signature lines");
    if note.len() > NOTE_BYTES_MAX {
        return Err(Error::Invalid("note is longer than 1 MiB"));
    }
    let note = str::from_utf8(note).map_err(|_| Error::Invalid("note is not UTF-8"))?;
    if has_control_characters(note) {
        return Err(Error::Invalid("note has control characters"));
    }
    let blank = note.rfind("\n\n").ok_or(INVALID)?;
    let lines = note[blank + 2..].strip_suffix('\n').ok_or(INVALID)?;
    Ok((&note[..=blank], lines))
}

/// Key name, key id and signature bytes of a signature line, whatever its algorithm.
fn parse_signature(line: &str) -> Result<(&str, [u8; 4], Vec<u8>), Error> {
    const INVALID: Error = Error::Invalid("note has a malformed signature line");
    let (name, encoded) = line
        .strip_prefix(LINE_BEGIN)
        .and_then(|rest| rest.split_once(' '))
        .ok_or(INVALID)?;
    let bytes = STANDARD.decode(encoded).map_err(|_| INVALID)?;
    match bytes.split_first_chunk() {
        Some((id, signature)) if !signature.is_empty() && is_name(name) => Ok((name, *id, signature.to_vec())),
        _ => Err(INVALID),
    }
}

/// Whether a name can stand in a signature line and a vkey.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

/// Whether a text has control characters other than newline.
fn has_control_characters(text: &str) -> bool {
    text.bytes().any(|byte| byte < 0x20 && byte != b'\n')
}
