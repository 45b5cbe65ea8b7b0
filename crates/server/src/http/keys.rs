//! `/v1/keys`: API keys. The secret is shown once, when the key is made.
//!
//! Invariant: nobody makes or revokes a key that allows more than they may do themselves.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use trailbook_access::{
    Act, Caller, Directory, Principal, SYSTEM,
    act::Target,
    records::{ApiKey, OwnerKind, Scope},
    secret::{Secret, SecretKind, new_id},
};
use trailbook_event::{Pointer, Timestamp};
use trailbook_ledger::OrganizationKey;
use utoipa::ToSchema;

use super::{
    App,
    answers::Time,
    ask::{json, json_with},
    body::document,
    manage::Managing,
    problem::{Code, Document, Problem},
};

/// Characters of a name.
const NAME_MAX: usize = 256;
/// Keys of a project.
const KEYS_MAX: usize = 10_000;

/// An API key, without its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct Key {
    /// `key_…`.
    id: String,
    /// What it is for.
    name: String,
    /// What it may do.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    /// The only organization that it works for; null is all of the project.
    #[schema(required)]
    organization: Option<String>,
    #[schema(value_type = String)]
    created_at: Time,
    /// From when on it is of no use.
    #[schema(value_type = Option<String>, required)]
    expires_at: Option<Time>,
    /// About when it was used last.
    #[schema(value_type = Option<String>, required)]
    last_used_at: Option<Time>,
}

/// All keys that the caller administers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Keys {
    keys: Vec<Key>,
}

/// A key and its secret, which nobody can read again.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeKey {
    #[serde(flatten)]
    about: Key,
    /// The secret: send it as `Authorization: Bearer …`.
    key: String,
}

/// A key to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyRequest {
    /// What it is for.
    name: String,
    /// Of `events:write`, `events:read`, `exports`, `streams` and `admin`.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    /// The only organization that it is to work for.
    #[serde(default)]
    organization: Option<String>,
    /// From when on it is of no use (RFC 3339).
    #[serde(default)]
    expires_at: Option<String>,
}

/// The keys that the caller administers.
#[utoipa::path(get, path = "/v1/keys", tag = "Administration",
    responses((status = 200, description = "The keys, without their secrets", body = Keys)))]
pub(crate) async fn list(managing: Managing) -> Result<Response, Problem> {
    managing.no_parameters()?;
    let directory = &managing.app.directory;
    let mut keys = directory.of::<ApiKey>(&managing.caller.project);
    keys.retain(|key| managing.reach.has(key.organization.as_deref()));
    keys.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
    Ok(json(&Keys {
        keys: keys.iter().map(|key| described(key, directory)).collect(),
    }))
}

