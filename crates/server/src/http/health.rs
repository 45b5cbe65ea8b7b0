//! Health: whether the process lives, whether it can store and read now, which version it is, what it measures.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App,
    ask::{bytes_of_json, json},
    problem::Problem,
};

/// Whether the server can store and read now.
#[derive(Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// Whether every dependency is.
    ready: bool,
    /// Each dependency.
    dependencies: Vec<Dependency>,
}

/// One thing that the server depends on.
#[derive(Serialize, ToSchema)]
pub(crate) struct Dependency {
    /// `ledger`: the database and object store that events are kept in.
    name: &'static str,
    /// Whether it can be used now.
    ready: bool,
    /// Why not.
    detail: Option<String>,
}

/// Which binary this is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Version {
    /// Always `trailbook`.
    name: &'static str,
    /// Semantic version.
    version: &'static str,
}

/// The process lives.
#[utoipa::path(get, path = "/healthz", tag = "Health", security(()),
    responses((status = 200, description = "Alive", body = String, content_type = "text/plain")))]
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// Whether it can store and read now.
#[utoipa::path(get, path = "/readyz", tag = "Health", security(()),
    responses((status = 200, description = "Ready", body = Readiness), (status = 503, description = "Not ready", body = Readiness)))]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Response {
    let stopping = *app.stopping.borrow();
    let ledger = match app.ledger.ready(0) {
        Ok(()) => app.ledger.catch_up().await,
        not_ready => not_ready,
    };
    let ledger = ledger.err().map(|error| error.to_string());
    let readiness = Readiness {
        ready: ledger.is_none() && !stopping,
        dependencies: vec![
            Dependency {
                name: "ledger",
                ready: ledger.is_none(),
                detail: ledger,
            },
            Dependency {
                name: "listener",
                ready: !stopping,
                detail: stopping.then(|| "the server is stopping".into()),
            },
        ],
    };
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    match serde_json::to_vec(&readiness) {
        Ok(bytes) if readiness.ready => bytes_of_json(status, bytes),
        Ok(bytes) => ([(header::RETRY_AFTER, "5")], bytes_of_json(status, bytes)).into_response(),
        Err(_) => Problem::internal().into_response(),
    }
}

/// The version.
#[utoipa::path(get, path = "/version", tag = "Health", security(()),
    responses((status = 200, description = "The version", body = Version)))]
pub(crate) async fn version() -> Response {
    json(&Version {
        name: "trailbook",
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// Measures, in the OpenMetrics text format. From this machine, or with the root key.
#[utoipa::path(get, path = "/metrics", tag = "Health",
    responses((status = 200, description = "OpenMetrics", body = String, content_type = "application/openmetrics-text")))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let text = app.measures.text().map_err(|_| Problem::internal())?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
