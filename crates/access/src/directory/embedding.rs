//! Which origins may embed the viewer of an organization: asked before anybody has proved who they are.
//!
//! Invariants
//! - Nothing is kept of such a question: strangers may ask for any name.
//! - An organization that is not there is answered as one that inherits everything, so that the answer does not tell which are.

use trailbook_ledger::OrganizationKey;

use super::{Directory, State};
use crate::DEFAULT_PROJECT;

impl Directory {
    /// The origins that may embed the viewer of an organization of this name.
    pub fn embed_origins(&self, organization: &OrganizationKey) -> Vec<String> {
        self.origins(&self.state(), organization).to_vec()
    }

    /// Whether an origin may embed the viewer of an organization of this name; without a project, in any.
    pub fn may_embed(&self, origin: &str, project: Option<&str>, organization: &str) -> bool {
        let state = self.state();
        let lists = |project: &str| {
            let organization = OrganizationKey::new(project, organization);
            let origins = self.origins(&state, &organization);
            origins.iter().any(|listed| listed == origin)
        };
        match project {
            Some(project) => lists(project),
            None => lists(DEFAULT_PROJECT) || state.projects.all().any(|project| lists(&project.name)),
        }
    }

    fn origins<'s>(&'s self, state: &'s State, organization: &OrganizationKey) -> &'s [String] {
        let (project, own) = state.settings(organization);
        let nearest_first = [own, project, Some(&self.deployment)].into_iter().flatten();
        let mut set = nearest_first.filter_map(|settings| settings.embed_origins.as_deref());
        set.next().unwrap_or_default()
    }
}
