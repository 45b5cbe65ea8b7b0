//! `/v1/organizations` and `/v1/organizations/{organization}`: which there are, and how one is set up.
//!
//! Not here: what of it who may set (`policies`), organizations that come to be by their first event (`ingest`).

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trailbook_access::{
    Act, Caller, PolicySettings, Right, Rights, SYSTEM,
    act::Target,
    records::{self, owner},
};
use trailbook_event::Pointer;
use trailbook_ledger::{OrganizationKey, RetentionScope};
use utoipa::ToSchema;

use super::{
    App,
    ask::{Administering, json, lacking, permitted},
    body::document,
    etag,
    manage::{Managing, Reach, begin},
    parameters::{AFTER, Accepts, NAMES, Parameters},
    policies::{self, PendingRetention, Setting},
    problem::{Code, Document, Problem},
    proof::NOTHING,
};

/// What the list accepts.
pub(crate) const LIST: Accepts = Accepts {
    filters: false,
    own: &[&AFTER, &NAMES],
};
/// Names of a page.
const NAMES_DEFAULT: usize = 100;
/// Characters of a name, as events may carry.
const NAME_MAX: usize = 128;

/// An organization, as it is set up.
#[derive(Serialize, ToSchema)]
pub(crate) struct Organization {
    /// Its name.
    name: String,
    /// What was set for it; what is absent is inherited.
    policy: PolicySettings,
    /// A shortening of the retention that is not in force yet.
    #[schema(required)]
    pending_retention: Option<PendingRetention>,
}

/// What an organization is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrganizationRequest {
    /// When given, the name in the path.
    #[serde(default)]
    name: Option<String>,
    /// What is set for it, in place of what was; what is absent is inherited.
    #[serde(default)]
    #[schema(value_type = Option<PolicySettings>)]
    policy: Option<Value>,
}

/// A page of organizations.
#[derive(Serialize, ToSchema)]
pub(crate) struct Organizations {
    organizations: Vec<Listed>,
    /// `after` of the next page; null when there is none.
    #[schema(required)]
    next: Option<String>,
}

/// An organization in a list.
#[derive(Serialize, ToSchema)]
struct Listed {
    name: String,
    /// Events that were ever stored.
    size: u64,
}

/// The organizations of the project, by name.
#[utoipa::path(get, path = "/v1/organizations", tag = "Administration",
    responses((status = 200, description = "A page", body = Organizations)))]
pub(crate) async fn list(managing: Managing) -> Result<Response, Problem> {
    let parameters = Parameters::read(managing.query(), &LIST)?;
    let (app, project) = (&managing.app, &managing.caller.project);
    let mut names: Vec<(String, u64)> = match &managing.reach {
        Reach::Organization(own) => vec![(own.clone(), size(app, project, own))],
        Reach::Project => {
            let heads = app.ledger.heads().into_iter();
            let of_project =
                heads.filter(|(key, _)| key.project() == &**project && app.directory.has_organization(key));
            of_project
                .map(|(key, head)| (key.organization().to_owned(), head.size))
                .collect()
        }
    };
    names.retain(|(name, _)| name != SYSTEM);
    names.sort_unstable();
    let after = parameters.text(&AFTER).unwrap_or_default();
    let limit = parameters.number(&NAMES).map_or(NAMES_DEFAULT, |limit| limit as usize);
    let first = names.partition_point(|(name, _)| name.as_str() <= after);
    let page = &names[first..names.len().min(first + limit)];
    let more = names.len() > first + limit;
    Ok(json(&Organizations {
        next: page.last().filter(|_| more).map(|(name, _)| name.clone()),
        organizations: page
            .iter()
            .map(|(name, size)| Listed {
                name: name.clone(),
                size: *size,
            })
            .collect(),
    }))
}

fn size(app: &App, project: &Arc<str>, name: &str) -> u64 {
    let key = OrganizationKey::new(project.clone(), name);
    app.ledger.head(&key).map_or(0, |head| head.size)
}

/// How an organization is set up.
#[utoipa::path(get, path = "/v1/organizations/{organization}", tag = "Administration",
    responses((status = 200, description = "The organization; ETag names its version", body = Organization)))]
pub(crate) async fn organization(Administering(ask): Administering) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    Ok(described(&ask.app, &ask.organization, StatusCode::OK))
}

