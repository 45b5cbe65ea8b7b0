//! What is known: the records in memory, moved on by each commit that writes some, whichever node made it.
//!
//! Invariants
//! - Records are taken in in the order of their commits, and each as its newest commit left it.
//! - Who may have lost a right is told, and a policy that may be another one is made anew; nobody else is bothered.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use tokio::sync::watch;
use trailbook_ledger::{OrganizationKey, database::RecordChange};

use super::{Kind, Table};
use crate::{
    Error, Policy, PolicySettings,
    records::{
        Alert, AlertHealth, AlertMessage, AlertState, ApiKey, Export, Link, Organization, ParkedEvent, Project,
        SavedView, Session, SingleSignOn, StoredCatalog, Stream, StreamHealth, StreamPosition, User, ViewerToken,
        owner,
    },
    rights::SYSTEM,
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
struct Reach {
    /// What applies to organizations may be another policy.
    policies: bool,
    /// Somebody may have been allowed what they are not any more.
    takes: bool,
}

impl Reach {
    fn of(records: &[&RecordChange]) -> Self {
        let is = |record: &RecordChange, kinds: [&str; 2]| kinds.contains(&record.kind.as_str());
        let policies = records
            .iter()
            .any(|record| is(record, [Project::KIND, Organization::KIND]));
        // Nobody relies on what is new, and some records give no right; of a key and a session that stay only their use is written.
        let takes = |record: &&&RecordChange| {
            let stays = record.value.is_some() && is(record, [ApiKey::KIND, Session::KIND]);
            record.expected.is_some() && !WITHOUT_RIGHTS.contains(&record.kind.as_str()) && !stays
        };
        Self {
            policies,
            takes: policies || records.iter().any(|record| takes(&record)),
        }
    }
}

/// A record as a commit left it.
struct Written<'r> {
    kind: &'r str,
    id: &'r str,
    version: u64,
    value: Option<&'r [u8]>,
}

/// What is in memory, shared with the ledger, which moves it on.
#[derive(Default)]
pub(super) struct Known {
    pub(super) state: RwLock<State>,
    /// Effective policies, without what changes with time.
    pub(super) policies: Mutex<HashMap<OrganizationKey, Arc<Policy>>>,
    /// Counts changes that may take something from somebody.
    pub(super) changes: watch::Sender<u64>,
}

impl Known {
    /// Takes in what a commit wrote.
    pub(super) fn take_in(&self, commit: u64, records: &[&RecordChange]) -> Result<(), Error> {
        let reach = Reach::of(records);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for record in records {
            state.take_in(&Written {
                kind: &record.kind,
                id: &record.id,
                version: commit,
                value: record.value.as_deref(),
            })?;
        }
        if reach.policies {
            // While the state is still locked: a policy made from the old state must not be kept after this.
            self.policies.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        if reach.takes {
            self.changes.send_modify(|changes| *changes += 1);
        }
        Ok(())
    }
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
    /// Takes in a record as a commit left it. Damaged when it cannot be read.
    fn take_in(&mut self, record: &Written<'_>) -> Result<(), Error> {
        match record.kind {
            Project::KIND => self.held::<Project>(record),
            Organization::KIND => self.held::<Organization>(record),
            StoredCatalog::KIND => self.held::<StoredCatalog>(record),
            User::KIND => self.held::<User>(record),
            ApiKey::KIND => self.held::<ApiKey>(record),
            ViewerToken::KIND => self.held::<ViewerToken>(record),
            Session::KIND => self.held::<Session>(record),
            Link::KIND => self.held::<Link>(record),
            SingleSignOn::KIND => self.held::<SingleSignOn>(record),
            SavedView::KIND => self.held::<SavedView>(record),
            Export::KIND => self.held::<Export>(record),
            Stream::KIND => self.held::<Stream>(record),
            StreamHealth::KIND => self.held::<StreamHealth>(record),
            StreamPosition::KIND => self.held::<StreamPosition>(record),
            ParkedEvent::KIND => self.held::<ParkedEvent>(record),
            Alert::KIND => self.held::<Alert>(record),
            AlertState::KIND => self.held::<AlertState>(record),
            AlertMessage::KIND => self.held::<AlertMessage>(record),
            AlertHealth::KIND => self.held::<AlertHealth>(record),
            // Of a newer version, while the nodes change over to it. One that takes rights away comes with a schema that this version refuses.
            unknown => {
                tracing::warn!(
                    kind = unknown,
                    "a record of a kind that this version does not know is left alone"
                );
                Ok(())
            }
        }
    }

    fn held<K: Kind>(&mut self, record: &Written<'_>) -> Result<(), Error> {
        let table = K::table_mut(self);
        if table.version(record.id).is_some_and(|known| known > record.version) {
            return Ok(());
        }
        let Some(value) = record.value else {
            table.remove(record.id);
            return Ok(());
        };
        // What is in the value is nobody's business: it may be a secret.
        let damaged = |_| {
            let (kind, id) = (record.kind, record.id);
            Error::Damaged(format!("a record cannot be read: kind={kind} id={id}"))
        };
        let value = serde_json::from_slice(value).map_err(damaged)?;
        table.put(record.version, Arc::new(value));
        Ok(())
    }

    /// What the project sets for an organization, and what is set for itself.
    pub(super) fn settings(
        &self,
        organization: &OrganizationKey,
    ) -> (Option<&PolicySettings>, Option<&PolicySettings>) {
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
