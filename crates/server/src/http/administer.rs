//! What only root may do to an organization's ledger: say how long it is kept, and redact. Each act is an event of that very ledger,
//! in the same commit.
//!
//! Not here: what it takes to keep, expire and redact (`trailbook_ledger`).

use axum::{body::Body, http::HeaderMap, response::Response};
use serde::{Deserialize, Serialize};
use trailbook_access::policy::RETENTION_DAYS_MAX;
use trailbook_event::{Admission, Admitted, Event, Limits, NoCatalog, Origin, Part, Pointer, admit, json as text};
use trailbook_ledger::{Retention, RetentionChange, Settlement};
use utoipa::ToSchema;

use super::{
    answers::Time,
    ask::{Administering, Ask, Ruling, json},
    body::document,
    problem::{Code, Document, Problem},
    proof::NOTHING,
    reads,
};

/// Characters of a reason.
const REASON_MAX: usize = 1_000;

/// An organization, as it is set up.
#[derive(Serialize, ToSchema)]
pub(crate) struct Organization {
    /// Its name.
    name: String,
    /// What was set for it.
    policy: OwnPolicy,
    /// A shortening of the retention that is not in force yet.
    pending_retention: Option<PendingRetention>,
}

/// The policy fields that can be set.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnPolicy {
    /// Days that events are kept after they were received; null means for ever.
    #[serde(default)]
    retention_days: Option<u32>,
    /// Whether nothing may expire.
    #[serde(default)]
    legal_hold: bool,
}

/// A shortening that waits seven days and can be taken back until then.
#[derive(Serialize, ToSchema)]
pub(crate) struct PendingRetention {
    /// Days.
    retention_days: Option<u32>,
    /// From when on.
    #[schema(value_type = String)]
    takes_effect_at: Time,
}

/// What an organization is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrganizationRequest {
    /// When given, the name in the path.
    name: Option<String>,
    policy: OwnPolicy,
}

/// Which parts of an event are removed, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedactionRequest {
    /// Of `core`, `actor`, `targets`, `context` and `details`.
    parts: Vec<String>,
    /// Kept in the ledger for ever: name nobody in it.
    reason: String,
}

/// What was redacted.
#[derive(Serialize, ToSchema)]
pub(crate) struct Redacted {
    /// The event.
    id: String,
    /// Its removed parts, those that were removed before included.
    redacted: Vec<&'static str>,
}

/// How an organization is set up.
#[utoipa::path(get, path = "/v1/organizations/{organization}", tag = "Administration",
    responses((status = 200, description = "The organization", body = Organization)))]
pub(crate) async fn organization(Administering(ask): Administering) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    Ok(json(&described(&ask, ask.app.ledger.retention(&ask.organization))))
}

fn described(ask: &Ask, retention: Retention) -> Organization {
    let now = ask.app.clock.now().millis();
    Organization {
        name: ask.organization.organization().to_owned(),
        policy: OwnPolicy {
            retention_days: retention.days_at(now),
            legal_hold: retention.legal_hold,
        },
        pending_retention: retention
            .pending
            .filter(|(_, at)| *at > now)
            .map(|(days, at)| PendingRetention {
                retention_days: days,
                takes_effect_at: Time(trailbook_event::Timestamp::from_millis(at)),
            }),
    }
}

