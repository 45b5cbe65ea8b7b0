//! What handlers of a project's administration begin with: the caller, and how far their administration reaches.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use trailbook_access::{Caller, Change, Principal};
use trailbook_ledger::OrganizationKey;

use super::{App, parameters::Parameters, problem::Problem, proof::NOTHING};

/// A request by somebody who administers the project or an organization of it.
pub(crate) struct Managing {
    pub(crate) app: Arc<App>,
    /// Who asks.
    pub(crate) caller: Caller,
    /// What they administer.
    pub(crate) reach: Reach,
    query: Option<String>,
}

/// What somebody administers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The whole project.
    Project,
    /// One organization of it.
    Organization(String),
}

impl Reach {
    /// Whether something that works for an organization (or all) is within.
    pub(crate) fn has(&self, organization: Option<&str>) -> bool {
        match self {
            Self::Project => true,
            Self::Organization(own) => organization == Some(own),
        }
    }

    /// What something to be made works for: what was asked for, when that is within; the only organization when nothing was.
    pub(crate) fn narrowed(&self, asked: Option<String>) -> Result<Option<String>, Problem> {
        match (self, asked) {
            (Self::Project, asked) => Ok(asked),
            (Self::Organization(own), None) => Ok(Some(own.clone())),
            (Self::Organization(own), Some(asked)) if asked == *own => Ok(Some(asked)),
            (Self::Organization(_), Some(_)) => Err(Problem::forbidden("You administer another organization.")),
        }
    }
}

impl FromRequestParts<Arc<App>> for Managing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let caller = parts
            .extensions
            .get::<Caller>()
            .cloned()
            .ok_or_else(Problem::internal)?;
        if !app.directory.has_project(&caller.project) {
            return Err(Problem::not_found());
        }
        let reach = reach(app, &caller).ok_or_else(|| Problem::forbidden("You may not administer here."))?;
        Ok(Self {
            app: app.clone(),
            caller,
            reach,
            query: parts.uri.query().map(ToOwned::to_owned),
        })
    }
}

impl Managing {
    /// The query string.
    pub(crate) fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The lock under which records change, and what the caller administers under it: the body took its time.
    pub(crate) async fn begin(&self) -> Result<(Change, Reach), Problem> {
        let change = begin(&self.app, &self.caller).await?;
        if !self.app.directory.has_project(&self.caller.project) {
            return Err(Problem::not_found());
        }
        let reach = reach(&self.app, &self.caller);
        Ok((
            change,
            reach.ok_or_else(|| Problem::forbidden("You may not administer here."))?,
        ))
    }

    /// Refuses a query string.
    pub(crate) fn no_parameters(&self) -> Result<(), Problem> {
        Parameters::read(self.query.as_deref(), &NOTHING).map(drop)
    }
}

/// Refuses everybody but root and operators who administer.
pub(crate) fn operators_only(app: &App, caller: &Caller) -> Result<(), Problem> {
    let administers = caller.project_rights(&app.directory).administer;
    if caller.is_operator(&app.directory) && administers {
        Ok(())
    } else {
        Err(Problem::forbidden("Only operators may do this."))
    }
}

/// The lock under which records change, when the caller's credential still stands under it.
pub(crate) async fn begin(app: &App, caller: &Caller) -> Result<Change, Problem> {
    let change = app.directory.change().await;
    if caller.stands(&app.directory) {
        Ok(change)
    } else {
        Err(Problem::unproven())
    }
}

/// What a caller administers, if anything.
fn reach(app: &App, caller: &Caller) -> Option<Reach> {
    if caller.project_rights(&app.directory).administer {
        return Some(Reach::Project);
    }
    let own = match &caller.principal {
        Principal::Key(key) => key.organization.clone()?,
        Principal::User(user, _) => user.organization.clone(),
        Principal::Root | Principal::Viewer(_) => return None,
    };
    let organization = OrganizationKey::new(caller.project.clone(), own.as_str());
    let rights = caller.rights(&organization, &app.directory).ok()?;
    rights.administer.then_some(Reach::Organization(own))
}
