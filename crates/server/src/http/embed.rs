//! The viewer in pages of others: the page that they frame, and their scripts' leave to read what we answer (CORS).
//!
//! Invariants
//! - Only origins in the organization's `embed_origins` frame the page or read answers about the organization.
//! - Leave is an origin's and never a cookie's: scripts of others prove who they are with a header, or not at all.
//! - A preflight tells nobody anything whose origin is not listed.
//!
//! Not here: which origins are listed (`trailbook_access`), the build's own files (`assets`).

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{RawPathParams, RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use trailbook_access::DEFAULT_PROJECT;
use trailbook_ledger::OrganizationKey;

use super::{App, body::single, parameters};

/// What scripts of others may send, and for how long browsers remember it.
const LEAVE: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, DELETE"),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "Authorization, Content-Type, Trailbook-Project, Last-Event-ID, If-Match",
    ),
    (header::ACCESS_CONTROL_MAX_AGE, "600"),
];
/// What scripts of others may read of an answer's header, beside what every script may.
const READABLE: &str = "Retry-After, Trailbook-Warning, Content-Disposition";

/// The viewer of an organization, for other pages to frame. Which ones may is the policy's `embed_origins`.
#[utoipa::path(get, path = "/embed/{organization}", tag = "Viewer", security(()),
    params(("project" = Option<String>, Query, description = "The organization's project; `default` without it")),
    responses((status = 200, description = "The page, whether or not there is such an organization", body = String, content_type = "text/html")))]
pub(crate) async fn page(
    State(app): State<Arc<App>>,
    path: RawPathParams,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let name = path.iter().next().map_or("", |(_, name)| name);
    if let Some(element) = app.assets.element(name, &headers) {
        return element;
    }
    // The rest of the query is the page's own business.
    let query = query.unwrap_or_default();
    let project = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "project");
    let project = project.map_or_else(|| DEFAULT_PROJECT.into(), |(_, project)| project);
    let organization = OrganizationKey::new(&*project, name);
    app.assets.framed(&app.directory.embed_origins(&organization))
}

/// A request about an organization, as far as pages of other origins are concerned.
pub(crate) struct Crossing {
    organization: String,
    /// Whose page's script asks, when the browser says so.
    origin: Option<String>,
    /// Whether a browser asks for leave to ask.
    is_preflight: bool,
}

impl Crossing {
    /// The request, when it is about something of an organization.
    pub(crate) fn of(request: &Request<Body>) -> Option<Self> {
        let below = request.uri().path().strip_prefix("/v1/organizations/")?;
        let (organization, _) = below.split_once('/')?;
        let headers = request.headers();
        Some(Self {
            organization: parameters::decode(organization).ok()?,
            origin: single(headers, &header::ORIGIN).ok()?.map(ToOwned::to_owned),
            is_preflight: request.method() == Method::OPTIONS
                && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD),
        })
    }

    /// The answer to a preflight from an origin that is listed. It names no project: one that lists the origin is enough, the request
    /// itself is judged by its own.
    pub(crate) fn leave(&self, app: &App) -> Option<Response> {
        if !self.is_preflight || !self.is_listed(app, None) {
            return None;
        }
        Some((StatusCode::NO_CONTENT, LEAVE).into_response())
    }

    /// Lets the page that asked read the answer, when it may. `project` is that of the caller; of who has not proved who they are, which
    /// may have expired, the page reads only that.
    pub(crate) fn share(&self, app: &App, project: Option<&str>, response: &mut Response) {
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let listed = self.origin.as_ref().filter(|_| self.is_listed(app, project));
        if let Some(origin) = listed.and_then(|origin| HeaderValue::try_from(origin).ok()) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static(READABLE),
            );
        }
    }

    fn is_listed(&self, app: &App, project: Option<&str>) -> bool {
        let origin = self.origin.as_deref();
        origin.is_some_and(|origin| app.directory.may_embed(origin, project, &self.organization))
    }
}
