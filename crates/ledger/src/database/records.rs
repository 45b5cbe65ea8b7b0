//! Control records: what governs the deployment beside the events, as bytes that mean something to whoever wrote them.
//!
//! Not here: what kinds there are and what they hold; the ledger neither knows nor reads that.

use std::fmt;

/// A control record as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// What it is.
    pub kind: String,
    /// Which one of its kind.
    pub id: String,
    /// The commit that wrote it.
    pub version: u64,
    /// What it says.
    pub value: Vec<u8>,
}

/// A control record is written or removed.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordChange {
    /// What it is.
    pub kind: String,
    /// Which one of its kind.
    pub id: String,
    /// The version that this was made from; `None`: there must be no such record. When it does not hold, nothing of the commit is written.
    pub expected: Option<u64>,
    /// What it says from now on; `None`: it is removed.
    pub value: Option<Vec<u8>>,
}

// Values hold hashes of passwords and the like: they are never printed.
impl fmt::Debug for StoredRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            id,
            version,
            value,
        } = self;
        write!(
            formatter,
            "StoredRecord({kind} {id}, version {version}, {} bytes)",
            value.len()
        )
    }
}

impl fmt::Debug for RecordChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            id,
            expected,
            value,
        } = self;
        let bytes = value.as_ref().map(Vec::len);
        write!(
            formatter,
            "RecordChange({kind} {id}, made from {expected:?}, {bytes:?} bytes)"
        )
    }
}
