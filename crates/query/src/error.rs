//! What can go wrong with a question, by what the caller should do next.

/// An error of a question. The kinds are the caller's next steps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The question is malformed: change it. `detail` is a sentence for the caller.
    #[error("{detail}")]
    Invalid {
        /// What is wrong and the remedy.
        detail: String,
    },
    /// The question is well formed, but its answer is beyond a bound: ask for less. `detail` names the bound.
    #[error("{detail}")]
    TooLarge {
        /// The bound and the remedy, as a sentence for the caller.
        detail: String,
    },
    /// There is no such ledger, event or trace.
    #[error("not found")]
    NotFound,
    /// A stored event cannot be read.
    #[error("stored event is damaged sequence={sequence}")]
    Corrupt {
        /// The event's place in its ledger.
        sequence: u64,
    },
}

impl Error {
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::Invalid { detail: detail.into() }
    }

    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::TooLarge { detail: detail.into() }
    }
}
