//! Salted commitments to the parts of an event. The leaf record holds the commitments; a part and its salt can be removed
//! without touching the tree, and without the salt a commitment says nothing about the part, however guessable.
//! See docs/formats/tree.md, "Part commitments".

use sha2::{Digest, Sha256};

use crate::Hash;

/// An event's secret random bytes, from which the salts of its parts are derived.
pub type Nonce = [u8; 16];

const SALT_DOMAIN: &[u8; 18] = b"trailbook/salt/v1\0";
const PART_DOMAIN: &[u8; 18] = b"trailbook/part/v1\0";

/// The salt of one part, numbered 1 to 5. Revealing it reveals neither the nonce nor another part's salt.
pub fn salt(nonce: &Nonce, part: u8) -> [u8; 32] {
    let mut message = [0; 35];
    message[..18].copy_from_slice(SALT_DOMAIN);
    message[18..34].copy_from_slice(nonce);
    message[34] = part;
    Sha256::digest(message).into()
}

/// The commitment to the canonical bytes of one part, numbered 1 to 5, under its salt.
pub fn commitment(part: u8, salt: &[u8; 32], bytes: &[u8]) -> Hash {
    let mut head = [0; 51];
    head[..18].copy_from_slice(PART_DOMAIN);
    head[18] = part;
    head[19..].copy_from_slice(salt);
    let mut hasher = Sha256::new();
    hasher.update(head);
    hasher.update(bytes);
    Hash(hasher.finalize().into())
}

/// The commitments to an event's five parts, in their order, under the salts of its nonce.
pub fn commitments(nonce: &Nonce, parts: [&[u8]; 5]) -> [Hash; 5] {
    // All salts before all commitments: neighbours that do not wait for each other overlap in the processor.
    let salts = [1, 2, 3, 4, 5].map(|part| salt(nonce, part));
    std::array::from_fn(|position| commitment(position as u8 + 1, &salts[position], parts[position]))
}
