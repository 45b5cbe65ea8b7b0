//! What the index reads from: the ledger's committed rows and the news of commits.

use std::sync::Arc;

use tokio::sync::watch;
use trailbook_ledger::{Head, Ledger, OrganizationKey, Row};

/// Where committed rows come from. The ledger is one; tests use a plain vector.
pub trait Source: Send + Sync + 'static {
    /// The newest committed head; `None` when nothing was ever stored for the organization.
    fn head(&self, organization: &OrganizationKey) -> Option<Head>;

    /// The committed rows from sequence `from` on, at most `limit`, in sequence order without gaps. A row that an
    /// acknowledgement or a head spoke of is among them.
    fn rows(&self, organization: &OrganizationKey, from: u64, limit: usize) -> Vec<Arc<Row>>;

    /// The number of the newest commit; it changes after the commit's rows can be read.
    fn commits(&self) -> watch::Receiver<u64>;
}

impl Source for Ledger {
    fn head(&self, organization: &OrganizationKey) -> Option<Head> {
        Ledger::head(self, organization)
    }

    fn rows(&self, organization: &OrganizationKey, from: u64, limit: usize) -> Vec<Arc<Row>> {
        Ledger::tail(self, organization, from, limit)
    }

    fn commits(&self) -> watch::Receiver<u64> {
        Ledger::commits(self)
    }
}
