//! `…/alerts`: questions that are put to every event of an organization as it comes, and who is told what they find.
//!
//! Invariants
//! - No answer and no act says a secret, but for a webhook's own that was made for it, once.
//! - Who sets an alert up may see, take and administer everything that it tells; a person names only addresses of users who may look.
//!
//! Not here: when alerts fire (`trailbook_deliver::alert`), what a request may say (`request`).

mod request;

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use trailbook_access::{
    Act, Change, Right,
    act::Target,
    records::{Alert, AlertHealth, AlertState, AlertWebhook, Condition, owner},
};
use trailbook_event::{Fault, Pointer, Timestamp};
use utoipa::ToSchema;

use self::request::AlertRequest;
use super::{
    answers::Time,
    ask::{Ask, Delivering, json, json_with},
    body::document,
    etag,
    problem::{Code, Document, Problem},
    proof::NOTHING,
};

/// Alerts of an organization.
const ALERTS_MAX: usize = 100;

/// An alert.
#[derive(Serialize, ToSchema)]
#[schema(as = Alert)]
pub(crate) struct AlertShown {
    /// `alr_…`.
    id: String,
    organization: String,
    name: String,
    /// Which events, in the query language; empty is all.
    filter: String,
    condition: Condition,
    /// How long it is quiet after it fired; what comes meanwhile is counted, and said in the next message.
    quiet_seconds: u32,
    /// Who gets a letter.
    emails: Vec<String>,
    /// Where a signed request is sent.
    #[schema(required)]
    webhook: Option<AlertWebhook>,
    /// The names of the secrets that are set.
    secrets: Vec<String>,
    enabled: bool,
    #[schema(value_type = String)]
    created_at: Time,
    #[schema(value_type = String)]
    updated_at: Time,
    #[schema(required, value_type = Option<String>)]
    last_fired_at: Option<Time>,
    /// How often it fired.
    fired: u64,
    /// Whom the last message did not reach, and why.
    #[schema(required)]
    last_error: Option<String>,
    /// The console's address of the events that it looks for; null when `public_url` is not set.
    #[schema(required)]
    link: Option<String>,
}

/// An alert that was set up or changed.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertMade {
    #[serde(flatten)]
    alert: AlertShown,
    /// The secret that the webhook's receiver checks signatures with, when it was made now: it is not shown again.
    #[schema(required)]
    secret: Option<String>,
}

/// All alerts of the organization.
#[derive(Serialize, ToSchema)]
pub(crate) struct Alerts {
    alerts: Vec<AlertShown>,
}

/// What became of a message that was sent to try an alert.
#[derive(Serialize, ToSchema)]
#[schema(as = AlertTested)]
pub(crate) struct Tested {
    /// Whether it reached everybody.
    delivered: bool,
    /// Whom it did not reach, and why.
    detail: String,
}

/// The alerts, by name.
#[utoipa::path(get, path = "/v1/organizations/{organization}/alerts", tag = "Alerts",
    responses((status = 200, description = "The alerts", body = Alerts)))]
pub(crate) async fn list(Delivering(ask): Delivering) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let mut alerts = all(&ask);
    alerts.sort_by_cached_key(|alert| (alert.name.to_lowercase(), alert.id.clone()));
    let alerts = alerts.iter().map(|alert| described(&ask, alert)).collect();
    Ok(json(&Alerts { alerts }))
}

