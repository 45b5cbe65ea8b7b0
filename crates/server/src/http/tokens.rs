//! `…/viewer-tokens`: what an embedded viewer shows itself with. Short-lived, for one organization, perhaps only a part of it.
//!
//! Invariant: a token shows and hands out no more than its maker may see and take.

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use trailbook_access::{
    Act, Policy, Right, Rights,
    act::Target,
    records::{TokenActor, ViewerToken, owner},
    secret::{Secret, SecretKind, new_id},
};
use trailbook_event::{Pointer, Timestamp};
use utoipa::ToSchema;

use super::{
    answers::Time,
    ask::{Administering, Ask, json, json_with, lacking},
    body::document,
    parameters::{self, Accepts, TOKEN_ACTOR},
    problem::{Code, Document, Problem},
    proof::NOTHING,
};

/// What revoking accepts.
pub(crate) const REVOKING: Accepts = Accepts {
    filters: false,
    own: &[&TOKEN_ACTOR],
};

const TTL_SECONDS: u32 = 3_600;
const TTL_SECONDS_MAX: u32 = 86_400;
/// Characters of an actor's id, name, e-mail address, role or permission.
const WORD_MAX: usize = 256;
/// Permissions of an actor.
const PERMISSIONS_MAX: usize = 100;
/// Characters of a filter.
const FILTER_MAX: usize = 4_096;
/// Tokens of an organization that are not over.
const TOKENS_MAX: usize = 10_000;

/// A viewer token, without its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct Token {
    /// `tok_…`.
    id: String,
    /// Who looks.
    #[schema(value_type = Object)]
    actor: TokenActor,
    /// What it shows; null is everything.
    #[schema(required)]
    filter: Option<String>,
    /// Whether it may take files.
    may_export: bool,
    #[schema(value_type = String)]
    created_at: Time,
    #[schema(value_type = String)]
    expires_at: Time,
}

/// All tokens of the organization that are not over.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens {
    viewer_tokens: Vec<Token>,
}

/// A token and its secret, which nobody can read again.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeToken {
    #[serde(flatten)]
    about: Token,
    /// The secret.
    token: String,
    /// Opens the viewer; the token is in the fragment, which browsers send to nobody.
    url: String,
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    /// `{id, name, email, role, permissions}`: who looks, as the product knows.
    #[schema(value_type = Object)]
    actor: TokenActor,
    /// How long it is of use: 1 to 86,400; 3,600 by default.
    #[serde(default)]
    ttl_seconds: Option<u32>,
    /// What it shows, in the query language; everything by default.
    #[serde(default)]
    filter: Option<String>,
    /// Whether it may take files, when the policy lets its actor.
    #[serde(default)]
    may_export: bool,
}

/// The tokens that are not over.
#[utoipa::path(get, path = "/v1/organizations/{organization}/viewer-tokens", tag = "Administration",
    responses((status = 200, description = "The tokens, without their secrets", body = Tokens)))]
pub(crate) async fn list(Administering(ask): Administering) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let mut tokens = alive(&ask);
    tokens.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
    Ok(json(&Tokens {
        viewer_tokens: tokens.iter().map(|token| described(token)).collect(),
    }))
}

