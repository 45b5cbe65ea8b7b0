//! Versions of what is set: `ETag` of answers, `If-Match` of requests (RFC 9110, 8.8.3 and 13.1.1).

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

use super::{
    body::single,
    problem::{Code, Problem},
};

/// The tag of a version; what was never set has one as well.
pub(crate) fn of(version: Option<u64>) -> String {
    format!("\"{}\"", version.unwrap_or(0))
}

/// The answer with its tag.
pub(crate) fn tagged(mut response: Response, tag: String) -> Response {
    if let Ok(value) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// Refuses a request that names another version than the one there is.
pub(crate) fn check(headers: &HeaderMap, tag: String) -> Result<(), Problem> {
    let Some(wanted) = single(headers, &header::IF_MATCH)? else {
        return Ok(());
    };
    if wanted.trim() == "*" || wanted.split(',').any(|one| one.trim() == tag) {
        return Ok(());
    }
    Err(Problem::new(
        Code::PreconditionFailed,
        format!("It is at version {tag} now; read it again and decide anew."),
    ))
}
