//! What every handler under an organization begins with: the caller with the right that the handler needs, the ledger asked for, and the
//! query string.
//!
//! Invariant: nobody gets an [`Ask`] but through an extractor that names the right: a handler cannot forget to check.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use trailbook_access::{Act, Caller, Denied, Policy, Right, Rights, act::Target};
use trailbook_event::Filter;
use trailbook_ledger::{Head, OrganizationKey};

use super::{
    App,
    parameters::{self, Accepts, Parameters},
    problem::Problem,
};

/// A request under `/v1/organizations/{organization}` of an organization that exists, by somebody who has the right.
pub(crate) struct Ask {
    pub(crate) app: Arc<App>,
    /// Who asks.
    pub(crate) caller: Caller,
    /// What they may do here.
    pub(crate) rights: Rights,
    /// What applies here.
    pub(crate) policy: Arc<Policy>,
    /// Whose ledger.
    pub(crate) organization: OrganizationKey,
    /// The ledger's head when the request came.
    pub(crate) head: Head,
    /// What narrows everything that the caller sees.
    own: Option<Filter>,
    journal: Journal,
    path: Vec<(String, String)>,
    query: Option<String>,
}

/// What a request did, to be recorded when its answer is a success.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<Entry>>>);

/// One thing that a request did.
pub(crate) struct Entry {
    pub(crate) act: Act,
    /// Whose look at which log, or at what of it: recorded once in a while.
    pub(crate) look: Option<(String, OrganizationKey)>,
}

impl Journal {
    fn add(&self, entry: Entry) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// Takes what was added.
    pub(crate) fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// By somebody who may look. That they looked is recorded.
pub(crate) struct Viewing(pub(crate) Ask);
/// By somebody who may look; it shows no event.
pub(crate) struct Knowing(pub(crate) Ask);
/// By somebody who may look at everything: a token with a filter may not.
pub(crate) struct Proving(pub(crate) Ask);
/// By somebody who may take files.
pub(crate) struct Exporting(pub(crate) Ask);
/// By somebody who may administer.
pub(crate) struct Administering(pub(crate) Ask);
/// By somebody who may set up streams and alerts.
pub(crate) struct Delivering(pub(crate) Ask);
/// By root.
pub(crate) struct Ruling(pub(crate) Ask);

macro_rules! extractor {
    ($name:ident, $right:expr, $after:expr) => {
        impl FromRequestParts<Arc<App>> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
                let ask = Ask::of(parts, app, $right).await?;
                let after: fn(&Ask) -> Result<(), Problem> = $after;
                after(&ask)?;
                Ok(Self(ask))
            }
        }
    };
}

extractor!(Viewing, Right::View, Ask::viewed);
extractor!(Knowing, Right::View, |_| Ok(()));
extractor!(Proving, Right::View, |ask| ask.unfiltered().and_then(|()| ask.viewed()));
extractor!(Exporting, Right::Export, |_| Ok(()));
extractor!(Administering, Right::Administer, |_| Ok(()));
extractor!(Delivering, Right::Deliver, Ask::unfiltered);
extractor!(Ruling, Right::Administer, Ask::by_root);

