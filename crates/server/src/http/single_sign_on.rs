//! Signing in at an organization's identity provider, and saying which provider that is.
//!
//! Invariants
//! - A browser is sent to the provider of the organization, and afterwards to a path of this server, nowhere else.
//! - The client secret goes in and never out.
//!
//! Not here: the protocol (`crate::single_sign_on`), who becomes which user (`trailbook_access::people`).

use std::{error::Error as _, fmt, sync::Arc};

use axum::{
    Extension,
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};
use trailbook_access::{
    DEFAULT_PROJECT, Origin,
    people::{Arrival, GROUPS_MAX, ProviderSettings},
    records::{self, Identity, owner},
    secret::SecretHash,
};
use trailbook_deliver::outbound;
use trailbook_event::Pointer;
use trailbook_ledger::OrganizationKey;
use utoipa::ToSchema;

use super::{
    App, access,
    ask::json,
    body::document,
    parameters::{Accepts, Kind, Parameter, Parameters},
    problem::{Code, Document, Problem},
    sign_in::session_cookie,
    users::OfPeople,
};
use crate::{
    config::Secret,
    single_sign_on::{ATTEMPT_MS, Begun, Callback, Error, LocalPath, SingleSignOn},
};

/// The cookie that binds an attempt to its browser.
const ATTEMPT_COOKIE: &str = "__Host-trailbook-sign-in";
/// Where providers send browsers back to.
pub(crate) const CALLBACK: &str = "/auth/callback";

const ORGANIZATION: Parameter = Parameter {
    name: "organization",
    kind: Kind::Text,
    description: "Whose console.",
};
const PROJECT: Parameter = Parameter {
    name: "project",
    kind: Kind::Text,
    description: "`default` by default.",
};
const RETURN_TO: Parameter = Parameter {
    name: "return_to",
    kind: Kind::Text,
    description: "The path of this server to go to afterwards; `/` by default.",
};

/// What beginning accepts.
pub(crate) const BEGINNING: Accepts = Accepts {
    filters: false,
    own: &[&ORGANIZATION, &PROJECT, &RETURN_TO],
};

/// An organization's identity provider.
#[derive(Serialize, ToSchema)]
pub(crate) struct Provider {
    issuer: String,
    client_id: String,
    groups_claim: String,
    /// Roles by group: the first that a person has counts.
    #[schema(value_type = Object)]
    roles: Roles,
    /// The role of people without such a group; null refuses them.
    #[schema(required)]
    default_role: Option<String>,
    /// The redirect URI to be registered at the provider.
    callback_url: String,
}

/// An identity provider for an organization.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderRequest {
    /// Exactly as in the provider's own description.
    issuer: String,
    client_id: String,
    /// May be left out when one is stored for the same issuer and client.
    #[serde(default)]
    client_secret: Option<String>,
    /// The claim that lists a person's groups: `groups` by default.
    #[serde(default = "groups")]
    groups_claim: String,
    /// Roles by group, in order: the first that a person has counts.
    #[serde(default)]
    #[schema(value_type = Object)]
    roles: Roles,
    /// The role of people without such a group; without one they are refused.
    #[serde(default)]
    default_role: Option<String>,
}

fn groups() -> String {
    "groups".into()
}

/// An object whose order counts.
#[derive(Default)]
struct Roles(Vec<(String, String)>);

impl Serialize for Roles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(group, role)| (group, role)))
    }
}

impl<'de> Deserialize<'de> for Roles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Roles;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of roles by group")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Roles, A::Error> {
                let mut roles: Vec<(String, String)> = Vec::new();
                while let Some((group, role)) = map.next_entry::<String, String>()? {
                    if roles.len() >= GROUPS_MAX || roles.iter().any(|(known, _)| *known == group) {
                        let rule = format!("at most {GROUPS_MAX} groups, each once");
                        return Err(serde::de::Error::custom(rule));
                    }
                    roles.push((group, role));
                }
                Ok(Roles(roles))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// Begins to sign in at the organization's identity provider.
