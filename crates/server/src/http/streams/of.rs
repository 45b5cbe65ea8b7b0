//! Whose streams a request is about: those of an organization, or of a project as a whole.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use trailbook_access::{
    Act, Caller, Change, Policy, Right, SYSTEM,
    act::Target,
    records::{Stream, owner},
};
use trailbook_ledger::OrganizationKey;

use super::super::{
    App,
    ask::{Ask, Delivering, lacking},
    etag,
    manage::begin,
    parameters::Parameters,
    problem::Problem,
    proof::NOTHING,
};

/// A request about streams, by somebody who may set them up.
pub(crate) struct OfStreams {
    pub(crate) app: Arc<App>,
    /// Who asks.
    pub(crate) caller: Caller,
    /// The organization that the streams are of; `None` is the whole project.
    organization: Option<Ask>,
    id: Option<String>,
    query: Option<String>,
}

impl FromRequestParts<Arc<App>> for OfStreams {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let path = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|_| Problem::not_found())?;
        let named = |name: &str| {
            path.iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.to_owned())
        };
        let caller = parts
            .extensions
            .get::<Caller>()
            .cloned()
            .ok_or_else(Problem::internal)?;
        let organization = match named("organization") {
            Some(_) => Some(Delivering::from_request_parts(parts, app).await?.0),
            None => {
                check_project(app, &caller)?;
                None
            }
        };
        Ok(Self {
            app: app.clone(),
            caller,
            organization,
            id: named("id"),
            query: parts.uri.query().map(ToOwned::to_owned),
        })
    }
}

impl OfStreams {
    /// Refuses a query string.
    pub(super) fn no_parameters(&self) -> Result<(), Problem> {
        Parameters::read(self.query.as_deref(), &NOTHING).map(drop)
    }

    /// The lock under which streams change, when the caller may still set them up under it.
    pub(super) async fn begin(&self) -> Result<Change, Problem> {
        let change = begin(&self.app, &self.caller).await?;
        match &self.organization {
            Some(ask) => ask.renewed(Right::Deliver).map(drop)?,
            None => check_project(&self.app, &self.caller)?,
        }
        Ok(change)
    }

    /// The project.
    pub(super) fn project(&self) -> &str {
        &self.caller.project
    }

    /// The organization; `None` is the whole project.
    pub(super) fn organization(&self) -> Option<&str> {
        self.organization.as_ref().map(|ask| ask.organization.organization())
    }

    /// What filters are read by: what applies to the organization, or to one of which nothing is set.
    pub(super) fn policy(&self) -> Arc<Policy> {
        match &self.organization {
            Some(ask) => ask.policy.clone(),
            None => self.app.directory.policy(&OrganizationKey::new(self.project(), SYSTEM)),
        }
    }

    /// All of its streams.
    pub(super) fn all(&self) -> Vec<Arc<Stream>> {
        let owner = match &self.organization {
            Some(ask) => owner(&ask.organization),
            None => self.project().to_owned(),
        };
        self.app.directory.of(&owner)
    }

    /// The stream that the path names.
    pub(super) fn find(&self) -> Result<Arc<Stream>, Problem> {
        let id = self.id.as_deref().unwrap_or_default();
        let found = self.app.directory.get::<Stream>(id);
        let is_of =
            |stream: &Stream| stream.project == self.project() && stream.organization.as_deref() == self.organization();
        found.filter(|stream| is_of(stream)).ok_or_else(Problem::not_found)
    }

    /// The tag of a stream's version.
    pub(super) fn version(&self, id: &str) -> String {
        etag::of(self.app.directory.version::<Stream>(id))
    }

    /// What the caller does to a stream: in the organization's ledger, or in the project's own.
    pub(super) fn act(&self, action: &'static str, stream: &Stream) -> Act {
        let act = match &self.organization {
            Some(ask) => Act::of(&self.caller, ask.organization.clone(), action),
            None => Act::of_project(&self.caller, self.project(), action),
        };
        act.target(Target::new("stream", stream.id.as_str(), Some(stream.name.clone())))
    }
}

/// Refuses who may not set up streams of all organizations.
fn check_project(app: &App, caller: &Caller) -> Result<(), Problem> {
    if !app.directory.has_project(&caller.project) {
        return Err(Problem::not_found());
    }
    match caller.project_rights(&app.directory).deliver {
        true => Ok(()),
        false => Err(lacking(Right::Deliver)),
    }
}