/// Sets an organization up. A shorter retention takes effect after seven days; setting the old one again takes it back.
#[utoipa::path(put, path = "/v1/organizations/{organization}", tag = "Administration",
    request_body(content = OrganizationRequest),
    responses((status = 200, description = "The organization as it is now", body = Organization),
        (status = 422, description = "The request breaks a rule", body = Document<'static>)))]
pub(crate) async fn set_up(Ruling(ask): Ruling, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let request: OrganizationRequest = document(&ask.app, &headers, body).await?;
    let invalid = |pointer: Pointer, detail: &str| Err(Problem::fault(Code::Invalid, pointer, detail));
    if request.name.is_some_and(|name| name != ask.organization.organization()) {
        return invalid(
            Pointer::root().child("name"),
            "It must be the name in the path: an organization keeps its name.",
        );
    }
    let OwnPolicy {
        retention_days,
        legal_hold,
    } = request.policy;
    if retention_days.is_some_and(|days| !(1..=RETENTION_DAYS_MAX).contains(&days)) {
        let pointer = Pointer::root().child("policy").child("retention_days");
        return invalid(pointer, "It must be null (for ever) or from 1 to 365250.");
    }
    let before = ask.app.ledger.retention(&ask.organization);
    let now = ask.app.clock.now().millis();
    let own = ask.app.ledger.own_retention(&ask.organization);
    let asked = own.map(|own| (own.pending.map_or(own.days, |pending| pending.days), own.legal_hold));
    if asked == Some((Some(retention_days), Some(legal_hold))) {
        return Ok(json(&described(&ask, before)));
    }
    let days = |days: Option<u32>| serde_json::json!(days);
    let changes = serde_json::json!([
        {"field": "retention_days", "before": days(before.days_at(now)), "after": days(retention_days)},
        {"field": "legal_hold", "before": before.legal_hold, "after": legal_hold},
    ]);
    let record = record(
        &ask,
        "trailbook.policy.changed",
        "Changed how long events are kept",
        changes,
        serde_json::Value::Null,
    )?;
    let ledger = &ask.app.ledger;
    let settlement = Settlement {
        retentions: vec![RetentionChange {
            scope: (&ask.organization).into(),
            days: Some(retention_days),
            legal_hold: Some(legal_hold),
        }],
        events: vec![ledger.prepare(ask.organization.project(), vec![record], None, &|_| None)],
        ..Settlement::default()
    };
    ledger.settle(settlement).await?;
    Ok(json(&described(&ask, ledger.retention(&ask.organization))))
}

/// Removes parts of an event for good. The event's place, its leaf and every proof stay.
#[utoipa::path(post, path = "/v1/organizations/{organization}/events/{id}/redaction", tag = "Administration",
    request_body(content = RedactionRequest),
    responses((status = 200, description = "What is removed", body = Redacted),
        (status = 404, description = "No such event", body = Document<'static>),
        (status = 422, description = "The request breaks a rule", body = Document<'static>)))]
pub(crate) async fn redact(Ruling(ask): Ruling, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    if !ask.policy.redaction {
        return Err(Problem::new(
            Code::Forbidden,
            "Redaction is switched off here (setting redaction).",
        ));
    }
    let request: RedactionRequest = document(&ask.app, &headers, body).await?;
    let parts = parts(&request.parts)?;
    let reason = request.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_MAX || reason.contains('\0') {
        let pointer = Pointer::root().child("reason");
        return Err(Problem::fault(
            Code::Invalid,
            pointer,
            "It must have 1 to 1000 characters, and NUL is none of them.",
        ));
    }
    let row = reads::find(&ask)?;
    let names: Vec<&str> = parts.iter().map(|part| part.name()).collect();
    let metadata =
        serde_json::json!({"event": row.id.to_string(), "sequence": row.sequence.to_string(), "parts": names});
    let description = format!("Redacted {} of event {}: {reason}", names.join(", "), row.id);
    let record = record(
        &ask,
        "trailbook.event.redacted",
        &description,
        serde_json::json!([]),
        metadata,
    )?;
    ask.app
        .ledger
        .redact(&ask.organization, row.sequence, &parts, record)
        .await?;
    let mut redacted = row.redacted();
    redacted.extend(parts);
    redacted.sort_unstable();
    redacted.dedup();
    Ok(json(&Redacted {
        id: row.id.to_string(),
        redacted: redacted.into_iter().map(Part::name).collect(),
    }))
}

fn parts(names: &[String]) -> Result<Vec<Part>, Problem> {
    let pointer = || Pointer::root().child("parts");
    let known = |name: &String| Part::ALL.into_iter().find(|part| part.name() == name);
    let parts = names
        .iter()
        .map(known)
        .collect::<Option<Vec<Part>>>()
        .filter(|parts| !parts.is_empty());
    let each_once = |mut parts: Vec<Part>| {
        parts.sort_unstable();
        parts.dedup();
        parts
    };
    parts.map(each_once).ok_or_else(|| {
        let known = Part::ALL.map(Part::name).join(", ");
        Problem::fault(
            Code::Invalid,
            pointer(),
            format!("It must name at least one of {known}."),
        )
    })
}

/// The event that records an act of root in the organization's own ledger.
fn record(
    ask: &Ask,
    action: &str,
    description: &str,
    changes: serde_json::Value,
    metadata: serde_json::Value,
) -> Result<Admitted, Problem> {
    let event = serde_json::json!({
        "organization": ask.organization.organization(),
        "action": action,
        "action_type": "update",
        "security": true,
        "description": description,
        "actor": {"type": "system", "name": "Root key"},
        "changes": changes,
        "metadata": metadata,
    });
    let limits = Limits::default();
    let admission = Admission {
        limits: &limits,
        now: ask.app.clock.now(),
        defaults: &NoCatalog,
        origin: Origin::Own,
    };
    let source = event.to_string();
    let value = text::parse(&source, &limits.json()).map_err(|_| Problem::internal())?;
    let admitted = admit(&value, &Pointer::root(), &admission).map_err(|_| Problem::internal())?;
    debug_assert!(Event::parse(&admitted.parts).is_ok());
    Ok(admitted)
}
