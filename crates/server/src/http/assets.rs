//! The page: the files of `web/dist`, inside the binary.
//!
//! A path without a file of its own gets the page when a browser navigates to it. Names with a hash never change their
//! bytes and are kept for ever by browsers; everything else is asked for again with its ETag.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::problem::{Code, Problem};

#[derive(RustEmbed)]
#[folder = "$TRAILBOOK_PAGE"]
struct Page;

const INDEX: &str = "index.html";

/// Headers that keep a page from running, embedding or leaking anything that is not ours.
const SECURITY: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// Answers every path that no route has.
pub(crate) async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let name = if path.is_empty() { INDEX } else { path };
    let found = Page::get(name).map(|file| (name, file)).or_else(|| {
        let navigates = !path.starts_with("v1/") && !name.contains('.') && accepts_html(&headers);
        navigates.then(|| Page::get(INDEX)).flatten().map(|file| (INDEX, file))
    });
    let Some((name, file)) = found else {
        return Problem::not_found().into_response();
    };
    if !matches!(method, Method::GET | Method::HEAD) {
        let problem = Problem::new(Code::MethodNotAllowed, "The page is read with GET.");
        return ([(header::ALLOW, "GET, HEAD")], problem).into_response();
    }
    answer(name, &file, &headers)
}

/// Adds the headers that every page of ours has.
pub(crate) fn secured(mut response: Response) -> Response {
    for (name, value) in SECURITY {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| text.contains("text/html"))
}

fn answer(name: &str, file: &EmbeddedFile, headers: &HeaderMap) -> Response {
    let etag: String = file.metadata.sha256_hash()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let etag = format!("\"{etag}\"");
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let unchanged = known
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim().trim_start_matches("W/") == etag);
    let caching = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let body = if unchanged {
        Body::empty()
    } else {
        Body::from(file.data.to_vec())
    };
    let status = if unchanged {
        StatusCode::NOT_MODIFIED
    } else {
        StatusCode::OK
    };
    let headers = [
        (header::ETAG, etag),
        (header::CACHE_CONTROL, caching.to_owned()),
        (header::CONTENT_TYPE, content_type(name).to_owned()),
    ];
    secured((status, headers, body).into_response())
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "md" | "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