/// Makes a token.
#[utoipa::path(post, path = "/v1/organizations/{organization}/viewer-tokens", tag = "Administration",
    request_body(content = TokenRequest),
    responses((status = 201, description = "The token, with its secret", body = MadeToken),
        (status = 403, description = "It would show more than the caller may see", body = Document<'static>),
        (status = 422, description = "The request breaks a rule", body = Document<'static>)))]
pub(crate) async fn make(
    Administering(ask): Administering,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let request: TokenRequest = document(&ask.app, &headers, body).await?;
    let app = &ask.app;
    let mut change = app.directory.change().await;
    let (rights, policy) = ask.renewed(Right::Administer)?;
    check(&request, rights, &policy)?;
    let now = app.clock.now().millis();
    let secret = Secret::make(SecretKind::ViewerToken, app.directory.random());
    let token = ViewerToken {
        id: new_id("tok_", app.directory.random()),
        hash: secret.hash(),
        project: ask.organization.project().to_owned(),
        organization: ask.organization.organization().to_owned(),
        expires_at: now + i64::from(request.ttl_seconds.unwrap_or(TTL_SECONDS)) * 1000,
        actor: request.actor,
        filter: request.filter,
        may_export: request.may_export,
        created_at: now,
        made_by: ask.caller.id().to_owned(),
    };
    if alive(&ask).len() >= TOKENS_MAX {
        let detail = format!("{TOKENS_MAX} viewer tokens of this organization are in use; give them a shorter life.");
        return Err(Problem::new(Code::TooManyRequests, detail).retry_after(60));
    }
    let act = act(&ask, "trailbook.viewer_token.created", &token.actor);
    change.act(
        act.with("token", token.id.as_str())
            .with("filter", token.filter.clone())
            .with("may_export", token.may_export)
            .with("expires_at", Timestamp::from_millis(token.expires_at).to_string()),
    );
    let about = described(&token);
    change.put(token)?;
    change.commit().await?;
    let secret = secret.expose();
    let organization = crate::client::encoded(ask.organization.organization());
    let made = MadeToken {
        about,
        token: secret.to_owned(),
        url: format!("{}/#organization={organization}&token={secret}", app.public_url),
    };
    Ok(json_with(StatusCode::CREATED, &made))
}

/// Revokes a token at once.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/viewer-tokens/{id}", tag = "Administration",
    responses((status = 204, description = "It is of no use any more"),
        (status = 404, description = "No such token", body = Document<'static>)))]
pub(crate) async fn revoke(Administering(ask): Administering) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let found = alive(&ask).into_iter().find(|token| token.id == ask.path("id"));
    let token = found.ok_or_else(Problem::not_found)?;
    remove(&ask, &[token]).await
}

/// Revokes all tokens of an actor at once.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/viewer-tokens", tag = "Administration",
    responses((status = 204, description = "They are of no use any more")))]
pub(crate) async fn revoke_of_actor(Administering(ask): Administering) -> Result<Response, Problem> {
    let parameters = ask.parameters(&REVOKING)?;
    let actor = parameters.text(&TOKEN_ACTOR);
    let actor = actor.ok_or_else(|| Problem::parameter("actor", "is required: the id of who is to see no more."))?;
    let tokens: Vec<_> = alive(&ask)
        .into_iter()
        .filter(|token| token.actor.id == actor)
        .collect();
    remove(&ask, &tokens).await
}

async fn remove(ask: &Ask, tokens: &[std::sync::Arc<ViewerToken>]) -> Result<Response, Problem> {
    let mut change = ask.app.directory.change().await;
    ask.renewed(Right::Administer)?;
    for token in tokens {
        change.remove::<ViewerToken>(&token.id);
    }
    if let Some(first) = tokens.first().filter(|_| !change.is_empty()) {
        let ids: Vec<&str> = tokens.iter().map(|token| token.id.as_str()).collect();
        change.act(act(ask, "trailbook.viewer_token.revoked", &first.actor).with("tokens", serde_json::json!(ids)));
        change.commit().await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn alive(ask: &Ask) -> Vec<std::sync::Arc<ViewerToken>> {
    let now = ask.app.clock.now().millis();
    let mut tokens = ask.app.directory.of::<ViewerToken>(&owner(&ask.organization));
    tokens.retain(|token| now < token.expires_at);
    tokens
}

fn described(token: &ViewerToken) -> Token {
    let time = |millis| Time(Timestamp::from_millis(millis));
    Token {
        id: token.id.clone(),
        actor: token.actor.clone(),
        filter: token.filter.clone(),
        may_export: token.may_export,
        created_at: time(token.created_at),
        expires_at: time(token.expires_at),
    }
}

fn act(ask: &Ask, action: &'static str, actor: &TokenActor) -> Act {
    let mut target = Target::new("user", actor.id.as_str(), actor.name.clone());
    target.email.clone_from(&actor.email);
    Act::of(&ask.caller, ask.organization.clone(), action).target(target)
}

/// Refuses a token that breaks a rule or shows more than its maker may see.
fn check(request: &TokenRequest, rights: Rights, policy: &Policy) -> Result<(), Problem> {
    if !rights.view {
        return Err(lacking(Right::View));
    }
    if request.may_export && !rights.export {
        return Err(lacking(Right::Export));
    }
    let invalid = |pointer: Pointer, detail: String| Err(Problem::fault(Code::Invalid, pointer, detail));
    let root = Pointer::root();
    if request
        .ttl_seconds
        .is_some_and(|ttl| !(1..=TTL_SECONDS_MAX).contains(&ttl))
    {
        return invalid(
            root.child("ttl_seconds"),
            format!("It must be from 1 to {TTL_SECONDS_MAX}."),
        );
    }
    check_actor(&request.actor, &root.child("actor"))?;
    let Some(filter) = &request.filter else { return Ok(()) };
    if filter.chars().count() > FILTER_MAX {
        return invalid(
            root.child("filter"),
            format!("It must have at most {FILTER_MAX} characters."),
        );
    }
    parameters::query(filter, policy)
        .map(drop)
        .map_err(|problem| problem.in_body(root.child("filter")))
}

fn check_actor(actor: &TokenActor, at: &Pointer) -> Result<(), Problem> {
    let invalid = |pointer: Pointer, detail: String| Err(Problem::fault(Code::Invalid, pointer, detail));
    let is_word = |text: &str| !text.trim().is_empty() && text.chars().count() <= WORD_MAX && !text.contains('\0');
    let texts = [
        ("id", Some(&actor.id)),
        ("name", actor.name.as_ref()),
        ("email", actor.email.as_ref()),
        ("role", actor.role.as_ref()),
    ];
    for (name, text) in texts {
        if text.is_some_and(|text| !is_word(text)) {
            return invalid(
                at.child(name),
                format!("It must have 1 to {WORD_MAX} characters, and NUL is none of them."),
            );
        }
    }
    if actor.permissions.len() > PERMISSIONS_MAX || !actor.permissions.iter().all(|permission| is_word(permission)) {
        let detail = format!("It must have at most {PERMISSIONS_MAX} names of 1 to {WORD_MAX} characters.");
        return invalid(at.child("permissions"), detail);
    }
    Ok(())
}
