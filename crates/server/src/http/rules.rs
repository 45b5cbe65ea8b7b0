//! What a project and its organizations have against events: the catalog, and of each organization's policy what it says of unknown
//! actions and of events from before recording began.
//!
//! Not here: what makes an event valid anywhere (`trailbook_event`).

use std::sync::{Arc, Mutex, PoisonError};

use trailbook_access::{
    Policy,
    records::{Organizations, Project},
};
use trailbook_event::{
    ActionDefaults, Defaults, Event, Fault, Pointer,
    catalog::{Catalog, Rules, UnknownActions},
};
use trailbook_ledger::OrganizationKey;

use super::App;

/// The rules of a project, as admission asks them.
pub(crate) struct ProjectRules<'p> {
    app: &'p App,
    project: Arc<str>,
    catalog: &'p Catalog,
    rules: Rules<'p>,
    /// Whether events make their organization.
    makes: bool,
    /// The organization that was asked for last: events of a batch are mostly of one.
    last: Mutex<Option<Arc<Known>>>,
}

struct Known {
    name: String,
    exists: bool,
    policy: Arc<Policy>,
}

impl<'p> ProjectRules<'p> {
    /// The rules of a project with this catalog.
    pub(crate) fn new(app: &'p App, project: Arc<str>, catalog: &'p Catalog) -> Self {
        let declares = |project: &Project| project.organizations == Organizations::Declared;
        let makes = !app
            .directory
            .get::<Project>(&project)
            .is_some_and(|project| declares(&project));
        Self {
            app,
            project,
            catalog,
            rules: catalog.rules(UnknownActions::Accept),
            makes,
            last: Mutex::default(),
        }
    }

    fn known(&self, name: &str) -> Arc<Known> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = last.as_ref().filter(|known| known.name == name) {
            return Arc::clone(known);
        }
        let key = OrganizationKey::new(self.project.clone(), name);
        let directory = &self.app.directory;
        let known = Arc::new(Known {
            name: name.to_owned(),
            exists: self.makes || directory.has_organization(&key),
            policy: directory.policy(&key),
        });
        *last = Some(Arc::clone(&known));
        known
    }
}

impl Defaults for ProjectRules<'_> {
    fn of(&self, action: &str) -> Option<ActionDefaults<'_>> {
        self.rules.of(action)
    }

    fn action_types(&self) -> &[String] {
        self.rules.action_types()
    }

    fn describe(&self, event: &Event<'_>) -> Option<String> {
        self.rules.describe(event)
    }

    fn complaints(&self, event: &Event<'_>) -> Vec<Fault> {
        if event.organization.is_empty() {
            return self.rules.complaints(event);
        }
        let known = self.known(&event.organization);
        let mut faults = self.catalog.rules(known.policy.unknown_actions).complaints(event);
        let at = |member| Pointer::root().child(member);
        if !known.exists {
            let detail = "The project has no such organization, and events do not make one: set it up first.";
            faults.push(Fault::new(at("organization"), detail));
        }
        if let Some(since) = known.policy.refused_before().filter(|since| event.occurred_at < *since) {
            let detail = format!("The organization takes no events from before recording began, {since}.");
            faults.push(Fault::new(at("occurred_at"), detail));
        }
        faults
    }
}
