//! What can go wrong with records.

/// Why a record could not be read or changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The ledger did not take it.
    #[error(transparent)]
    Ledger(#[from] trailbook_ledger::Error),
    /// Something is stored, or about to be, that cannot be right.
    #[error("stored settings are damaged: {0}")]
    Damaged(String),
}
