//! The people of an organization's console, for those who may administer it.
//!
//! Invariant: a link that makes somebody a user goes to their address. Only an operator is answered one.
//!
//! Not here: who may do what to whom (`trailbook_access::people`).

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer, Serialize};
use trailbook_access::{
    Caller,
    people::{Manager, NewUser, UserChange, normal_email},
    records::{User, UserState},
};
use trailbook_event::{Pointer, Timestamp};
use trailbook_ledger::OrganizationKey;
use utoipa::ToSchema;

use super::{
    App,
    answers::Time,
    ask::{json, json_with},
    body::document,
    parameters::Parameters,
    problem::{Code, Document, Problem},
    proof::NOTHING,
    sign_in::link,
};
use crate::mail::{NotSent, Reserved, Subject};

/// A person of the console.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct Described {
    /// `usr_…`.
    id: String,
    email: String,
    /// Whether somebody has read what was sent to the address.
    email_verified: bool,
    #[schema(required)]
    name: Option<String>,
    role: String,
    permissions: Vec<String>,
    /// `invited`, `active` or `deactivated`.
    #[schema(value_type = String)]
    state: UserState,
    #[schema(value_type = String)]
    created_at: Time,
}

/// All users of the organization.
#[derive(Serialize, ToSchema)]
pub(crate) struct Users {
    users: Vec<Described>,
}

/// A user who was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct Created {
    #[serde(flatten)]
    about: Described,
    /// The invitation's link, when an operator asked to be answered it.
    #[schema(required)]
    link: Option<String>,
}

/// The outcome of asking for a link.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkMade {
    /// The link, when an operator asked to be answered it.
    #[schema(required)]
    link: Option<String>,
}

/// Where a link goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Deliver {
    /// To the user's address.
    #[default]
    Mail,
    /// Into the answer; for operators.
    Answer,
}

/// A user to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserRequest {
    email: String,
    #[serde(default)]
    name: Option<String>,
    /// A word of the policy, such as `owner`.
    role: String,
    #[serde(default)]
    permissions: Vec<String>,
    /// From an operator; without one the user is invited.
    #[serde(default)]
    password: Option<String>,
    /// Where the invitation goes: `mail` by default.
    #[serde(default)]
    deliver: Deliver,
}

/// What is to change; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserPatch {
    /// Null removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    /// It has to be verified anew.
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    role: Option<String>,
    /// `active` or `deactivated`.
    #[serde(default)]
    state: Option<WantedState>,
}

/// Whether somebody may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WantedState {
    /// Yes.
    Active,
    /// No; every session ends.
    Deactivated,
}

/// All permissions of a user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Permissions {
    permissions: Vec<String>,
}

/// A link to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkRequest {
    /// `mail` by default.
    #[serde(default)]
    deliver: Deliver,
}

/// The users of the organization.
#[utoipa::path(get, path = "/v1/organizations/{organization}/users", tag = "Users",
    responses((status = 200, description = "The users, by address", body = Users)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(organization): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let manager = manager(&app, &caller, &organization, query.as_deref())?;
    Ok(json(&Users {
        users: manager.list().iter().map(|user| described(user)).collect(),
    }))
}

