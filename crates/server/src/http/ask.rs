//! What every handler under an organization begins with: the caller, the ledger asked for, and the query string.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use trailbook_ledger::{Head, OrganizationKey};

use super::{
    App,
    access::Access,
    parameters::{Accepts, Parameters},
    problem::Problem,
};

/// A request under `/v1/organizations/{organization}` of an organization that exists.
pub(crate) struct Ask {
    pub(crate) app: Arc<App>,
    /// Whose ledger.
    pub(crate) organization: OrganizationKey,
    /// The ledger's head when the request came.
    pub(crate) head: Head,
    path: Vec<(String, String)>,
    query: Option<String>,
}

impl FromRequestParts<Arc<App>> for Ask {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let access = parts.extensions.get::<Access>().ok_or_else(Problem::internal)?;
        let project = access.project.clone();
        let found = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|_| Problem::not_found())?;
        let path: Vec<(String, String)> = found
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let name = path
            .iter()
            .find(|(name, _)| name == "organization")
            .ok_or_else(Problem::internal)?;
        let organization = OrganizationKey::new(project, name.1.as_str());
        let head = app.ledger.head(&organization).ok_or_else(Problem::not_found)?;
        let query = parts.uri.query().map(ToOwned::to_owned);
        Ok(Self {
            app: app.clone(),
            organization,
            head,
            path,
            query,
        })
    }
}

impl Ask {
    /// A parameter of the path.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.path
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value)
    }

    /// The query string, held against what the endpoint accepts.
    pub(crate) fn parameters(&self, accepts: &Accepts) -> Result<Parameters, Problem> {
        Parameters::read(self.query.as_deref(), accepts)
    }
}

/// A JSON answer that no cache keeps.
pub(crate) fn json<T: Serialize>(answer: &T) -> Response {
    match serde_json::to_vec(answer) {
        Ok(bytes) => bytes_of_json(StatusCode::OK, bytes),
        Err(_) => Problem::internal().into_response(),
    }
}

/// A JSON answer whose bytes were written by hand.
pub(crate) fn bytes_of_json(status: StatusCode, bytes: Vec<u8>) -> Response {
    (
        status,
        [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "no-store"),
        ],
        bytes,
    )
        .into_response()
}
