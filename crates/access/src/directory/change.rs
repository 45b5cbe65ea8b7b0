//! A change of records in the making: what is written, and the acts that record it. It becomes visible as every commit does, see
//! [`super::Known`].
//!
//! Invariants
//! - Dropping a change changes nothing; a commit makes all of it or nothing, whoever goes away meanwhile.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::OwnedMutexGuard;
use trailbook_ledger::{Error as LedgerError, OrganizationKey, RetentionChange, Settlement, database::RecordChange};

use super::{Directory, Kind};
use crate::{Error, act::Act};

/// A change of records in the making. Dropping it changes nothing.
pub struct Change {
    directory: Arc<Directory>,
    changing: OwnedMutexGuard<()>,
    settlement: Settlement,
    acts: Vec<Act>,
    /// By kind and id: a commit changes a record once, as it was left last.
    written: BTreeMap<(&'static str, String), RecordChange>,
}

impl Change {
    /// A change of nothing yet, under the lock.
    pub(super) fn begun(directory: Arc<Directory>, changing: OwnedMutexGuard<()>) -> Self {
        Self {
            directory,
            changing,
            settlement: Settlement::default(),
            acts: Vec::new(),
            written: BTreeMap::new(),
        }
    }

    /// Writes a record in place of the one with the same id.
    pub fn put<K: Kind>(&mut self, value: K) -> Result<(), Error> {
        let bytes = serde_json::to_vec(&value).map_err(|_| Error::Damaged(format!("a record: kind={}", K::KIND)))?;
        self.write::<K>(&value.id(), Some(bytes));
        Ok(())
    }

    /// Removes a record, if it is there.
    pub fn remove<K: Kind>(&mut self, id: &str) {
        self.write::<K>(id, None);
    }

    fn write<K: Kind>(&mut self, id: &str, value: Option<Vec<u8>>) {
        let expected = K::table(&self.directory.state()).version(id);
        let place = (K::KIND, id.to_owned());
        if expected.is_none() && value.is_none() {
            self.written.remove(&place);
            return;
        }
        let change = RecordChange {
            kind: K::KIND.to_owned(),
            id: id.to_owned(),
            expected,
            value,
        };
        self.written.insert(place, change);
    }

    /// Says how long the events of a scope are kept.
    pub fn retention(&mut self, change: RetentionChange) {
        self.settlement.retentions.push(change);
    }

    /// Gives an organization an empty ledger, unless it has one.
    pub fn open(&mut self, organization: OrganizationKey) {
        self.settlement.open.push(organization);
    }

    /// Records what is done, in the same commit.
    pub fn act(&mut self, act: Act) {
        self.acts.push(act);
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        let settlement = &self.settlement;
        let records = self.acts.is_empty() && self.written.is_empty();
        records && settlement.retentions.is_empty() && settlement.open.is_empty()
    }

    /// Makes the change durable and visible, or changes nothing. It is made whole even when whoever waits for it goes away.
    ///
    /// # Errors
    /// The ledger's `Conflict` when another node changed one of the records: then that is visible; and what else the ledger answers.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.settlement.events = self.directory.prepared(&self.acts)?;
        // Until it is decided nobody else may begin a change: nobody's hanging up may come in between.
        let made = tokio::spawn(self.make()).await;
        made.unwrap_or(Err(LedgerError::Unknown.into()))
    }

    async fn make(self) -> Result<(), Error> {
        let Self {
            directory,
            changing,
            mut settlement,
            written,
            ..
        } = self;
        settlement.records = written.into_values().collect();
        let outcome = directory.ledger.settle(settlement).await;
        drop(changing);
        outcome.map(drop).map_err(Error::from)
    }
}
