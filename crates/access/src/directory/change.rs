//! A change of records in the making: what is written, the acts that record it, and how both become visible once they are durable.
//!
//! Invariants
//! - Dropping a change changes nothing; a commit makes all of it or nothing, whoever goes away meanwhile.
//! - Who may have lost a right is told, and a policy that may be another one is made anew; nobody else is bothered.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::OwnedMutexGuard;
use trailbook_ledger::{Error as LedgerError, OrganizationKey, RetentionChange, Settlement, database::RecordChange};

use super::{Directory, Kind, State, Table};
use crate::{
    Error,
    act::Act,
    records::{
        Alert, AlertHealth, AlertMessage, AlertState, ApiKey, Export, Organization, ParkedEvent, Project, SavedView,
        Session, Stream, StreamHealth, StreamPosition,
    },
};

/// The kinds of records that nobody's rights depend on.
const WITHOUT_RIGHTS: [&str; 10] = [
    Alert::KIND,
    AlertState::KIND,
    AlertMessage::KIND,
    AlertHealth::KIND,
    Export::KIND,
    SavedView::KIND,
    Stream::KIND,
    StreamHealth::KIND,
    StreamPosition::KIND,
    ParkedEvent::KIND,
];

/// What a change may have an effect on beyond the records themselves.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    /// What applies to organizations may be another policy.
    pub(super) policies: bool,
    /// Somebody may have been allowed what they are not any more.
    pub(super) takes: bool,
}

impl Reach {
    pub(super) const EVERYTHING: Self = Self {
        policies: true,
        takes: true,
    };

    fn of(records: &[RecordChange]) -> Self {
        let is = |record: &RecordChange, kinds: [&str; 2]| kinds.contains(&record.kind.as_str());
        let policies = records
            .iter()
            .any(|record| is(record, [Project::KIND, Organization::KIND]));
        // Nobody relies on what is new, and some records give no right; of a key and a session that stay only their use is written.
        let takes = |record: &RecordChange| {
            let stays = record.value.is_some() && is(record, [ApiKey::KIND, Session::KIND]);
            record.expected.is_some() && !WITHOUT_RIGHTS.contains(&record.kind.as_str()) && !stays
        };
        Self {
            policies,
            takes: policies || records.iter().any(takes),
        }
    }
}

/// Makes visible what a commit wrote.
type Apply = Box<dyn FnOnce(&mut State, u64) + Send>;

/// A record as a change leaves it: what is stored, and how that becomes visible.
struct Written {
    change: RecordChange,
    apply: Apply,
}

/// A change of records in the making. Dropping it changes nothing.
pub struct Change {
    directory: Arc<Directory>,
    changing: OwnedMutexGuard<()>,
    settlement: Settlement,
    acts: Vec<Act>,
    /// By kind and id: a commit changes a record once, as it was left last.
    written: BTreeMap<(&'static str, String), Written>,
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
        self.write::<K>(&value.id(), Some(bytes), move |table, version| {
            table.put(version, Arc::new(value));
        });
        Ok(())
    }

    /// Removes a record, if it is there.
    pub fn remove<K: Kind>(&mut self, id: &str) {
        let removed = id.to_owned();
        self.write::<K>(id, None, move |table, _| table.remove(&removed));
    }

    fn write<K: Kind>(
        &mut self,
        id: &str,
        value: Option<Vec<u8>>,
        apply: impl FnOnce(&mut Table<K>, u64) + Send + 'static,
    ) {
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
        let apply: Apply = Box::new(move |state, version| apply(K::table_mut(state), version));
        self.written.insert(place, Written { change, apply });
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
    /// The ledger's `Conflict` when another node changed one of the records; and what else the ledger answers.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.settlement.events = self.directory.prepared(&self.acts)?;
        // What is durable has to become visible: nobody's hanging up may come in between.
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
        let (records, applied): (Vec<_>, Vec<_>) = written
            .into_values()
            .map(|written| (written.change, written.apply))
            .unzip();
        let reach = Reach::of(&records);
        settlement.records = records;
        let outcome = directory.ledger.settle(settlement).await;
        let made = match outcome {
            Ok(version) => {
                directory.make_visible(reach, |state| {
                    applied.into_iter().for_each(|apply| apply(state, version))
                });
                Ok(())
            }
            Err(error) => {
                if matches!(error, LedgerError::Conflict { .. } | LedgerError::Unknown)
                    && let Err(unread) = directory.read_again().await
                {
                    tracing::error!(error = %unread, "the records could not be read again; the next change tries it again");
                }
                Err(error.into())
            }
        };
        drop(changing);
        made
    }
}
