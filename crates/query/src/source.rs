//! What the index reads from: the ledger's committed rows, its sealed history and the news of commits.

use std::sync::Arc;

use tokio::sync::watch;
use trailbook_ledger::{Error, Head, Ledger, OrganizationKey, Row, Sealed};

/// Where committed rows come from. The ledger is one; tests use a plain vector.
pub trait Source: Send + Sync + 'static {
    /// The newest committed head; `None` when nothing was ever stored for the organization.
    fn head(&self, organization: &OrganizationKey) -> Option<Head>;

    /// The committed rows that are not sealed, from sequence `from` on, at most `limit`, in sequence order without gaps. A
    /// row that an acknowledgement or a head spoke of is among them, or sealed.
    fn tail(&self, organization: &OrganizationKey, from: u64, limit: usize) -> Vec<Arc<Row>>;

    /// The sealed rows. What leaves the tail is here before.
    ///
    /// # Errors
    /// As [`Ledger::sealed`].
    fn sealed(&self, organization: &OrganizationKey) -> Result<Arc<Sealed>, Error>;

    /// The committed rows, sealed or not, from sequence `from` or the floor on, at most `limit` and possibly fewer, in sequence
    /// order without gaps; none when there are no more. Redactions are carried out.
    ///
    /// # Errors
    /// As [`Ledger::rows`].
    fn rows(&self, organization: &OrganizationKey, from: u64, limit: usize) -> Result<Vec<Arc<Row>>, Error>;

    /// The number of the newest commit; it changes after the commit's rows can be read.
    fn commits(&self) -> watch::Receiver<u64>;
}

impl Source for Ledger {
    fn head(&self, organization: &OrganizationKey) -> Option<Head> {
        Ledger::head(self, organization)
    }

    fn tail(&self, organization: &OrganizationKey, from: u64, limit: usize) -> Vec<Arc<Row>> {
        Ledger::tail(self, organization, from, limit)
    }

    fn sealed(&self, organization: &OrganizationKey) -> Result<Arc<Sealed>, Error> {
        Ledger::sealed(self, organization)
    }

    fn rows(&self, organization: &OrganizationKey, from: u64, limit: usize) -> Result<Vec<Arc<Row>>, Error> {
        Ledger::rows(self, organization, from, limit)
    }

    fn commits(&self) -> watch::Receiver<u64> {
        Ledger::commits(self)
    }
}
