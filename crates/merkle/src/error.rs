//! The crate's one error. Its kinds are what a verifier has to tell apart: unreadable, not held, and not true.

use std::fmt;

/// Why something could not be read, built or believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// Bytes or arguments that do not have the required form; nothing is said about whether they are true.
    Invalid(&'static str),
    /// A node that a proof needs is not held by the source: the subtree of 2^`level` leaves that starts at `begin`.
    Missing {
        /// Index of the subtree's first leaf.
        begin: u64,
        /// Height of the subtree.
        level: u8,
    },
    /// Well-formed, but it does not hold: a root, a leaf or a signature differs from what the proof or note claims.
    Mismatch(&'static str),
    /// A well-formed note without a signature by any of the known keys.
    Unsigned,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Invalid(what) | Error::Mismatch(what) => f.write_str(what),
            Error::Missing { begin, level } => write!(f, "tree node is not held begin={begin} level={level}"),
            Error::Unsigned => f.write_str("note is not signed by a known key"),
        }
    }
}

impl std::error::Error for Error {}
