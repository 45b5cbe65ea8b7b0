//! Signing in and out, forgotten and changed passwords: everything under `/auth/` that needs no identity provider.
//!
//! Invariants
//! - Whatever changes something has to come from our own page ([`access::check_console`]), also before there is a session: nobody is signed
//!   in to an account that somebody else chose.
//! - Answers do not tell whether an account or an organization exists.
//!
//! Not here: what signing in takes (`trailbook_access::people`), whom a cookie stands for (`access`).

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use trailbook_access::{
    Caller, DEFAULT_PROJECT, Origin, Principal, Refusal, Rights,
    password::BUSY_SECONDS,
    people::{Attempt, ResetRequest},
    records::{SESSION_MS, User},
    secret::{Secret, SecretHash},
};
use trailbook_event::Timestamp;
use utoipa::ToSchema;

use super::{
    App, access,
    answers::Time,
    ask::json_with,
    body::document,
    problem::{Code, Document, Problem},
};
use crate::mail::Subject;

/// Password resets that are dealt with after the answer, at a time.
pub(crate) const RESETS_AT_ONCE: usize = 64;

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    email: String,
    password: String,
    /// Whose console; may be left out by who has an account in one organization of the project only.
    #[serde(default)]
    organization: Option<String>,
    /// `default` by default.
    #[serde(default)]
    project: Option<String>,
}

/// Whose password was forgotten.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forgotten {
    email: String,
    /// As for signing in.
    #[serde(default)]
    organization: Option<String>,
    /// `default` by default.
    #[serde(default)]
    project: Option<String>,
}

/// A password for the account of a link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChosenPassword {
    /// What follows `#` in the link.
    token: String,
    /// 12 to 128 characters.
    password: String,
    /// Display name.
    #[serde(default)]
    name: Option<String>,
}

/// A new password in place of the current one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangedPassword {
    current: String,
    /// 12 to 128 characters.
    new: String,
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
pub(crate) struct SignedIn {
    /// `usr_…`.
    id: String,
    project: String,
    organization: String,
    email: String,
    #[schema(required)]
    name: Option<String>,
    role: String,
    permissions: Vec<String>,
    /// What that allows in the organization: `view`, `export`, `administer`.
    rights: Vec<&'static str>,
    /// When the session ends at the latest.
    #[schema(value_type = String)]
    expires_at: Time,
}

/// Signs in with a password. The cookie `__Host-trailbook` stands for the session.
#[utoipa::path(post, path = "/auth/sign-in", tag = "Signing in", security(()), request_body(content = SignIn),
    responses((status = 200, description = "Who is signed in, and the session's cookie", body = SignedIn),
        (status = 401, description = "They do not fit together; the same for whatever reason", body = Document<'static>),
        (status = 429, description = "Too many tries", body = Document<'static>)))]
pub(crate) async fn sign_in(
    State(app): State<Arc<App>>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    access::check_console(&Method::POST, &headers)?;
    let asked: SignIn = document(&app, &headers, body).await?;
    let attempt = Attempt {
        project: asked.project.as_deref().unwrap_or(DEFAULT_PROJECT),
        organization: asked.organization.as_deref(),
        email: &asked.email,
        origin: &origin,
        replaces: access::cookie(&headers, access::SESSION_COOKIE).map(SecretHash::of),
    };
    let begun = app.people.sign_in(&attempt, &asked.password).await?;
    Ok(with_session(&app, &begun.user, &begun.secret))
}

/// Ends the session.
#[utoipa::path(post, path = "/auth/sign-out", tag = "Signing in", security(("session" = [])),
    responses((status = 204, description = "There is no session any more")))]
pub(crate) async fn sign_out(
    State(app): State<Arc<App>>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // Without a session as well: the cookie is taken back in any case.
    access::check_console(&Method::POST, &headers)?;
    if let Some(caller) = access::session(&app, &Method::POST, &headers, &origin)? {
        app.people.sign_out(&caller).await?;
    }
    let forgotten = format!(
        "{}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0",
        access::SESSION_COOKIE
    );
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, forgotten)]).into_response())
}

