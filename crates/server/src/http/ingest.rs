//! Ingest: `POST /v1/events` and its rehearsal. The hot path: body → admission → submission → append → answer.
//!
//! Invariants
//! - 201 is sent only after the ledger said that everything is durable; anything else stores nothing or says `unknown`.
//! - The answer is written by hand into one buffer: nothing is allocated per event.
//!
//! Not here: what makes an event valid (`trailbook_event::admit_body`), duplicates (`trailbook_ledger`).

use std::{io::Write as _, sync::Arc};

use axum::{
    Extension,
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, StatusCode},
    response::Response,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use trailbook_access::{Act, Caller, act::Target};
use trailbook_event::{
    Admission, Admitted, Fault, Form, Origin, Pointer, Refusal, admit_body, json::write_string, translate_body,
};
use trailbook_import::{Call, Vocabulary};
use trailbook_ledger::{Error, IdempotencyKey, OrganizationKey, Receipt, Stage, Submission};
use utoipa::ToSchema;

use super::{
    App,
    ask::bytes_of_json,
    body::{Format, LARGE_BYTES, Received, single},
    mappings::Sent,
    openapi::{Batch, EventSent},
    parameters::{Accepts, MAPPING, ORGANIZATION, Parameters},
    problem::{Code, Document, Problem},
    rules::ProjectRules,
};

/// What ingest accepts.
pub(crate) const ACCEPTS: Accepts = Accepts {
    filters: false,
    own: &[&MAPPING, &ORGANIZATION],
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// What was stored, in input order.
#[derive(Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// Events stored now.
    accepted: u64,
    /// Events that had been stored before under the same client id.
    duplicates: u64,
    /// One entry per event sent.
    events: Vec<AcceptedEvent>,
}

/// Where one event is stored.
#[derive(Serialize, ToSchema)]
pub(crate) struct AcceptedEvent {
    /// The Log ID.
    id: String,
    organization: String,
    /// Position in the organization's ledger.
    sequence: u64,
    /// Present and true when it had been stored before.
    duplicate: Option<bool>,
}

/// What would be stored, and every complaint.
#[derive(Serialize, ToSchema)]
pub(crate) struct Validation {
    /// Whether sending it would be accepted.
    valid: bool,
    /// The events as they would be stored, with their defaults; empty when anything is wrong.
    events: Vec<EventSent>,
    /// What is wrong.
    errors: Vec<super::problem::ErrorDocument<'static>>,
}