/// Sets an organization up, or makes it. A shorter retention takes effect after seven days; setting the old one again takes it back.
#[utoipa::path(put, path = "/v1/organizations/{organization}", tag = "Administration",
    params(("If-Match" = Option<String>, Header, description = "Only when the organization is at this version")),
    request_body(content = OrganizationRequest),
    responses((status = 200, description = "The organization as it is now", body = Organization),
        (status = 201, description = "The organization was made", body = Organization),
        (status = 412, description = "It is at another version", body = Document<'static>),
        (status = 422, description = "The request breaks a rule", body = Document<'static>)))]
pub(crate) async fn set_up(
    State(app): State<Arc<App>>,
    axum::Extension(caller): axum::Extension<Caller>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = OrganizationKey::new(caller.project.clone(), name.as_str());
    set_up_by(&app, &caller, &key)?;
    Parameters::read(query.as_deref(), &NOTHING)?;
    let request: OrganizationRequest = document(&app, &headers, body).await?;
    check_name(&name, request.name.as_deref())?;
    let after = policies::read(request.policy.as_ref())?;
    let mut change = begin(&app, &caller).await?;
    let (rights, makes) = set_up_by(&app, &caller, &key)?;
    etag::check(
        &headers,
        etag::of(app.directory.version::<records::Organization>(&owner(&key))),
    )?;
    let scope = RetentionScope::from(&key);
    let stored = app.directory.get::<records::Organization>(&owner(&key));
    let setting = Setting {
        app: &app,
        caller: &caller,
        rights,
        before: policies::as_set(&app, &scope, stored.as_ref().map(|stored| &stored.policy)),
        after,
        scope,
    };
    if !makes && setting.is_unchanged() {
        return Ok(described(&app, &key, StatusCode::OK));
    }
    setting.check()?;
    let system = || OrganizationKey::new(key.project(), SYSTEM);
    if makes {
        // Its first event is to be the first that is sent.
        let target = Target::new("organization", name.as_str(), None);
        change.act(Act::of(&caller, system(), "trailbook.organization.created").target(target));
        change.open(key.clone());
    }
    let home = if makes { system() } else { key.clone() };
    setting.make(&mut change, &|action| {
        let act = Act::of(&caller, home.clone(), action);
        act.with("organization", name.as_str())
    });
    change.put(records::Organization {
        project: key.project().to_owned(),
        name: name.clone(),
        policy: setting.stored(),
    })?;
    change.commit().await?;
    Ok(described(
        &app,
        &key,
        if makes { StatusCode::CREATED } else { StatusCode::OK },
    ))
}

/// What the caller may do with an organization, and whether setting it up makes it.
fn set_up_by(app: &App, caller: &Caller, key: &OrganizationKey) -> Result<(Rights, bool), Problem> {
    let rights = permitted(app, caller, key)?;
    let makes = !app.directory.has_organization(key);
    let may_make = caller.project_rights(&app.directory).administer;
    if makes && !may_make || !app.directory.has_project(&caller.project) {
        return Err(Problem::not_found());
    }
    if rights.administer {
        Ok((rights, makes))
    } else {
        Err(lacking(Right::Administer))
    }
}

fn check_name(name: &str, named: Option<&str>) -> Result<(), Problem> {
    if named.is_some_and(|named| named != name) {
        let detail = "It must be the name in the path: an organization keeps its name.";
        return Err(Problem::fault(Code::Invalid, Pointer::root().child("name"), detail));
    }
    // As events may carry it.
    let rest = if name == SYSTEM { "system" } else { name };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:@~-".contains(&byte);
    let is_valid = rest.len() <= NAME_MAX
        && rest.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && rest.bytes().all(allowed);
    if is_valid {
        return Ok(());
    }
    let detail = "An organization's name has 1 to 128 of A to Z, a to z, 0 to 9 and . _ : @ ~ -, and begins with a letter or digit.";
    Err(Problem::fault(Code::Invalid, Pointer::root(), detail))
}

fn described(app: &App, key: &OrganizationKey, status: StatusCode) -> Response {
    let stored = app.directory.get::<records::Organization>(&owner(key));
    let scope = RetentionScope::from(key);
    let version = app.directory.version::<records::Organization>(&owner(key));
    let organization = Organization {
        name: key.organization().to_owned(),
        policy: policies::in_force(app, &scope, stored.as_ref().map(|stored| &stored.policy)),
        pending_retention: policies::pending(app, &scope),
    };
    etag::tagged(super::ask::json_with(status, &organization), etag::of(version))
}