/// Invites a user, or creates one with a password.
#[utoipa::path(post, path = "/v1/organizations/{organization}/users", tag = "Users",
    request_body(content = UserRequest),
    responses((status = 201, description = "The user; an invitation is on its way", body = Created),
        (status = 403, description = "More than the caller holds", body = Document<'static>),
        (status = 422, description = "The request breaks a rule", body = Document<'static>)))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(organization): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let manager = manager(&app, &caller, &organization, query.as_deref())?;
    let request: UserRequest = document(&app, &headers, body).await?;
    let mailed = request.deliver == Deliver::Mail && request.password.is_none();
    let place = mailed.then(|| reserved(&app, &request.email)).transpose()?;
    let new = NewUser {
        email: request.email,
        name: request.name,
        role: request.role,
        permissions: request.permissions,
        password: request.password,
        mailed,
    };
    let (user, secret) = manager.create(&new).await?;
    let link = secret.map(|secret| link(&app, &secret));
    let about = described(&user);
    let link = deliver(&caller, &user, link, place);
    Ok(json_with(StatusCode::CREATED, &Created { about, link }))
}

/// One user.
#[utoipa::path(get, path = "/v1/organizations/{organization}/users/{id}", tag = "Users",
    responses((status = 200, description = "The user", body = Described),
        (status = 404, description = "No such user", body = Document<'static>)))]
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((organization, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let manager = manager(&app, &caller, &organization, query.as_deref())?;
    Ok(json(&described(&*manager.get(&id)?)))
}

/// Changes a user. Acts at once; deactivating ends every session.
#[utoipa::path(patch, path = "/v1/organizations/{organization}/users/{id}", tag = "Users",
    request_body(content = UserPatch),
    responses((status = 200, description = "The user as it is now", body = Described),
        (status = 403, description = "More than the caller holds, or the caller's own role", body = Document<'static>)))]
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((organization, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let manager = manager(&app, &caller, &organization, query.as_deref())?;
    let patch: UserPatch = document(&app, &headers, body).await?;
    let wanted = UserChange {
        name: patch.name,
        email: patch.email,
        role: patch.role,
        active: patch.state.map(|state| state == WantedState::Active),
    };
    Ok(json(&described(&*manager.change(&id, &wanted).await?)))
}

/// Deletes a user. Every session ends.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/users/{id}", tag = "Users",
    responses((status = 204, description = "There is no such user any more"),
        (status = 403, description = "The user holds more than the caller", body = Document<'static>)))]
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((organization, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let manager = manager(&app, &caller, &organization, query.as_deref())?;
    manager.remove(&id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Gives a user exactly these permissions.
#[utoipa::path(put, path = "/v1/organizations/{organization}/users/{id}/permissions", tag = "Users",
    request_body(content = Permissions),
    responses((status = 200, description = "The user as it is now", body = Described),
        (status = 403, description = "More than the caller holds, or the caller's own", body = Document<'static>)))]
pub(crate) async fn set_permissions(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((organization, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let manager = manager(&app, &caller, &organization, query.as_deref())?;
    let wanted: Permissions = document(&app, &headers, body).await?;
    Ok(json(&described(
        &*manager.set_permissions(&id, &wanted.permissions).await?,
    )))
}

/// Sends a user a link to choose a password: a new invitation to who has not come yet.
#[utoipa::path(post, path = "/v1/organizations/{organization}/users/{id}/password-reset", tag = "Users",
    request_body(content = LinkRequest),
    responses((status = 202, description = "The link is on its way", body = LinkMade),
        (status = 403, description = "The user holds more than the caller", body = Document<'static>)))]
pub(crate) async fn reset_password(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path((organization, id)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let manager = manager(&app, &caller, &organization, query.as_deref())?;
    let request: LinkRequest = document(&app, &headers, body).await?;
    let mailed = request.deliver == Deliver::Mail;
    let place = mailed.then(|| reserved(&app, &manager.get(&id)?.email)).transpose()?;
    let (user, secret) = manager.link(&id, mailed).await?;
    let link = deliver(&caller, &user, Some(link(&app, &secret)), place);
    Ok(json_with(StatusCode::ACCEPTED, &LinkMade { link }))
}

/// The caller as a manager of the organization's people, of a request without a query string.
pub(crate) fn manager<'p>(
    app: &'p App,
    caller: &'p Caller,
    organization: &str,
    query: Option<&str>,
) -> Result<Manager<'p>, Problem> {
    let organization = OrganizationKey::new(caller.project.clone(), organization);
    let manager = app.people.manager(caller, organization)?;
    Parameters::read(query, &NOTHING)?;
    Ok(manager)
}

/// Sends a link by mail, where there is a place for a letter; else it is for the answer.
fn deliver(caller: &Caller, user: &User, link: Option<String>, place: Option<Reserved>) -> Option<String> {
    let (Some(place), Some(link)) = (place, link.clone()) else {
        return link;
    };
    let organization = user.organization.clone();
    let inviter = caller.actor();
    let subject = match user.state {
        UserState::Invited => Subject::Invitation {
            organization,
            inviter: inviter.name.filter(|_| !caller.is_root()).or(inviter.email),
        },
        UserState::Active | UserState::Deactivated => Subject::PasswordReset { organization },
    };
    place.send(subject, link);
    None
}

fn reserved(app: &App, email: &str) -> Result<Reserved, Problem> {
    let fault = |member: &str, detail| Problem::fault(Code::Invalid, Pointer::root().child(member), detail);
    app.post.reserve(&normal_email(email)).map_err(|why| match why {
        NotSent::NoServer => fault(
            "deliver",
            "no mail server is set up (smtp_url); an operator can be answered the link with \"deliver\": \"answer\".",
        ),
        NotSent::Address => fault("email", "this is not an e-mail address."),
        NotSent::Full => Problem::new(Code::Overloaded, "Too many letters wait to be sent.").retry_after(60),
    })
}

fn described(user: &User) -> Described {
    Described {
        id: user.id.clone(),
        email: user.email.clone(),
        email_verified: user.email_verified,
        name: user.name.clone(),
        role: user.role.clone(),
        permissions: user.permissions.clone(),
        state: user.state,
        created_at: Time(Timestamp::from_millis(user.created_at)),
    }
}

/// A member that is there: null is a value.
fn given<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}
