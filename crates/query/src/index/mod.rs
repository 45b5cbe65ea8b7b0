//! The index of sealed rows as bytes: the terms of a block, cut into parts that are compressed, checked and read one by one.
//!
//! Invariants
//! - The same rows give the same bytes.
//! - Bytes that were damaged are refused; they never give an answer, and no length is believed before its checksum.
//!
//! Not here: what is asked of terms (`block`, `plan`), where the bytes are kept (`trailbook_ledger::segment`).
//! See docs/formats/index.md.

mod bytes;
mod fingerprints;
mod header;
mod part;
mod postings;
mod write;

pub(crate) use fingerprints::Fingerprints;
pub(crate) use header::{Header, PREAMBLE_BYTES, preamble};
pub(crate) use part::Part;
pub use write::BlockIndexer;
