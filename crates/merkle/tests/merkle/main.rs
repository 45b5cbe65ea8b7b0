//! The merkle crate through its public door: against a naive tree, against other people's implementations, against published
//! vectors, and against those who alter proofs, notes and paths.
#![allow(
    clippy::disallowed_methods,
    reason = "tests work with real files, processes and time"
)]
#![allow(clippy::unwrap_used)]

mod alterations;
mod formats;
mod naive;
mod notes;
mod oracles;
mod ranges;
mod tiles;
mod trees;
