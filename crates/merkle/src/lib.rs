//! The Merkle side of a ledger: hashing, compact ranges, proofs, tiles, checkpoints and signed notes. The ledger builds trees
//! with it, the server serves proofs from it, and the offline verifier checks them with it.
//!
//! Invariants
//! - A tree of n leaves has exactly one root, the Merkle tree hash of RFC 9162 section 2.1.1.
//! - Every function that reads foreign bytes is total: it returns an [`Error`], never panics, and its work is bounded by its input.
//! - Sizes and indexes never exceed [`SIZE_MAX`].
//!
//! Not here: storage (trailbook-ledger), canonical bytes of events (trailbook-event), the evidence file (trailbook-deliver).
//! See docs/formats/tree.md, which is normative.
#![forbid(unsafe_code)]

mod checkpoint;
mod commitment;
mod error;
mod frontier;
mod hash;
mod leaf;
pub mod note;
mod proof;
mod range;
mod subtree;
pub mod tile;

pub use checkpoint::Checkpoint;
pub use commitment::{Nonce, commitment, commitments, salt};
pub use error::Error;
pub use frontier::{CompactRange, CompleteSubtree, Frontier};
pub use hash::{Hash, empty_root, leaf_hash, node_hash};
pub use leaf::{LEAF_RECORD_BYTES, LeafRecord};
pub use proof::{
    NodeSource, consistency_ranges, inclusion_ranges, prove_consistency, prove_inclusion, root_of, verify_consistency,
    verify_inclusion,
};
pub use range::{RangeProof, prove_range, verify_range};
pub use subtree::{Subtree, complete_root, subtrees};

/// The largest size of a tree, 2^63 − 1: sizes fit a signed 64-bit column, and no arithmetic on them overflows.
pub const SIZE_MAX: u64 = i64::MAX as u64;
