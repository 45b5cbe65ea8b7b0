//! What can go wrong in the ledger, by what the caller should do next.

/// An error of the ledger. The kinds are the caller's next steps.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// These events (by position in the submission) carry client ids that are stored with other content: nothing was
    /// stored; send them under new client ids.
    #[error("client ids are stored with other content: events={events:?}")]
    ClientIdReused {
        /// Positions in the submission, ascending.
        events: Vec<usize>,
    },
    /// The idempotency key was used for another body: nothing was stored; use a new key.
    #[error("the idempotency key was used for another body")]
    IdempotencyKeyReused,
    /// What was to be changed is not any more as it was when the change was made: nothing was stored; decide again on what is there now.
    #[error("it has changed meanwhile: {detail}")]
    Conflict {
        /// What, and how it differs.
        detail: String,
    },
    /// There is no such ledger, event, checkpoint or tile.
    #[error("not found")]
    NotFound,
    /// It was there, and has expired.
    #[error("gone")]
    Gone,
    /// A bound was reached: try again after `retry_after_seconds`. Nothing was stored.
    #[error("over the limit: limit={limit}")]
    Overloaded {
        /// The bound's name, such as `tail_events_max`.
        limit: &'static str,
        /// When trying again may help.
        retry_after_seconds: u32,
    },
    /// The ledger refuses to write or sign, for a reason that an operator must resolve. Nothing was stored.
    #[error("writing is refused: reason={reason}")]
    Refused {
        /// What was found and the way out.
        reason: String,
    },
    /// The connection was lost while committing: it may or may not be stored; repeating is safe.
    #[error("the outcome of the commit is unknown")]
    Unknown,
    /// The database or object store does not answer. Nothing was stored.
    #[error("storage failed: operation={operation} detail={detail}")]
    Storage {
        /// What was being done.
        operation: &'static str,
        /// What the engine said.
        detail: String,
    },
    /// Stored bytes are not what they must be.
    #[error("stored data is damaged: detail={detail}")]
    Corrupt {
        /// Where, and what differs.
        detail: String,
    },
}

impl Error {
    /// A failure of the storage engine during `operation`.
    pub(crate) fn storage(operation: &'static str, source: impl std::fmt::Display) -> Self {
        Self::Storage {
            operation,
            detail: source.to_string(),
        }
    }

    /// Damage found in stored bytes.
    pub(crate) fn corrupt(detail: impl Into<String>) -> Self {
        Self::Corrupt { detail: detail.into() }
    }
}