/// Makes a key.
#[utoipa::path(post, path = "/v1/keys", tag = "Administration", request_body(content = KeyRequest),
    responses((status = 201, description = "The key, with its secret", body = MadeKey),
        (status = 403, description = "It would allow more than the caller may do", body = Document<'static>),
        (status = 422, description = "The request breaks a rule", body = Document<'static>)))]
pub(crate) async fn make(managing: Managing, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    managing.no_parameters()?;
    let request: KeyRequest = document(&managing.app, &headers, body).await?;
    let (app, caller) = (&managing.app, &managing.caller);
    let (mut change, reach) = managing.begin().await?;
    let secret = Secret::make(SecretKind::Key, app.directory.random());
    let key = ApiKey {
        id: new_id("key_", app.directory.random()),
        hash: secret.hash(),
        project: caller.project.to_string(),
        organization: reach.narrowed(request.organization)?,
        name: name(&request.name)?,
        scopes: scopes(request.scopes)?,
        expires_at: request.expires_at.map(|text| later(&text, app)).transpose()?,
        created_at: app.clock.now().millis(),
        last_used_at: None,
    };
    check_grant(app, caller, &key)?;
    check_expiry(caller, &key)?;
    if app.directory.of::<ApiKey>(&key.project).len() >= KEYS_MAX {
        let detail = format!("A project has at most {KEYS_MAX} keys; revoke those that nobody uses.");
        return Err(Problem::fault(Code::Invalid, Pointer::root(), detail));
    }
    change.act(act(app, caller, &key, "trailbook.key.created"));
    let about = described(&key, &app.directory);
    change.put(key)?;
    change.commit().await?;
    let made = MadeKey {
        about,
        key: secret.expose().to_owned(),
    };
    Ok(json_with(StatusCode::CREATED, &made))
}

/// Revokes a key at once.
#[utoipa::path(delete, path = "/v1/keys/{id}", tag = "Administration",
    params(("id" = String, Path, description = "`key_…`")),
    responses((status = 204, description = "It is of no use any more"),
        (status = 404, description = "No such key", body = Document<'static>)))]
pub(crate) async fn revoke(managing: Managing, Path(id): Path<String>) -> Result<Response, Problem> {
    managing.no_parameters()?;
    let (app, caller) = (&managing.app, &managing.caller);
    let (mut change, reach) = managing.begin().await?;
    let key = app.directory.get::<ApiKey>(&id);
    let key = key.filter(|key| *key.project == *caller.project && reach.has(key.organization.as_deref()));
    let key = key.ok_or_else(Problem::not_found)?;
    check_grant(app, caller, &key)?;
    change.act(act(app, caller, &key, "trailbook.key.revoked"));
    change.remove::<ApiKey>(&id);
    app.directory.remove_tokens_made_by(&mut change, &id);
    app.directory.remove_private_views(&mut change, OwnerKind::Key, &id);
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn described(key: &ApiKey, directory: &Directory) -> Key {
    let time = |millis| Time(Timestamp::from_millis(millis));
    Key {
        id: key.id.clone(),
        name: key.name.clone(),
        scopes: key.scopes.clone(),
        organization: key.organization.clone(),
        created_at: time(key.created_at),
        expires_at: key.expires_at.map(time),
        last_used_at: directory.last_used(&key.id, key.last_used_at).map(time),
    }
}

/// Refuses a key that allows more than the caller may do where it works.
fn check_grant(app: &App, caller: &Caller, key: &ApiKey) -> Result<(), Problem> {
    let rights = match &key.organization {
        Some(name) => super::ask::permitted(
            app,
            caller,
            &OrganizationKey::new(caller.project.clone(), name.as_str()),
        )?,
        None => caller.project_rights(&app.directory),
    };
    let holds = |scope: &Scope| match scope {
        Scope::Write => writes(caller, &app.directory),
        Scope::Read => rights.view,
        Scope::Exports => rights.export,
        Scope::Streams => rights.view && rights.export,
        Scope::Administer => rights.administer,
    };
    match key.scopes.iter().position(|scope| !holds(scope)) {
        None => Ok(()),
        Some(_) => Err(Problem::forbidden(
            "A key cannot allow more than its maker may do: leave out the scopes that you do not hold.",
        )),
    }
}

/// Refuses a key that outlives the key that makes it.
fn check_expiry(caller: &Caller, key: &ApiKey) -> Result<(), Problem> {
    let Principal::Key(maker) = &caller.principal else {
        return Ok(());
    };
    let outlives = |end: i64| key.expires_at.is_none_or(|at| at > end);
    if maker.expires_at.is_some_and(outlives) {
        return Err(Problem::forbidden(
            "A key cannot outlive the key that makes it: set expires_at.",
        ));
    }
    Ok(())
}

/// Whether a caller may let others send events.
fn writes(caller: &Caller, directory: &Directory) -> bool {
    match &caller.principal {
        Principal::Root => true,
        Principal::Key(key) => key.scopes.contains(&Scope::Write),
        Principal::User(..) => caller.is_operator(directory),
        Principal::Viewer(_) => false,
    }
}

fn act(app: &App, caller: &Caller, key: &ApiKey, action: &'static str) -> Act {
    let own = key
        .organization
        .as_deref()
        .map(|name| OrganizationKey::new(key.project.as_str(), name));
    // Before an organization has a ledger, its first event is not ours to make.
    let home = own.filter(|own| app.ledger.head(own).is_some());
    let home = home.unwrap_or_else(|| OrganizationKey::new(key.project.as_str(), SYSTEM));
    Act::of(caller, home, action)
        .target(Target::new("api_key", key.id.as_str(), Some(key.name.clone())))
        .with("scopes", serde_json::json!(key.scopes))
        .with("organization", key.organization.clone())
        .with(
            "expires_at",
            key.expires_at.map(|at| Timestamp::from_millis(at).to_string()),
        )
}

fn name(text: &str) -> Result<String, Problem> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        let detail = "It must have 1 to 256 characters, without control characters.";
        return Err(Problem::fault(Code::Invalid, Pointer::root().child("name"), detail));
    }
    Ok(name.to_owned())
}

fn scopes(mut scopes: Vec<Scope>) -> Result<Vec<Scope>, Problem> {
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() {
        let detail = "It must name at least one of events:write, events:read, exports, streams and admin.";
        return Err(Problem::fault(Code::Invalid, Pointer::root().child("scopes"), detail));
    }
    Ok(scopes)
}

/// A moment to come.
fn later(text: &str, app: &Arc<App>) -> Result<i64, Problem> {
    let time = Timestamp::parse(text).map(|time| time.millis());
    time.filter(|millis| *millis > app.clock.now().millis()).ok_or_else(|| {
        let detail = "It must be a time to come with an offset, such as 2027-11-20T09:14:07Z.";
        Problem::fault(Code::Invalid, Pointer::root().child("expires_at"), detail)
    })
}