/// Sets an alert up. It looks at what comes from now on.
#[utoipa::path(post, path = "/v1/organizations/{organization}/alerts", tag = "Alerts",
    request_body(content = AlertRequest),
    responses((status = 201, description = "The alert; a webhook's secret is shown when it was made", body = AlertMade),
        (status = 422, description = "The request breaks a rule, or there are too many", body = Document<'static>)))]
pub(crate) async fn create(Delivering(ask): Delivering, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let request = read(&ask, &headers, body).await?;
    let mut change = begin(&ask).await?;
    if all(&ask).len() >= ALERTS_MAX {
        let detail = format!("An organization has at most {ALERTS_MAX} alerts; delete those that nobody needs.");
        return Err(Problem::fault(Code::Invalid, Pointer::root(), detail));
    }
    let (alert, secret) = request.new_alert(&ask)?;
    change.act(act(&ask, "trailbook.alert.created", &alert));
    change.put(beginning(&ask, &alert))?;
    change.put(alert.clone())?;
    change.commit().await?;
    Ok(made(&ask, StatusCode::CREATED, &alert, secret))
}

/// One alert.
#[utoipa::path(get, path = "/v1/organizations/{organization}/alerts/{id}", tag = "Alerts",
    responses((status = 200, description = "The alert; ETag names its version", body = AlertShown),
        (status = 404, description = "No such alert", body = Document<'static>)))]
pub(crate) async fn show(Delivering(ask): Delivering) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let alert = find(&ask)?;
    let answer = json(&described(&ask, &alert));
    Ok(etag::tagged(answer, version(&ask, &alert)))
}

/// Changes an alert. Secrets that are left out stay, null makes a new one. With another filter or condition it begins anew.
#[utoipa::path(put, path = "/v1/organizations/{organization}/alerts/{id}", tag = "Alerts",
    params(("If-Match" = Option<String>, Header, description = "Only when the alert is at this version")),
    request_body(content = AlertRequest),
    responses((status = 200, description = "The alert as it is now; a webhook's secret is shown when it was made", body = AlertMade),
        (status = 412, description = "It is at another version", body = Document<'static>),
        (status = 422, description = "The request breaks a rule", body = Document<'static>)))]
pub(crate) async fn replace(Delivering(ask): Delivering, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let request = read(&ask, &headers, body).await?;
    let mut change = begin(&ask).await?;
    let before = find(&ask)?;
    etag::check(&headers, version(&ask, &before))?;
    let (after, secret) = request.changed_alert(&ask, &before)?;
    let act = request::differences(act(&ask, "trailbook.alert.changed", &after), &before, &after);
    if act.is_unchanged() && before.recipients == after.recipients {
        return Ok(made(&ask, StatusCode::OK, &before, None));
    }
    change.act(act);
    let is_new = before.filter != after.filter || before.condition != after.condition;
    if is_new || after.enabled && !before.enabled {
        change.put(beginning(&ask, &after))?;
    }
    if !after.enabled {
        ask.app.directory.remove_alert_messages(&mut change, &after.id);
    }
    change.put(after.clone())?;
    change.commit().await?;
    Ok(made(&ask, StatusCode::OK, &after, secret))
}

/// Removes an alert, with what it still had to tell.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/alerts/{id}", tag = "Alerts",
    responses((status = 204, description = "There is no such alert any more"),
        (status = 404, description = "No such alert", body = Document<'static>)))]
pub(crate) async fn remove(Delivering(ask): Delivering) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let mut change = begin(&ask).await?;
    let alert = find(&ask)?;
    change.act(act(&ask, "trailbook.alert.deleted", &alert));
    ask.app.directory.remove_alert(&mut change, &alert.id);
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Tells a made-up message to everybody whom the alert tells, at once; a digest what happened in the last day or week.
#[utoipa::path(post, path = "/v1/organizations/{organization}/alerts/{id}/test", tag = "Alerts",
    responses((status = 200, description = "What became of it", body = Tested)))]
pub(crate) async fn test(Delivering(ask): Delivering) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let alert = find(&ask)?;
    let (delivered, detail) = match ask.app.alerts.test(&alert).await {
        Ok(()) => (true, "It reached everybody.".to_owned()),
        Err(reason) => (false, reason),
    };
    let mut change = begin(&ask).await?;
    let act = act(&ask, "trailbook.alert.tested", &alert);
    change.act(if delivered { act } else { act.failed() });
    change.commit().await?;
    Ok(json(&Tested { delivered, detail }))
}

async fn read(ask: &Ask, headers: &HeaderMap, body: Body) -> Result<AlertRequest, Problem> {
    ask.parameters(&NOTHING)?;
    document(&ask.app, headers, body).await
}

/// The lock under which alerts change, when the caller may still set them up under it.
async fn begin(ask: &Ask) -> Result<Change, Problem> {
    let change = ask.app.directory.change().await;
    ask.renewed(Right::Deliver)?;
    Ok(change)
}

fn all(ask: &Ask) -> Vec<Arc<Alert>> {
    ask.app.directory.of(&owner(&ask.organization))
}

/// The alert that the path names.
fn find(ask: &Ask) -> Result<Arc<Alert>, Problem> {
    let found = ask.app.directory.get::<Alert>(ask.path("id"));
    let organization = &ask.organization;
    let is_of =
        |alert: &Alert| alert.project == organization.project() && alert.organization == organization.organization();
    found.filter(|alert| is_of(alert)).ok_or_else(Problem::not_found)
}

/// An alert that looks at what comes from now on; how often it fired is not forgotten.
fn beginning(ask: &Ask, alert: &Alert) -> AlertState {
    let head = ask.app.ledger.head(&ask.organization).unwrap_or(ask.head);
    let known = ask.app.directory.get::<AlertState>(&alert.id);
    let state = AlertState::begin(&alert.id, (head.epoch, head.size), ask.app.clock.now().millis());
    AlertState {
        last_fired_at: known.as_ref().and_then(|known| known.last_fired_at),
        fired: known.map_or(0, |known| known.fired),
        ..state
    }
}

fn version(ask: &Ask, alert: &Alert) -> String {
    etag::of(ask.app.directory.version::<Alert>(&alert.id))
}

fn made(ask: &Ask, status: StatusCode, alert: &Alert, secret: Option<String>) -> Response {
    let alert_made = AlertMade {
        alert: described(ask, alert),
        secret,
    };
    etag::tagged(json_with(status, &alert_made), version(ask, alert))
}

fn described(ask: &Ask, alert: &Alert) -> AlertShown {
    let time = |millis| Time(Timestamp::from_millis(millis));
    let directory = &ask.app.directory;
    let state = directory.get::<AlertState>(&alert.id);
    let health = directory.get::<AlertHealth>(&alert.id);
    AlertShown {
        id: alert.id.clone(),
        organization: alert.organization.clone(),
        name: alert.name.clone(),
        filter: alert.filter.clone(),
        condition: alert.condition.clone(),
        quiet_seconds: alert.quiet_seconds,
        emails: request::addresses(alert),
        webhook: alert.webhook.clone(),
        secrets: alert.secret_names.clone(),
        enabled: alert.enabled,
        created_at: time(alert.created_at),
        updated_at: time(alert.updated_at),
        last_fired_at: state.as_ref().and_then(|state| state.last_fired_at).map(time),
        fired: state.map_or(0, |state| state.fired),
        last_error: health.and_then(|health| health.last_error.clone()),
        link: ask.app.alerts.link(alert),
    }
}

fn act(ask: &Ask, action: &'static str, alert: &Alert) -> Act {
    let target = Target::new("alert", alert.id.as_str(), Some(alert.name.clone()));
    Act::of(&ask.caller, ask.organization.clone(), action).target(target)
}

fn fault(at: Pointer, detail: impl Into<String>) -> Problem {
    Problem::faults(Code::Invalid, vec![Fault::new(at, detail.into())])
}