impl Ask {
    async fn of(parts: &mut Parts, app: &Arc<App>, right: Right) -> Result<Self, Problem> {
        let caller = parts
            .extensions
            .get::<Caller>()
            .cloned()
            .ok_or_else(Problem::internal)?;
        let journal = parts.extensions.get::<Journal>().cloned().unwrap_or_default();
        let found = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|_| Problem::not_found())?;
        let path: Vec<(String, String)> = found
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let name = path
            .iter()
            .find(|(name, _)| name == "organization")
            .ok_or_else(Problem::internal)?;
        let organization = OrganizationKey::new(caller.project.clone(), name.1.as_str());
        let rights = permitted(app, &caller, &organization)?;
        let head = app
            .ledger
            .head(&organization)
            .filter(|_| app.directory.has_organization(&organization));
        let head = head.ok_or_else(Problem::not_found)?;
        if !rights.has(right) {
            return Err(lacking(right));
        }
        let policy = app.directory.policy(&organization);
        let own = caller.filter().map(|text| parameters::query(text, &policy)).transpose();
        let own = own.map_err(|_| Problem::forbidden("The token's own filter cannot be read any more."))?;
        Ok(Self {
            app: app.clone(),
            caller,
            rights,
            policy,
            organization,
            head,
            own,
            journal,
            path,
            query: parts.uri.query().map(ToOwned::to_owned),
        })
    }

    /// A parameter of the path.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.path
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// The query string, held against what the endpoint accepts.
    pub(crate) fn parameters(&self, accepts: &Accepts) -> Result<Parameters, Problem> {
        Parameters::read(self.query.as_deref(), accepts)
    }

    /// What the caller may read, and of it what the caller's own filter lets through.
    pub(crate) fn scope(&self) -> trailbook_query::Scope {
        trailbook_query::Scope {
            organization: self.organization.clone(),
            own: self.own.clone(),
        }
    }

    /// Refuses a caller who sees only a part: what speaks of all events would tell of the others.
    pub(crate) fn unfiltered(&self) -> Result<(), Problem> {
        match self.own {
            None => Ok(()),
            Some(_) => Err(Problem::forbidden(
                "It speaks of all events, and this token shows only those that its filter lets through.",
            )),
        }
    }

    /// Records an act of the caller in this organization when the answer is a success: in its own ledger what people do, in that of the
    /// project what root and programs read.
    pub(crate) fn record(&self, action: &'static str, complete: impl FnOnce(Act) -> Act) {
        let act = complete(self.act(action));
        self.journal.add(Entry { act, look: None });
    }

    /// What the caller does in this organization, to be committed with what it changes.
    pub(crate) fn act_of_caller(&self, action: &'static str) -> Act {
        let act = Act::of(&self.caller, self.organization.clone(), action);
        act.with("organization", self.organization.organization())
    }

    fn act(&self, action: &'static str) -> Act {
        let act = match self.caller.is_person() {
            true => Act::of(&self.caller, self.organization.clone(), action),
            false => Act::of_project(&self.caller, self.organization.project(), action),
        };
        act.with("organization", self.organization.organization())
    }

    fn viewed(&self) -> Result<(), Problem> {
        self.looked(self.caller.id().to_owned(), self.act("trailbook.log.viewed"));
        Ok(())
    }

    /// Records, once in a while, that the caller opened something that the organization keeps.
    pub(crate) fn opened(&self, action: &'static str, target: Target) {
        let look = format!("{} {}", self.caller.id(), target.id);
        self.looked(look, self.act(action).target(target));
    }

    fn looked(&self, look: String, act: Act) {
        let look = Some((look, self.organization.clone()));
        self.journal.add(Entry { act, look });
    }

    /// The same, by what the caller may do now: to be asked under the lock of a change, since the body took its time.
    pub(crate) fn renewed(&self, right: Right) -> Result<(Rights, Arc<Policy>), Problem> {
        if !self.caller.stands(&self.app.directory) {
            return Err(Problem::unproven());
        }
        let rights = permitted(&self.app, &self.caller, &self.organization)?;
        if rights.has(right) {
            Ok((rights, self.app.directory.policy(&self.organization)))
        } else {
            Err(lacking(right))
        }
    }

    fn by_root(&self) -> Result<(), Problem> {
        if self.caller.is_root() {
            return Ok(());
        }
        Err(Problem::forbidden("Only the root key may do this."))
    }
}

/// What a caller may do in an organization; to others it is not there.
pub(crate) fn permitted(app: &App, caller: &Caller, organization: &OrganizationKey) -> Result<Rights, Problem> {
    caller
        .rights(organization, &app.directory)
        .map_err(|denied| match denied {
            Denied::Unknown => Problem::not_found(),
            Denied::BoundElsewhere => Problem::forbidden("The key is bound to another organization."),
        })
}

/// What to say to somebody without a right.
pub(crate) fn lacking(right: Right) -> Problem {
    Problem::forbidden(match right {
        Right::View => {
            "Your role and permissions do not let you see this log; ask an administrator of your organization."
        }
        Right::Export => {
            "Your role and permissions do not let you export this log; ask an administrator of your organization."
        }
        Right::Administer => "Your role and permissions do not let you administer this log.",
        Right::Deliver => {
            "Your role and permissions do not let you set up streams and alerts: that takes to view, to export and to \
             administer this log; of an API key the scopes `events:read` and `streams`."
        }
    })
}

/// A JSON answer that no cache keeps.
pub(crate) fn json<T: Serialize>(answer: &T) -> Response {
    json_with(StatusCode::OK, answer)
}

/// As [`json`], with a status.
pub(crate) fn json_with<T: Serialize>(status: StatusCode, answer: &T) -> Response {
    match serde_json::to_vec(answer) {
        Ok(bytes) => bytes_of_json(status, bytes),
        Err(_) => Problem::internal().into_response(),
    }
}

/// A JSON answer whose bytes were written by hand.
pub(crate) fn bytes_of_json(status: StatusCode, bytes: Vec<u8>) -> Response {
    (
        status,
        [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "no-store"),
        ],
        bytes,
    )
        .into_response()
}
