//! The people of an organization's console, for those who may administer it.
//!
//! Invariant: a link that makes somebody a user goes to their address. Only an operator is answered one.
//!
//! Not here: who may do what to whom (`trailbook_access::people`).

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{FromRequestParts, RawPathParams},
    http::{HeaderMap, StatusCode, request::Parts},
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

/// A request about an organization's people by somebody who may administer them, without a query string.
pub(crate) struct OfPeople {
    pub(crate) app: Arc<App>,
    /// Who asks.
    pub(crate) caller: Caller,
    /// Whose people.
    pub(crate) organization: OrganizationKey,
    /// The user that the path names; empty where it names none.
    id: String,
}

impl FromRequestParts<Arc<App>> for OfPeople {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let caller = parts
            .extensions
            .get::<Caller>()
            .cloned()
            .ok_or_else(Problem::internal)?;
        let path = RawPathParams::from_request_parts(parts, app).await;
        let path = path.map_err(|_| Problem::not_found())?;
        let named = |name: &str| {
            path.iter()
                .find(|(known, _)| *known == name)
                .map_or("", |(_, value)| value)
        };
        let of = Self {
            organization: OrganizationKey::new(caller.project.clone(), named("organization")),
            id: named("id").to_owned(),
            app: app.clone(),
            caller,
        };
        of.manager()?;
        Parameters::read(parts.uri.query(), &NOTHING)?;
        Ok(of)
    }
}

impl OfPeople {
    /// The caller as a manager of these people.
    pub(crate) fn manager(&self) -> Result<Manager<'_>, Problem> {
        Ok(self.app.people.manager(&self.caller, self.organization.clone())?)
    }
}

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
pub(crate) async fn list(of: OfPeople) -> Result<Response, Problem> {
    let manager = of.manager()?;
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
pub(crate) async fn create(of: OfPeople, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let manager = of.manager()?;
    let request: UserRequest = document(&of.app, &headers, body).await?;
    let mailed = request.deliver == Deliver::Mail && request.password.is_none();
    let place = mailed.then(|| reserved(&of.app, &request.email)).transpose()?;
    let new = NewUser {
        email: request.email,
        name: request.name,
        role: request.role,
        permissions: request.permissions,
        password: request.password,
        mailed,
    };
    let (user, secret) = manager.create(&new).await?;
    let link = secret.map(|secret| link(&of.app, &secret));
    let about = described(&user);
    let link = deliver(&of.caller, &user, link, place);
    Ok(json_with(StatusCode::CREATED, &Created { about, link }))
}

/// One user.
#[utoipa::path(get, path = "/v1/organizations/{organization}/users/{id}", tag = "Users",
    responses((status = 200, description = "The user", body = Described),
        (status = 404, description = "No such user", body = Document<'static>)))]
pub(crate) async fn one(of: OfPeople) -> Result<Response, Problem> {
    let manager = of.manager()?;
    Ok(json(&described(&*manager.get(&of.id)?)))
}

/// Changes a user. Acts at once; deactivating ends every session.
#[utoipa::path(patch, path = "/v1/organizations/{organization}/users/{id}", tag = "Users",
    request_body(content = UserPatch),
    responses((status = 200, description = "The user as it is now", body = Described),
        (status = 403, description = "More than the caller holds, or the caller's own role", body = Document<'static>)))]
pub(crate) async fn change(of: OfPeople, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let manager = of.manager()?;
    let patch: UserPatch = document(&of.app, &headers, body).await?;
    let wanted = UserChange {
        name: patch.name,
        email: patch.email,
        role: patch.role,
        active: patch.state.map(|state| state == WantedState::Active),
    };
    Ok(json(&described(&*manager.change(&of.id, &wanted).await?)))
}

/// Deletes a user. Every session ends.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/users/{id}", tag = "Users",
    responses((status = 204, description = "There is no such user any more"),
        (status = 403, description = "The user holds more than the caller", body = Document<'static>)))]
pub(crate) async fn remove(of: OfPeople) -> Result<Response, Problem> {
    let manager = of.manager()?;
    manager.remove(&of.id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Gives a user exactly these permissions.
#[utoipa::path(put, path = "/v1/organizations/{organization}/users/{id}/permissions", tag = "Users",
    request_body(content = Permissions),
    responses((status = 200, description = "The user as it is now", body = Described),
        (status = 403, description = "More than the caller holds, or the caller's own", body = Document<'static>)))]
pub(crate) async fn set_permissions(of: OfPeople, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let manager = of.manager()?;
    let wanted: Permissions = document(&of.app, &headers, body).await?;
    Ok(json(&described(
        &*manager.set_permissions(&of.id, &wanted.permissions).await?,
    )))
}

/// Sends a user a link to choose a password: a new invitation to who has not come yet.
#[utoipa::path(post, path = "/v1/organizations/{organization}/users/{id}/password-reset", tag = "Users",
    request_body(content = LinkRequest),
    responses((status = 202, description = "The link is on its way", body = LinkMade),
        (status = 403, description = "The user holds more than the caller", body = Document<'static>)))]
pub(crate) async fn reset_password(of: OfPeople, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let manager = of.manager()?;
    let request: LinkRequest = document(&of.app, &headers, body).await?;
    let mailed = request.deliver == Deliver::Mail;
    let place = mailed
        .then(|| reserved(&of.app, &manager.get(&of.id)?.email))
        .transpose()?;
    let (user, secret) = manager.link(&of.id, mailed).await?;
    let link = deliver(&of.caller, &user, Some(link(&of.app, &secret)), place);
    Ok(json_with(StatusCode::ACCEPTED, &LinkMade { link }))
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
