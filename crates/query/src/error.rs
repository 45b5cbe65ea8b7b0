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
    /// A file or the object store does not answer: try again.
    #[error("{detail}")]
    Storage {
        /// What was being done, and what the engine said.
        detail: String,
    },
    /// Stored bytes are not what they must be.
    #[error("stored data is damaged: {detail}")]
    Corrupt {
        /// Where, and the remedy.
        detail: String,
    },
}

impl Error {
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::Invalid { detail: detail.into() }
    }

    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::TooLarge { detail: detail.into() }
    }

    pub(crate) fn corrupt(detail: impl Into<String>) -> Self {
        Self::Corrupt { detail: detail.into() }
    }

    /// A stored event whose parts are no event.
    pub(crate) fn unreadable(sequence: u64) -> Self {
        Self::corrupt(format!(
            "an event cannot be read: sequence={sequence}; run `trailbook fsck`"
        ))
    }
}

impl From<trailbook_ledger::Error> for Error {
    fn from(error: trailbook_ledger::Error) -> Self {
        match error {
            trailbook_ledger::Error::NotFound | trailbook_ledger::Error::Gone => Self::NotFound,
            trailbook_ledger::Error::Corrupt { detail } => Self::Corrupt { detail },
            other => Self::Storage {
                detail: other.to_string(),
            },
        }
    }
}