/// Stores events: one, a batch, or JSON lines; all or nothing. 201 means durable.
#[utoipa::path(post, path = "/v1/events", tag = "Ingest",
    params(("Idempotency-Key" = Option<String>, Header, description = "At most 255 visible characters; the same key with the same body within 24 hours gets the first answer.")),
    request_body(description = "One event, a batch, or one event a line; gzip or zstd", content((Batch = "application/json"), (EventSent = "application/x-ndjson"))),
    responses((status = 201, description = "Everything is durable", body = Accepted),
        (status = 413, description = "The body is too large", body = Document<'static>),
        (status = 415, description = "Neither JSON nor JSON lines", body = Document<'static>),
        (status = 422, description = "Something is invalid; nothing was stored", body = Document<'static>),
        (status = 503, description = "Not acknowledged", body = Document<'static>)))]
pub(crate) async fn ingest(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(query.as_deref(), &ACCEPTS)?;
    let bound = writer(&app, &caller)?;
    let vocabulary = app.vocabulary(&caller.project);
    let sent = Sent::of(&parameters, vocabulary.as_deref(), bound)?;
    let key = idempotency_key(&headers)?;
    let received = app.bodies.receive(&headers, body).await?;
    // Before anything is spent on events that will be refused.
    app.ledger.ready(received.bytes.len())?;
    let work = || -> Result<Submission, Problem> {
        let started = app.clock.monotonic();
        let admitted =
            admit(&app, &caller.project, &received, vocabulary.as_deref(), sent.as_ref()).map_err(refused)?;
        check_binding(bound, &admitted)?;
        app.rates.events(&caller, bound, &admitted)?;
        app.ledger
            .measures()
            .add(Stage::Admit, app.clock.monotonic().saturating_sub(started));
        let idempotency = key.map(|key| IdempotencyKey {
            credential: caller.credential,
            key: key.to_owned(),
            body: content(&received, query.as_deref()),
        });
        let country = |address| app.countries.of(address);
        let mut submission = app.ledger.prepare(&caller.project, admitted, idempotency, &country);
        app.ledger
            .announce(&mut submission, &|organization| announced(&app, &caller, organization));
        Ok(submission)
    };
    let submission = if received.bytes.len() < LARGE_BYTES {
        work()
    } else {
        tokio::task::block_in_place(work)
    }?;
    match app.ledger.append(submission).await {
        Ok(receipt) => {
            app.measures.accepted.inc_by(receipt.accepted() as u64);
            app.measures.duplicates.inc_by(receipt.duplicates() as u64);
            Ok(bytes_of_json(StatusCode::CREATED, written(&receipt)))
        }
        Err(Error::ClientIdReused { events }) => Err(reused(&events, &received, sent.is_some())),
        Err(error) => Err(error.into()),
    }
}

/// Says what would be stored, and everything that is wrong; stores nothing.
#[utoipa::path(post, path = "/v1/events/validate", tag = "Ingest",
    request_body(description = "As for POST /v1/events", content((Batch = "application/json"), (EventSent = "application/x-ndjson"))),
    responses((status = 200, description = "The verdict", body = Validation),
        (status = 400, description = "The body is not JSON", body = Document<'static>)))]
pub(crate) async fn validate(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(query.as_deref(), &ACCEPTS)?;
    let bound = writer(&app, &caller)?;
    let vocabulary = app.vocabulary(&caller.project);
    let sent = Sent::of(&parameters, vocabulary.as_deref(), bound)?;
    idempotency_key(&headers)?;
    let received = app.bodies.receive(&headers, body).await?;
    let work = || admit(&app, &caller.project, &received, vocabulary.as_deref(), sent.as_ref());
    let verdict = if received.bytes.len() < LARGE_BYTES {
        work()
    } else {
        tokio::task::block_in_place(work)
    };
    match verdict {
        Ok(admitted) => {
            check_binding(bound, &admitted)?;
            Ok(bytes_of_json(StatusCode::OK, rehearsed(&admitted, &[])))
        }
        Err(Refusal::Invalid { faults, more }) => {
            Ok(bytes_of_json(StatusCode::OK, rehearsed(&[], &listed(faults, more))))
        }
        Err(refusal) => Err(refused(refusal)),
    }
}

/// What is told, in the project's own ledger, of an organization that an event makes.
fn announced(app: &App, caller: &Caller, organization: &OrganizationKey) -> Option<Admitted> {
    let name = organization.organization();
    let act = Act::of_project(caller, organization.project(), "trailbook.organization.created")
        .target(Target::new("organization", name, Some(name.to_owned())))
        .with("automatic", true);
    let admitted = act.admitted(app.clock.now());
    let admitted = admitted.inspect_err(|error| tracing::error!(%error, "a new organization is not told of"));
    admitted.ok()
}

/// Refuses whoever may not send events; answers the only organization that they may send for.
fn writer<'c>(app: &App, caller: &'c Caller) -> Result<Option<&'c str>, Problem> {
    if !app.directory.has_project(&caller.project) {
        return Err(Problem::not_found());
    }
    let denied = || Problem::forbidden("Sending events needs a key with the scope events:write.");
    caller.may_write().ok_or_else(denied)
}

/// Refuses events of organizations that the caller may not send for.
fn check_binding(bound: Option<&str>, admitted: &[Admitted]) -> Result<(), Problem> {
    match bound {
        Some(bound) if admitted.iter().any(|event| event.organization != bound) => Err(Problem::forbidden(
            "The key is bound to another organization; nothing was stored.",
        )),
        _ => Ok(()),
    }
}

/// What an idempotency key stands for: the body, and what the query makes of it.
fn content(received: &Received, query: Option<&str>) -> [u8; 32] {
    let mut content = Sha256::new_with_prefix(&received.bytes);
    content.update(query.unwrap_or_default());
    content.finalize().into()
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let key = single(headers, &IDEMPOTENCY_KEY)?;
    if key.is_some_and(|key| key.is_empty() || key.len() > IDEMPOTENCY_KEY_BYTES_MAX) {
        return Err(Problem::parameter(
            "Idempotency-Key",
            "must have 1 to 255 visible ASCII characters.",
        ));
    }
    Ok(key)
}

fn admit(
    app: &App,
    project: &Arc<str>,
    received: &Received,
    vocabulary: Option<&Vocabulary>,
    sent: Option<&Sent<'_>>,
) -> Result<Vec<Admitted>, Refusal> {
    let form = match received.format {
        Format::Json => Form::Json,
        Format::Lines => Form::Ndjson,
    };
    let catalog = vocabulary.map_or_else(Arc::default, |vocabulary| vocabulary.catalog.clone());
    let admission = Admission {
        limits: &app.admission,
        now: app.clock.now(),
        defaults: &ProjectRules::new(app, project.clone(), &catalog),
        origin: Origin::Sender,
    };
    let mapping = sent.and_then(|sent| vocabulary?.input(sent.mapping));
    match mapping {
        None => admit_body(&received.bytes, form, &admission),
        Some(mapping) => {
            let organization = sent.and_then(|sent| sent.organization);
            translate_body(&received.bytes, form, &admission, &Call { mapping, organization })
        }
    }
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Malformed {
            line,
            column,
            detail,
            offset,
        } => Problem::new(
            Code::MalformedJson,
            format!("Line {line}, column {column} (byte {offset}): {detail}"),
        ),
        Refusal::Invalid { faults, more } => Problem::faults(Code::Invalid, listed(faults, more)),
        Refusal::TooMany { events_max } => Problem::fault(
            Code::Invalid,
            Pointer::root(),
            format!("A body has at most {events_max} events (batch_events_max); send smaller batches."),
        ),
    }
}

/// The faults, with a last one that counts those that are not listed.
fn listed(mut faults: Vec<Fault>, more: usize) -> Vec<Fault> {
    if more > 0 {
        faults.push(Fault::new(
            Pointer::root(),
            format!("There are {more} more faults; correct these first."),
        ));
    }
    faults
}

/// Client ids that are stored with other content, by the places of their events.
fn reused(events: &[usize], received: &Received, mapped: bool) -> Problem {
    let place = |index: usize| match received.format {
        Format::Lines => Pointer::root().index(index),
        Format::Json if received.bytes.trim_ascii_start().starts_with(b"[") => Pointer::root().index(index),
        Format::Json if is_batch(&received.bytes) => Pointer::root().child("events").index(index),
        Format::Json => Pointer::root(),
    };
    let detail = "This client_id is stored with other content; a new event needs a new client_id.";
    let faults = events
        .iter()
        .map(|index| match mapped {
            // Where the payload has the id is the mapping's matter.
            true => Fault::new(place(*index), detail),
            false => Fault::new(place(*index).child("client_id"), detail),
        })
        .collect();
    Problem::faults(Code::Conflict, faults)
}

/// Whether an accepted JSON body was a batch: its first key is `events`.
fn is_batch(body: &[u8]) -> bool {
    let rest = body.trim_ascii_start().strip_prefix(b"{").unwrap_or_default();
    rest.trim_ascii_start().starts_with(b"\"events\"")
}

fn written(receipt: &Receipt) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + receipt.events.len() * 112);
    let (accepted, duplicates) = (receipt.accepted(), receipt.duplicates());
    write_text(
        &mut out,
        format_args!("{{\"accepted\":{accepted},\"duplicates\":{duplicates},\"events\":["),
    );
    for (position, stored) in receipt.events.iter().enumerate() {
        out.extend_from_slice(if position == 0 { b"{\"id\":\"" } else { b",{\"id\":\"" });
        stored.id.write(&mut out);
        out.extend_from_slice(b"\",\"organization\":");
        write_string(stored.organization.organization(), &mut out);
        write_text(&mut out, format_args!(",\"sequence\":{}", stored.sequence));
        out.extend_from_slice(if stored.duplicate {
            b",\"duplicate\":true}"
        } else {
            b"}"
        });
    }
    out.extend_from_slice(b"]}");
    out
}

fn rehearsed(events: &[Admitted], errors: &[Fault]) -> Vec<u8> {
    let mut out = Vec::new();
    write_text(&mut out, format_args!("{{\"valid\":{},\"events\":[", errors.is_empty()));
    for (position, event) in events.iter().enumerate() {
        out.extend_from_slice(if position == 0 { b"{" } else { b",{" });
        event.parts.write_members(&mut out);
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"errors\":[");
    for (position, fault) in errors.iter().enumerate() {
        out.extend_from_slice(if position == 0 {
            b"{\"pointer\":"
        } else {
            b",{\"pointer\":"
        });
        write_string(fault.pointer.as_str(), &mut out);
        out.extend_from_slice(b",\"detail\":");
        write_string(&fault.detail, &mut out);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

fn write_text(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a vector takes all bytes");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_whose_first_key_is_events_is_a_batch() {
        assert!(is_batch(b" { \"events\": [] }"));
        assert!(!is_batch(b"{\"action\":\"events\"}") && !is_batch(b"[]") && !is_batch(b""));
    }
}
