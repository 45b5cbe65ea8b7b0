//! What is known of projects, organizations, people and credentials: in memory, as the ledger's records say.
//!
//! Invariants
//! - What is in memory is committed. A change and the event that records it are one commit.
//! - Changes are made one at a time, from what is read while no other one can come in between.
//!
//! Not here: what the records mean (`records`), who may change them (`rights`, `caller`).

mod alerts;
mod change;
mod deliveries;
mod embedding;
mod keep;
mod saved_views;
mod table;

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard},
};

pub use change::Change;
use change::Reach;
use serde::{Serialize, de::DeserializeOwned};
pub use table::Table;
use tokio::sync::watch;
use trailbook_event::{Admitted, Timestamp};
use trailbook_ledger::{Clock, Ledger, OrganizationKey, Random, Submission, database::StoredRecord};

use crate::{
    Error, Policy, PolicySettings,
    act::Act,
    records::{
        Alert, AlertHealth, AlertMessage, AlertState, ApiKey, Export, Link, Organization, ParkedEvent, Project,
        SavedView, Session, SingleSignOn, StoredCatalog, Stream, StreamHealth, StreamPosition, User, ViewerToken,
        owner,
    },
    rights::SYSTEM,
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

/// All records.
#[derive(Default)]
pub struct State {
    /// Projects that were set up.
    pub projects: Table<Project>,
    /// Organizations that were set up; others exist because there are events.
    pub organizations: Table<Organization>,
    /// Catalogs of projects.
    pub catalogs: Table<StoredCatalog>,
    /// People of the console.
    pub users: Table<User>,
    /// API keys.
    pub keys: Table<ApiKey>,
    /// Tokens of embedded viewers.
    pub viewer_tokens: Table<ViewerToken>,
    /// People who are signed in.
    pub sessions: Table<Session>,
    /// Invitations and password resets.
    pub links: Table<Link>,
    /// Single sign-on by organization.
    pub single_sign_ons: Table<SingleSignOn>,
    /// Saved views of organizations.
    pub views: Table<SavedView>,
    /// Exports of organizations.
    pub exports: Table<Export>,
    /// Streams of organizations and projects.
    pub streams: Table<Stream>,
    /// How they are getting on.
    pub stream_health: Table<StreamHealth>,
    /// How far they have come.
    pub stream_positions: Table<StreamPosition>,
    /// What their destinations did not take.
    pub parked_events: Table<ParkedEvent>,
    /// Alerts of organizations.
    pub alerts: Table<Alert>,
    /// How far they have come.
    pub alert_states: Table<AlertState>,
    /// What they still have to tell.
    pub alert_messages: Table<AlertMessage>,
    /// How telling is getting on.
    pub alert_health: Table<AlertHealth>,
}

impl State {
    /// All records as they are stored. Those of `before` that did not change since are the same: who holds one sees that it stands.
    fn of(stored: &[StoredRecord], before: &Self) -> Result<Self, Error> {
        let mut state = Self::default();
        stored.iter().try_for_each(|stored| state.read(stored, before))?;
        Ok(state)
    }

    fn read(&mut self, stored: &StoredRecord, before: &Self) -> Result<(), Error> {
        match stored.kind.as_str() {
            Project::KIND => self.held::<Project>(stored, before),
            Organization::KIND => self.held::<Organization>(stored, before),
            StoredCatalog::KIND => self.held::<StoredCatalog>(stored, before),
            User::KIND => self.held::<User>(stored, before),
            ApiKey::KIND => self.held::<ApiKey>(stored, before),
            ViewerToken::KIND => self.held::<ViewerToken>(stored, before),
            Session::KIND => self.held::<Session>(stored, before),
            Link::KIND => self.held::<Link>(stored, before),
            SingleSignOn::KIND => self.held::<SingleSignOn>(stored, before),
            SavedView::KIND => self.held::<SavedView>(stored, before),
            Export::KIND => self.held::<Export>(stored, before),
            Stream::KIND => self.held::<Stream>(stored, before),
            StreamHealth::KIND => self.held::<StreamHealth>(stored, before),
            StreamPosition::KIND => self.held::<StreamPosition>(stored, before),
            ParkedEvent::KIND => self.held::<ParkedEvent>(stored, before),
            Alert::KIND => self.held::<Alert>(stored, before),
            AlertState::KIND => self.held::<AlertState>(stored, before),
            AlertMessage::KIND => self.held::<AlertMessage>(stored, before),
            AlertHealth::KIND => self.held::<AlertHealth>(stored, before),
            unknown => Err(Error::Damaged(format!(
                "the database has a record of a kind that this version does not know: {unknown}"
            ))),
        }
    }

    fn held<K: Kind>(&mut self, stored: &StoredRecord, before: &Self) -> Result<(), Error> {
        let known = K::table(before).get(&stored.id).cloned();
        let known = known.filter(|_| K::table(before).version(&stored.id) == Some(stored.version));
        // What is in the value is nobody's business: it may be a secret.
        let damaged = || {
            let (kind, id) = (&stored.kind, &stored.id);
            Error::Damaged(format!("a record cannot be read: kind={kind} id={id}"))
        };
        let value = match known {
            Some(known) => known,
            None => Arc::new(serde_json::from_slice(&stored.value).map_err(|_| damaged())?),
        };
        K::table_mut(self).put(stored.version, value);
        Ok(())
    }

    /// What the project sets for an organization, and what is set for itself.
    fn settings(&self, organization: &OrganizationKey) -> (Option<&PolicySettings>, Option<&PolicySettings>) {
        // Trailbook's own acts, and the operators, are no customer of the project.
        let inherits = organization.organization() != SYSTEM;
        let project = self.projects.get(organization.project()).filter(|_| inherits);
        let own = self.organizations.get(&owner(organization));
        (
            project.map(|project| &project.policy),
            own.map(|organization| &organization.policy),
        )
    }
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
    state: RwLock<State>,
    changing: Arc<tokio::sync::Mutex<()>>,
    /// Effective policies, without what changes with time.
    policies: Mutex<HashMap<OrganizationKey, Arc<Policy>>>,
    /// When keys and sessions were used, as far as it is not written yet; milliseconds.
    used: Mutex<HashMap<String, i64>>,
    /// Counts changes that may take something from somebody.
    changes: watch::Sender<u64>,
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
        let state = State::of(&ledger.records().await?, &State::default())?;
        Ok(Self {
            ledger,
            clock,
            random,
            country_of,
            deployment,
            state: RwLock::new(state),
            changing: Arc::default(),
            policies: Mutex::default(),
            used: Mutex::default(),
            changes: watch::Sender::new(0),
        })
    }

    /// All records as they are. Held for moments only: changes wait.
    pub fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
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
        let lock = || self.policies.lock().unwrap_or_else(PoisonError::into_inner);
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
        self.changes.subscribe()
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

    /// Catches up with what is stored, where memory may be behind it.
    async fn read_again(&self) -> Result<(), Error> {
        let stored = self.ledger.records().await?;
        let known = State::of(&stored, &self.state())?;
        self.make_visible(Reach::EVERYTHING, |state| *state = known);
        Ok(())
    }

    fn make_visible(&self, reach: Reach, change: impl FnOnce(&mut State)) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        if reach.policies {
            // While the state is still locked: a policy made from the old state must not be kept after this.
            self.policies.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        if reach.takes {
            self.changes.send_modify(|changes| *changes += 1);
        }
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
