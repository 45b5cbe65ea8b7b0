//! What is known of projects, organizations, people and credentials: in memory, as the ledger's records say.
//!
//! Invariants
//! - What is in memory is committed, by this node or another. A change and the event that records it are one commit.
//! - Changes are made one at a time, from what is read while no other one can come in between.
//!
//! Not here: what the records mean (`records`), who may change them (`rights`, `caller`).

mod alerts;
mod change;
mod deliveries;
mod embedding;
mod keep;
mod known;
mod saved_views;
mod table;

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, RwLockReadGuard},
};

pub use change::Change;
use known::Known;
pub use known::State;
use serde::{Serialize, de::DeserializeOwned};
pub use table::Table;
use tokio::sync::watch;
use trailbook_event::{Admitted, Timestamp};
use trailbook_ledger::{Clock, Ledger, OrganizationKey, Random, Submission};

use crate::{
    Error, Policy, PolicySettings,
    act::Act,
    records::{ViewerToken, owner},
};

/// Policies kept ready; beyond it they are made anew.
const POLICIES_KEPT: usize = 10_000;

/// A kind of record.
pub trait Kind: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name among the records.
    const KIND: &'static str;
    /// What names a record; unique within the kind.
    fn id(&self) -> String;
    /// What it belongs to: a project, an organization (see [`owner`]) or a user.
    fn owner(&self) -> String;
    /// SHA-256 of the secret that stands for it.
    fn credential(&self) -> Option<[u8; 32]> {
        None
    }
    /// Where records of this kind are.
    fn table(state: &State) -> &Table<Self>
    where
        Self: Sized;
    /// Where records of this kind are, to be changed.
    fn table_mut(state: &mut State) -> &mut Table<Self>
    where
        Self: Sized;
}

/// The country of an address, if it is known.
pub type CountryOf = dyn Fn(IpAddr) -> Option<[u8; 2]> + Send + Sync;

/// All records of a deployment, and how they change.
pub struct Directory {
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    country_of: Box<CountryOf>,
    deployment: PolicySettings,
    known: Arc<Known>,
    changing: Arc<tokio::sync::Mutex<()>>,
    /// When keys and sessions were used, as far as it is not written yet; milliseconds.
    used: Mutex<HashMap<String, i64>>,
}

impl Directory {
    /// Reads all records. `deployment` is the policy that projects inherit.
    ///
    /// # Errors
    /// [`Error::Damaged`] when one cannot be read; those of [`Ledger::records`].
    pub async fn open(
        ledger: Ledger,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
        country_of: Box<CountryOf>,
        deployment: PolicySettings,
    ) -> Result<Self, Error> {
        let known = Arc::<Known>::default();
        let moved_on = Arc::clone(&known);
        ledger
            .observe_records(move |commit, records| {
                moved_on.take_in(commit, records).map_err(|error| error.to_string())
            })
            .await?;
        Ok(Self {
            ledger,
            clock,
            random,
            country_of,
            deployment,
            known,
            changing: Arc::default(),
            used: Mutex::default(),
        })
    }

    /// All records as they are. Held for moments only: changes wait.
    pub fn state(&self) -> RwLockReadGuard<'_, State> {
        self.known.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record of an id.
    pub fn get<K: Kind>(&self, id: &str) -> Option<Arc<K>> {
        K::table(&self.state()).get(id).cloned()
    }

    /// The records of an owner, by id.
    pub fn of<K: Kind>(&self, owner: &str) -> Vec<Arc<K>> {
        K::table(&self.state()).of(owner).cloned().collect()
    }

    /// The record that a credential with this hash stands for.
    pub fn by_credential<K: Kind>(&self, hash: &[u8; 32]) -> Option<Arc<K>> {
        K::table(&self.state()).by_credential(hash).cloned()
    }

    /// The commit that wrote the record of an id; `None` when there is none.
    pub fn version<K: Kind>(&self, id: &str) -> Option<u64> {
        K::table(&self.state()).version(id)
    }

    /// The policy that projects inherit.
    pub fn deployment(&self) -> &PolicySettings {
        &self.deployment
    }

    /// Whether a project exists. `default` always does.
    pub fn has_project(&self, project: &str) -> bool {
        project == crate::DEFAULT_PROJECT || self.state().projects.get(project).is_some()
    }

    /// Whether an organization exists: it was set up, or has events.
    pub fn has_organization(&self, organization: &OrganizationKey) -> bool {
        self.ledger.head(organization).is_some_and(|head| head.size > 0)
            || self.state().organizations.get(&owner(organization)).is_some()
    }

    /// What applies to an organization, but for how long events are kept: the ledger says that.
    pub fn policy(&self, organization: &OrganizationKey) -> Arc<Policy> {
        let lock = || self.known.policies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(policy) = lock().get(organization) {
            return Arc::clone(policy);
        }
        // Held until the policy is kept: a change that comes after it clears what is kept.
        let state = self.state();
        let (project, own) = state.settings(organization);
        let policy = Arc::new(Policy::effective(&self.deployment, project, own));
        let mut policies = lock();
        if policies.len() >= POLICIES_KEPT {
            policies.clear();
        }
        policies.insert(organization.clone(), Arc::clone(&policy));
        policy
    }

    /// Changes whenever something may have been taken from somebody: whoever was allowed something for longer asks again then.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.known.changes.subscribe()
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The source of secrets and ids.
    pub fn random(&self) -> &dyn Random {
        &*self.random
    }

    /// The ledger that keeps the records.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Removes the viewer tokens that a key or a user made.
    pub fn remove_tokens_made_by(&self, change: &mut Change, maker: &str) {
        let state = self.state();
        let made = state.viewer_tokens.all().filter(|token| token.made_by == maker);
        let ids: Vec<String> = made.map(|token| token.id.clone()).collect();
        drop(state);
        ids.iter().for_each(|id| change.remove::<ViewerToken>(id));
    }

    /// Begins a change; others wait until it is committed or dropped.
    pub async fn change(self: &Arc<Self>) -> Change {
        let changing = Arc::clone(&self.changing).lock_owned().await;
        Change::begun(Arc::clone(self), changing)
    }

    /// Records an act that changes nothing here, such as a read or a sign-in that failed.
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub async fn record(&self, act: &Act) -> Result<(), Error> {
        for submission in self.prepared(std::slice::from_ref(act))? {
            self.ledger.append(submission).await?;
        }
        Ok(())
    }

    /// The events of acts: a submission for each project.
    fn prepared(&self, acts: &[Act]) -> Result<Vec<Submission>, Error> {
        let mut by_project = BTreeMap::<&str, Vec<Admitted>>::new();
        for act in acts {
            let of_project = by_project.entry(act.organization.project()).or_default();
            of_project.push(act.admitted(self.now())?);
        }
        let prepare = |(project, events)| self.ledger.prepare(project, events, None, &*self.country_of);
        Ok(by_project.into_iter().map(prepare).collect())
    }
}