#[utoipa::path(get, path = "/auth/single-sign-on", tag = "Signing in", security(()),
    responses((status = 303, description = "To the identity provider"),
        (status = 404, description = "The organization has no single sign-on", body = Document<'static>),
        (status = 502, description = "The identity provider cannot be reached", body = Document<'static>)))]
pub(crate) async fn begin(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let parameters = Parameters::read(query.as_deref(), &BEGINNING)?;
    let Some(organization) = parameters.text(&ORGANIZATION) else {
        return Err(Problem::parameter("organization", "is needed"));
    };
    let return_to = parameters.text(&RETURN_TO).map(LocalPath::parse);
    let Some(return_to) = return_to.unwrap_or_else(|| Some(LocalPath::default())) else {
        return Err(Problem::parameter(
            "return_to",
            "must be a path of this server, such as /",
        ));
    };
    let project = parameters.text(&PROJECT).unwrap_or(DEFAULT_PROJECT);
    let owner = owner(&OrganizationKey::new(project, organization));
    let (single_sign_on, record) = connected(&app, &owner).ok_or_else(Problem::not_found)?;
    let connection = single_sign_on.connection(&record).map_err(unreadable)?;
    let Begun { location, cookie } = single_sign_on.begin(&owner, &connection, return_to).await?;
    let cookie = attempt_cookie(&cookie, ATTEMPT_MS / 1_000);
    Ok(redirect(location.as_str(), [cookie]))
}

/// Where the identity provider sends the browser back to. The cookie `__Host-trailbook` stands for the session.
#[utoipa::path(get, path = "/auth/callback", tag = "Signing in", security(()),
    responses((status = 303, description = "Signed in, and back to where one came from"),
        (status = 403, description = "Not signed in, and why", body = Document<'static>),
        (status = 502, description = "The identity provider cannot be reached or trusted", body = Document<'static>)))]
pub(crate) async fn callback(
    State(app): State<Arc<App>>,
    Extension(origin): Extension<Origin>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let over = attempt_cookie("", 0);
    match finish(&app, origin, query.as_deref().unwrap_or_default(), &headers).await {
        Ok((return_to, session)) => redirect(return_to.as_str(), [session, over]),
        Err(problem) => ([(header::SET_COOKIE, over)], problem).into_response(),
    }
}

async fn finish(
    app: &App,
    origin: Origin,
    query: &str,
    headers: &HeaderMap,
) -> Result<(LocalPath, HeaderValue), Problem> {
    let single_sign_on = app.single_sign_on.as_ref().ok_or_else(Problem::not_found)?;
    let callback = answered(query)?;
    let attempt = single_sign_on.open(access::cookie(headers, ATTEMPT_COOKIE), &callback)?;
    let owner = attempt.organization.clone();
    let (_, record) = connected(app, &owner).ok_or(Error::Changed)?;
    let connection = single_sign_on.connection(&record).map_err(unreadable)?;
    let return_to = attempt.return_to.clone();
    let identity = single_sign_on.finish(attempt, &connection, callback).await?;
    let arrival = Arrival {
        organization: records::organization(&owner).ok_or_else(Problem::internal)?,
        identity: Identity {
            issuer: identity.issuer,
            subject: identity.subject,
        },
        email_verified: identity.email.as_ref().is_some_and(|email| email.verified),
        email: identity.email.map(|email| email.address),
        name: identity.name,
        groups: identity.groups,
        origin,
        replaces: access::cookie(headers, access::SESSION_COOKIE).map(SecretHash::of),
    };
    let begun = app.people.arrive(&arrival).await?;
    let cookie = session_cookie(&begun.secret).map_err(|_| Problem::internal())?;
    Ok((return_to, cookie))
}

/// The organization's identity provider.
#[utoipa::path(get, path = "/v1/organizations/{organization}/single-sign-on", tag = "Users",
    responses((status = 200, description = "The provider, without the client's secret", body = Provider),
        (status = 404, description = "There is none", body = Document<'static>)))]
pub(crate) async fn show(of: OfPeople) -> Result<Response, Problem> {
    let manager = of.manager()?;
    Ok(json(&described(&of.app, &*manager.provider()?)))
}

/// Says which identity provider the organization has. The provider is asked for its description first.
#[utoipa::path(put, path = "/v1/organizations/{organization}/single-sign-on", tag = "Users",
    request_body(content = ProviderRequest),
    responses((status = 200, description = "The provider as it is now", body = Provider),
        (status = 403, description = "A role allows more than the caller holds", body = Document<'static>),
        (status = 422, description = "The request breaks a rule, or the provider does not describe itself", body = Document<'static>)))]
pub(crate) async fn set(of: OfPeople, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let manager = of.manager()?;
    let request: ProviderRequest = document(&of.app, &headers, body).await?;
    let single_sign_on = of.app.single_sign_on.as_ref().ok_or_else(|| {
        let detail = "Single sign-on needs the setting public_url: where people reach this server.";
        Problem::fault(Code::Invalid, Pointer::root(), detail)
    })?;
    let at_issuer = |detail: String| Problem::fault(Code::Invalid, Pointer::root().child("issuer"), detail);
    single_sign_on
        .describe(&request.issuer)
        .await
        .map_err(|error| at_issuer(reason(&error)))?;
    let owner = owner(&of.organization);
    let seal =
        |secret: String| single_sign_on.seal_secret(&owner, &request.issuer, &request.client_id, &Secret::new(secret));
    let client_secret = request.client_secret.filter(|secret| !secret.is_empty()).map(seal);
    let settings = ProviderSettings {
        issuer: request.issuer,
        client_id: request.client_id,
        client_secret,
        groups_claim: request.groups_claim,
        roles: request.roles.0,
        default_role: request.default_role,
    };
    Ok(json(&described(&of.app, &*manager.set_provider(settings).await?)))
}

/// Takes the identity provider away. Who is signed in stays so.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/single-sign-on", tag = "Users",
    responses((status = 204, description = "There is none any more"),
        (status = 404, description = "There was none", body = Document<'static>)))]
pub(crate) async fn remove(of: OfPeople) -> Result<Response, Problem> {
    let manager = of.manager()?;
    manager.remove_provider().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn connected<'a>(app: &'a App, owner: &str) -> Option<(&'a SingleSignOn, Arc<records::SingleSignOn>)> {
    let record = app.directory.get::<records::SingleSignOn>(owner)?;
    Some((app.single_sign_on.as_ref()?, record))
}

/// What the provider answered through the browser. It may add what we do not know, but says nothing twice.
fn answered(query: &str) -> Result<Callback, Problem> {
    let mut callback = Callback::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let place = match &*name {
            "state" => &mut callback.state,
            "code" => &mut callback.code,
            "iss" => &mut callback.iss,
            "error" => &mut callback.error,
            _ => continue,
        };
        if place.replace(value.into_owned()).is_some() {
            return Err(Problem::parameter(&name, "may be sent once"));
        }
    }
    Ok(callback)
}

fn described(app: &App, record: &records::SingleSignOn) -> Provider {
    Provider {
        issuer: record.issuer.clone(),
        client_id: record.client_id.clone(),
        groups_claim: record.groups_claim.clone(),
        roles: Roles(record.roles.clone()),
        default_role: record.default_role.clone(),
        callback_url: format!("{}{CALLBACK}", app.public_url),
    }
}

fn attempt_cookie(value: &str, seconds: i64) -> HeaderValue {
    let text = format!("{ATTEMPT_COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}");
    let mut cookie = HeaderValue::try_from(text).expect("base64url is visible ASCII");
    cookie.set_sensitive(true);
    cookie
}

fn redirect<const N: usize>(location: &str, cookies: [HeaderValue; N]) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    match HeaderValue::from_str(location) {
        Ok(location) => headers.insert(header::LOCATION, location),
        Err(_) => return Problem::internal().into_response(),
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The address of this page holds the code.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}

/// What the operator has to set right; the person at the browser cannot.
fn unreadable(error: crate::encryption::Error) -> Problem {
    tracing::error!(%error, "the client secret of single sign-on cannot be read");
    Problem::internal()
}

/// An error with what our own door said, and nothing that a provider sent.
fn reason(error: &Error) -> String {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(refused) = cause.downcast_ref::<outbound::Error>() {
            return format!("{error}: {refused}");
        }
        source = cause.source();
    }
    error.to_string()
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match &error {
            Error::AnotherBrowser | Error::Over | Error::Changed | Error::Refused => {
                Self::forbidden(&format!("Nobody was signed in: {error}."))
            }
            Error::Unavailable(..) | Error::Untrusted(_) => {
                let why = reason(&error);
                tracing::warn!(why, "single sign-on failed at the identity provider");
                Self::new(Code::IdentityProvider, format!("Nobody was signed in: {error}."))
            }
        }
    }
}
