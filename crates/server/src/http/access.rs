//! Who may do what: deny by default.
//!
//! Invariant: every path needs a credential unless [`is_public`] names it.
//!
//! Not here: the root key's text (`root_key`), scopes and viewer tokens (they come with their own credentials).

use std::{net::SocketAddr, sync::Arc};

use axum::http::{HeaderMap, header};

use super::{
    App,
    body::single,
    problem::{Code, Problem},
};
use crate::root_key::hash;

/// The project that exists from the first start.
pub(crate) const DEFAULT_PROJECT: &str = "default";

/// Which project a request without a key of its own means.
const PROJECT_HEADER: header::HeaderName = header::HeaderName::from_static("trailbook-project");

/// Who asks, and for which project.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    /// The project that all names of the request belong to.
    pub(crate) project: Arc<str>,
    /// SHA-256 of the credential: idempotency keys belong to it.
    pub(crate) credential: [u8; 32],
}

/// Whether a path may be seen without a credential: health, the description of the API and the page's own files.
/// Everything under `/v1/` needs one, known or not.
pub(crate) fn is_public(path: &str) -> bool {
    const PRIVATE: [&str; 3] = ["/v1", "/otlp", "/metrics"];
    !PRIVATE.iter().any(|root| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The caller of a request that needs a credential.
pub(crate) fn check(app: &App, headers: &HeaderMap) -> Result<Access, Problem> {
    let credential = bearer(headers)
        .map(hash)
        .filter(|credential| app.root_key.is(credential));
    let Some(credential) = credential else {
        return Err(Problem::new(
            Code::Unauthorized,
            "Send the header Authorization: Bearer KEY with a valid key.",
        ));
    };
    Ok(Access {
        project: project(app, headers)?,
        credential,
    })
}

/// Metrics are for the operator: from this machine, or with the root key.
pub(crate) fn check_metrics(app: &App, headers: &HeaderMap, peer: SocketAddr) -> Result<(), Problem> {
    if peer.ip().to_canonical().is_loopback() {
        Ok(())
    } else {
        check(app, headers).map(|_| ())
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, more) = (values.next()?, values.next());
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    (more.is_none() && scheme.eq_ignore_ascii_case("bearer")).then_some(key.trim())
}

fn project(app: &App, headers: &HeaderMap) -> Result<Arc<str>, Problem> {
    match single(headers, &PROJECT_HEADER)? {
        None => Ok(app.default_project.clone()),
        Some(name) if *name == *app.default_project => Ok(app.default_project.clone()),
        Some(_) => Err(Problem::not_found()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_the_api_are_private_however_they_are_spelt() {
        for path in [
            "/v1",
            "/v1/",
            "/v1/events",
            "/v1/nothing/here",
            "/otlp/v1/logs",
            "/metrics",
        ] {
            assert!(!is_public(path), "{path}");
        }
        for path in ["/", "/healthz", "/v1x", "/assets/index.js", "/metricsx"] {
            assert!(is_public(path), "{path}");
        }
    }

    #[test]
    fn only_one_bearer_credential_counts() {
        let mut headers = HeaderMap::new();
        assert_eq!(bearer(&headers), None);
        headers.append(header::AUTHORIZATION, "bearer key".parse().expect("visible"));
        assert_eq!(bearer(&headers), Some("key"));
        headers.append(header::AUTHORIZATION, "Bearer key".parse().expect("visible"));
        assert_eq!(bearer(&headers), None);
    }
}