/// Who is signed in.
#[utoipa::path(get, path = "/auth/session", tag = "Signing in", security(("session" = [])),
    responses((status = 200, description = "Who is signed in", body = SignedIn),
        (status = 401, description = "Nobody", body = Document<'static>)))]
pub(crate) async fn session(
    State(app): State<Arc<App>>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = signed_in(&app, &Method::GET, &headers, &origin)?;
    match &caller.principal {
        Principal::User(user, session) => Ok(json_with(StatusCode::OK, &described(&app, user, session.created_at))),
        Principal::Root | Principal::Key(_) | Principal::Viewer(_) => Err(nobody()),
    }
}

/// Asks for a link to choose a new password. The answer is the same for everybody; the link comes by mail.
#[utoipa::path(post, path = "/auth/password-reset", tag = "Signing in", security(()), request_body(content = Forgotten),
    responses((status = 202, description = "If there is such an account, a link is on its way"),
        (status = 429, description = "Too many requests", body = Document<'static>)))]
pub(crate) async fn request_reset(
    State(app): State<Arc<App>>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    access::check_console(&Method::POST, &headers)?;
    let asked: Forgotten = document(&app, &headers, body).await?;
    let request = ResetRequest {
        project: asked.project.unwrap_or_else(|| DEFAULT_PROJECT.to_owned()),
        organization: asked.organization,
        email: asked.email,
        origin,
    };
    let busy =
        |_| Problem::new(Code::Overloaded, "Too many password resets are being asked for.").retry_after(BUSY_SECONDS);
    // Whoever is there or not, it takes a place and is looked at after the answer.
    let place = app.resets.clone().try_acquire_owned().map_err(busy)?;
    let wanted = app.people.may_request_reset(&request)?;
    tokio::spawn(async move {
        if wanted {
            mail_reset(&app, &request).await;
        }
        drop(place);
    });
    Ok(StatusCode::ACCEPTED.into_response())
}

/// Chooses the password of an invitation or a password reset. The link is of no use afterwards; sign in next.
#[utoipa::path(post, path = "/auth/password", tag = "Signing in", security(()), request_body(content = ChosenPassword),
    responses((status = 204, description = "The password is set and every session ended"),
        (status = 422, description = "The link or the password cannot be used", body = Document<'static>)))]
pub(crate) async fn set_password(
    State(app): State<Arc<App>>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    access::check_console(&Method::POST, &headers)?;
    let chosen: ChosenPassword = document(&app, &headers, body).await?;
    let name = chosen.name.as_deref();
    app.people
        .use_link(&chosen.token, &chosen.password, name, &origin)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Changes the own password. Every session ends; the answer brings a new one.
#[utoipa::path(post, path = "/auth/password-change", tag = "Signing in", security(("session" = [])),
    request_body(content = ChangedPassword),
    responses((status = 200, description = "Who is signed in, and the new session's cookie", body = SignedIn),
        (status = 422, description = "The current or the new password cannot be used", body = Document<'static>)))]
pub(crate) async fn change_password(
    State(app): State<Arc<App>>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let caller = signed_in(&app, &Method::POST, &headers, &origin)?;
    let changed: ChangedPassword = document(&app, &headers, body).await?;
    let begun = app
        .people
        .change_password(&caller, &changed.current, &changed.new)
        .await?;
    Ok(with_session(&app, &begun.user, &begun.secret))
}

/// Makes and mails a link, if there is somebody whom it is for.
async fn mail_reset(app: &App, request: &ResetRequest) {
    let made = match app.people.request_reset(request).await {
        Ok(Some(made)) => made,
        Ok(None) => return,
        Err(refusal) => {
            tracing::error!(?refusal, "a password reset could not be stored");
            return;
        }
    };
    let (user, secret) = made;
    let subject = Subject::PasswordReset {
        organization: user.organization.clone(),
    };
    match app.post.reserve(&user.email) {
        Ok(place) => place.send(subject, link(app, &secret)),
        Err(why) => tracing::error!(?why, "a password reset could not be mailed"),
    }
}

/// The page where a link's holder chooses a password. The secret is in the fragment, which browsers send to nobody.
pub(crate) fn link(app: &App, secret: &Secret) -> String {
    format!("{}/password#{}", app.public_url, secret.expose())
}

/// The answer that begins a session.
pub(crate) fn with_session(app: &App, user: &User, secret: &Secret) -> Response {
    let mut response = json_with(StatusCode::OK, &described(app, user, app.clock.now().millis()));
    if let Ok(cookie) = session_cookie(secret) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// The cookie of a session: for this host only, over TLS only, out of scripts' reach.
pub(crate) fn session_cookie(secret: &Secret) -> Result<HeaderValue, header::InvalidHeaderValue> {
    let (name, seconds) = (access::SESSION_COOKIE, SESSION_MS / 1000);
    let cookie = format!(
        "{name}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}",
        secret.expose()
    );
    let mut value = HeaderValue::from_str(&cookie)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The person whose session the request has.
fn signed_in(app: &App, method: &Method, headers: &HeaderMap, origin: &Origin) -> Result<Caller, Problem> {
    access::session(app, method, headers, origin)?.ok_or_else(nobody)
}

fn nobody() -> Problem {
    Problem::new(Code::Unauthorized, "Nobody is signed in.")
}

fn described(app: &App, user: &User, since: i64) -> SignedIn {
    let policy = app.directory.policy(&user.key());
    let rights = Rights::of(&policy, Some(&user.role), &user.permissions);
    let named = [
        ("view", rights.view),
        ("export", rights.export),
        ("administer", rights.administer),
    ];
    SignedIn {
        id: user.id.clone(),
        project: user.project.clone(),
        organization: user.organization.clone(),
        email: user.email.clone(),
        name: user.name.clone(),
        role: user.role.clone(),
        permissions: user.permissions.clone(),
        rights: named
            .into_iter()
            .filter(|(_, held)| *held)
            .map(|(name, _)| name)
            .collect(),
        expires_at: Time(Timestamp::from_millis(since + SESSION_MS)),
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unproven => Self::new(
                Code::Unauthorized,
                "The organization, the e-mail address and the password do not fit together.",
            ),
            Refusal::Throttled(throttled) => Self::new(Code::TooManyRequests, "Too many tries. Wait a while.")
                .retry_after(throttled.retry_after_seconds),
            Refusal::Busy => {
                Self::new(Code::Overloaded, "Too many passwords are being checked.").retry_after(BUSY_SECONDS)
            }
            Refusal::Invalid(faults) => Self::faults(Code::Invalid, faults),
            Refusal::Unknown => Self::not_found(),
            Refusal::NotAllowed(why) => Self::forbidden(why),
            Refusal::Failed(error) => error.into(),
        }
    }
}
