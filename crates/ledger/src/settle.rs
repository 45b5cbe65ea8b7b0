//! Settlements: what governs the deployment changes together with the events that say so.
//!
//! Invariants
//! - Everything of a settlement is one commit, or nothing of it is stored.
//! - A record changes only from the version that its change was made from: who decided on something older is refused, and nobody's
//!   change is lost.
//!
//! Not here: what records mean, and who may change them (`trailbook-access`).

use crate::{
    Error, Ledger, OrganizationKey, RetentionChange, Submission,
    database::{Change, RecordChange, StoredRecord},
    forgotten::Record,
    writer::Alteration,
};

/// What changes in one commit.
#[derive(Debug, Default)]
pub struct Settlement {
    /// Control records that are written or removed, in this order.
    pub records: Vec<RecordChange>,
    /// How long events are kept: longer at once, shorter after seven days in which asking for the old days takes it back; at once as well
    /// where nothing was ever stored.
    pub retentions: Vec<RetentionChange>,
    /// Organizations that have a ledger from now on, which is empty. Those that have one already keep it.
    pub open: Vec<OrganizationKey>,
    /// The events that say so, of one submission for each project; without client ids and idempotency keys.
    pub events: Vec<Submission>,
}

impl Ledger {
    /// All control records as they are stored now, by kind and id.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub async fn records(&self) -> Result<Vec<StoredRecord>, Error> {
        let records = self.inner.shared.database.records().await;
        records.map_err(|error| Error::storage("read the records", error))
    }

    /// Commits a settlement, alone in a commit; answers the commit's number, which is the version of the records that it wrote.
    ///
    /// # Errors
    /// [`Error::Conflict`] when a record is not at the version expected; as [`Ledger::append`].
    pub async fn settle(&self, settlement: Settlement) -> Result<u64, Error> {
        self.inner.shared.refused()?;
        let Settlement {
            records,
            retentions,
            open,
            events,
        } = settlement;
        let mut alteration = Alteration {
            changes: records.into_iter().map(Change::Record).collect(),
            open,
            events,
        };
        if retentions.is_empty() {
            return self.change(alteration).await;
        }
        let held = self.forgetting().await;
        let retentions = self.retentions_changed(&retentions);
        let recorded = retentions.iter().map(Record::retention).collect();
        let retentions = retentions.into_iter().map(Change::Retention);
        alteration.changes.extend(retentions);
        self.forget(&held, recorded, alteration).await
    }
}
