//! `GET /v1/stats`: what is stored, by level and by organization. For operators: root only.

use axum::{
    Extension,
    extract::{RawQuery, State},
    response::Response,
};
use serde::Serialize;
use std::sync::Arc;
use trailbook_access::Caller;
use trailbook_ledger::Error;
use utoipa::ToSchema;

use super::{App, ask::json, manage::operators_only, parameters::Parameters, problem::Problem, proof::NOTHING};

/// What is stored.
#[derive(Serialize, ToSchema)]
pub(crate) struct Stats {
    /// Events that are not sealed.
    tail_events: u64,
    /// Their bytes in memory, estimated.
    tail_bytes: u64,
    /// Milliseconds since the oldest of them was stored.
    tail_age_ms: i64,
    /// Segments by level.
    levels: Vec<Level>,
    /// The project's organizations, by name.
    organizations: Vec<Organization>,
}

/// The segments of one level.
#[derive(Serialize, ToSchema)]
struct Level {
    /// 0 as sealed, one more with each compaction.
    level: u8,
    /// How many.
    segments: u64,
    /// Events in them.
    events: u64,
    /// Bytes of the events.
    data_bytes: u64,
    /// Bytes of indexes and proofs.
    bundle_bytes: u64,
}

/// One organization.
#[derive(Serialize, ToSchema)]
struct Organization {
    /// Its name.
    organization: String,
    /// Events that were ever stored.
    size: u64,
    /// Events below this sequence have expired.
    floor: u64,
    /// Events in segments.
    sealed_events: u64,
    /// Segments that they are in.
    segments: u64,
    /// Their share of those segments' bytes.
    bytes: u64,
}

/// What is stored, by level and by organization.
#[utoipa::path(get, path = "/v1/stats", tag = "Administration",
    responses((status = 200, description = "What is stored", body = Stats)))]
pub(crate) async fn stats(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    operators_only(&app, &caller)?;
    Parameters::read(query.as_deref(), &NOTHING)?;
    let ledger = app.ledger.clone();
    let found = tokio::task::spawn_blocking(move || ledger.stats()).await;
    let found = found.map_err(|error| Error::Storage {
        operation: "count what is stored",
        detail: error.to_string(),
    })??;
    let of_project = found
        .organizations
        .iter()
        .filter(|(key, _)| *key.project() == *caller.project);
    Ok(json(&Stats {
        tail_events: found.tail_events,
        tail_bytes: found.tail_bytes,
        tail_age_ms: found.tail_age_ms,
        levels: found
            .levels
            .iter()
            .map(|(level, stats)| Level {
                level: *level,
                segments: stats.segments,
                events: stats.events,
                data_bytes: stats.data_bytes,
                bundle_bytes: stats.bundle_bytes,
            })
            .collect(),
        organizations: of_project
            .map(|(key, stats)| Organization {
                organization: key.organization().to_owned(),
                size: stats.size,
                floor: stats.floor,
                sealed_events: stats.sealed_events,
                segments: stats.segments,
                bytes: stats.bytes as u64,
            })
            .collect(),
    }))
}
