//! Redaction: root removes parts of an event for good. The act is an event of that very ledger, in the same commit.
//!
//! Not here: what it takes (`trailbook_ledger`).

use axum::{body::Body, http::HeaderMap, response::Response};
use serde::{Deserialize, Serialize};
use trailbook_access::Act;
use trailbook_event::{Part, Pointer};
use utoipa::ToSchema;

use super::{
    ask::{Ruling, json},
    body::document,
    problem::{Code, Document, Problem},
    proof::NOTHING,
    reads,
};

/// Characters of a reason.
const REASON_MAX: usize = 1_000;

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
    let act = Act::of(&ask.caller, ask.organization.clone(), "trailbook.event.redacted")
        .with("event", row.id.to_string())
        .with("sequence", row.sequence.to_string())
        .with("parts", serde_json::json!(names))
        .with("reason", reason);
    let record = act.admitted(ask.app.clock.now())?;
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
