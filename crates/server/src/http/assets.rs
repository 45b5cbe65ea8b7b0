//! The page: the files of `web/dist`, inside the binary.
//!
//! A path without a file of its own gets the page when a browser navigates to it.
//!
//! Invariants
//! - Only names with a hash of the content are kept for ever by browsers; everything else is asked for again with its ETag.
//! - Texts are compressed once, when they are first asked for; the compressed bytes have an ETag of their own.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::Write as _,
    sync::{Arc, OnceLock},
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::{
    App,
    problem::{Code, Problem},
};

#[derive(RustEmbed)]
#[folder = "$TRAILBOOK_PAGE"]
struct Page;

const INDEX: &str = "index.html";
/// The page that other pages may frame.
const FRAMED: &str = "embed.html";
/// What pages of other origins may load: the viewer's element, and what it loads itself.
const SHARED: [&str; 2] = ["assets/", "embed/"];

/// What a page of ours may run and load; who may frame it follows.
const CONTENT: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors ";
/// Headers that keep a page from leaking anything, or being taken for something else.
const SECURITY: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
];

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The characters of a content hash in a name, such as `index-B2wnaNo1.css`.
const HASH_CHARACTERS: usize = 8;

/// The page's files by name.
pub(crate) struct Assets(HashMap<Cow<'static, str>, Asset>);

struct Asset {
    bytes: Bytes,
    /// Of the content, without quotes.
    tag: String,
    content_type: &'static str,
    caching: &'static str,
    /// Whether pages of other origins may load it.
    is_shared: bool,
    /// Compressed; `None` when that makes nothing smaller.
    gzip: OnceLock<Option<Bytes>>,
}

impl Assets {
    /// The files inside the binary.
    pub(crate) fn embedded() -> Self {
        let files = Page::iter().filter_map(|name| Page::get(&name).map(|file| (name, file)));
        let asset = |(name, file): (Cow<'static, str>, EmbeddedFile)| {
            let bytes = match file.data {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            };
            let asset = Asset::new(&name, bytes, file.metadata.sha256_hash());
            (name, asset)
        };
        Self(files.map(asset).collect())
    }

    /// A file that pages of other origins may load, by its name below `embed/`.
    pub(crate) fn element(&self, name: &str, headers: &HeaderMap) -> Option<Response> {
        let asset = self.0.get(&*format!("embed/{name}"))?;
        Some(asset.answer(headers))
    }

    /// The page that these origins may frame. Browsers keep none of it: who may frame it would stay as it was.
    pub(crate) fn framed(&self, origins: &[String]) -> Response {
        let page = self.0.get(FRAMED).or_else(|| self.0.get(INDEX));
        let Some(page) = page else {
            return Problem::not_found().into_response();
        };
        let own = [
            (header::CACHE_CONTROL, "no-store"),
            (header::CONTENT_TYPE, page.content_type),
        ];
        let none = ["'none'".to_owned()];
        let ancestors = if origins.is_empty() { &none } else { origins };
        guarded(
            (own, Body::from(page.bytes.clone())).into_response(),
            &ancestors.join(" "),
        )
    }
}

impl Asset {
    /// A file of a name, and the hash of what is in it.
    fn new(name: &str, bytes: Bytes, hash: [u8; 32]) -> Self {
        Self {
            bytes,
            tag: hash[..16].iter().map(|byte| format!("{byte:02x}")).collect(),
            content_type: content_type(name),
            caching: if has_hash(name) {
                "public, max-age=31536000, immutable"
            } else {
                "no-cache"
            },
            is_shared: SHARED.iter().any(|folder| name.starts_with(folder)),
            gzip: OnceLock::new(),
        }
    }

    fn is_text(&self) -> bool {
        self.content_type.starts_with("text/") || matches!(self.content_type, "image/svg+xml" | "application/json")
    }

    fn gzip(&self) -> Option<&Bytes> {
        self.gzip.get_or_init(|| compressed(&self.bytes)).as_ref()
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let gzip = (self.is_text() && accepts_gzip(headers)).then(|| self.gzip()).flatten();
        let etag = format!("\"{}{}\"", self.tag, if gzip.is_some() { "-gzip" } else { "" });
        let unchanged = listed(headers, &header::IF_NONE_MATCH).any(|tag| tag.trim_start_matches("W/") == etag);
        let own = [
            (header::ETAG, etag),
            (header::CACHE_CONTROL, self.caching.to_owned()),
            (header::CONTENT_TYPE, self.content_type.to_owned()),
        ];
        let mut response = if unchanged {
            (StatusCode::NOT_MODIFIED, own).into_response()
        } else {
            (own, Body::from(gzip.unwrap_or(&self.bytes).clone())).into_response()
        };
        if self.is_shared {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
        }
        if self.is_text() {
            let headers = response.headers_mut();
            headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
            if gzip.is_some() && !unchanged {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
        }
        secured(response)
    }
}

/// Answers every path that no route has.
pub(crate) async fn page(State(app): State<Arc<App>>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let name = if path.is_empty() { INDEX } else { path };
    let Assets(assets) = &app.assets;
    let found = assets.get(name).or_else(|| {
        let navigates = !path.starts_with("v1/") && !name.contains('.') && accepts_html(&headers);
        navigates.then(|| assets.get(INDEX)).flatten()
    });
    let Some(asset) = found else {
        return Problem::not_found().into_response();
    };
    if !matches!(method, Method::GET | Method::HEAD) {
        let problem = Problem::new(Code::MethodNotAllowed, "The page is read with GET.");
        return ([(header::ALLOW, "GET, HEAD")], problem).into_response();
    }
    asset.answer(&headers)
}

/// Adds the headers that every page of ours has which nobody may frame.
pub(crate) fn secured(response: Response) -> Response {
    let mut response = guarded(response, "'none'");
    let headers = response.headers_mut();
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

/// Adds the headers that every page of ours has, and those who may frame it.
fn guarded(mut response: Response, ancestors: &str) -> Response {
    let Ok(content) = HeaderValue::try_from(format!("{CONTENT}{ancestors}")) else {
        return Problem::internal().into_response();
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, content);
    for (name, value) in SECURITY {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| text.contains("text/html"))
}

/// Whether gzip is among the accepted encodings by name.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    listed(headers, &header::ACCEPT_ENCODING).any(|entry| {
        let (name, weight) = entry.split_once(';').unwrap_or((entry, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_some_and(|weight: f32| weight > 0.0)
    })
}

/// The entries of a header that is a list.
fn listed<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).into_iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(str::trim))
}

fn compressed(bytes: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).ok()?;
    let compressed = encoder.finish().ok()?;
    (compressed.len() < bytes.len()).then(|| compressed.into())
}

/// Whether a name carries a hash of the content, as the page's build writes them: `-` and eight characters before the
/// extension. A word has only lower-case letters (`inter-licences.txt`); a hash that has no others either, one of a thousand,
/// is merely asked for more often.
fn has_hash(name: &str) -> bool {
    let Some((stem, _)) = name.rsplit_once('.') else {
        return false;
    };
    let hash = stem
        .len()
        .checked_sub(HASH_CHARACTERS)
        .and_then(|start| stem.split_at_checked(start))
        .and_then(|(before, hash)| before.ends_with('-').then_some(hash));
    let is_hash = |hash: &str| {
        hash.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            && !hash.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    name.starts_with("assets/") && hash.is_some_and(is_hash)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_never_change() {
        for name in [
            "assets/index-B2wnaNo1.css",
            "assets/mark-_DwaEXhG.svg",
            "assets/a-b-Dx4-XJAl.js",
        ] {
            assert!(has_hash(name), "{name}");
        }
        for name in [
            "index.html",
            "index-B2wnaNo1.css",
            "assets/licenses.md",
            "assets/inter-license.txt",
            "assets/inter-licences.txt",
            "assets/B2wnaNo1.css",
            "assets/index-B2wnaNo1",
        ] {
            assert!(!has_hash(name), "{name}");
        }
    }

    fn built(files: &[(&'static str, &'static str)]) -> Assets {
        let asset = |(name, text): &(&'static str, &'static str)| {
            let asset = Asset::new(name, Bytes::from_static(text.as_bytes()), [text.len() as u8; 32]);
            (Cow::Borrowed(*name), asset)
        };
        Assets(files.iter().map(asset).collect())
    }

    #[test]
    fn pages_of_others_load_the_element_and_what_it_loads_and_no_page() {
        let assets = built(&[
            ("index.html", "page"),
            ("embed/trailbook-viewer.js", "element"),
            ("assets/inter-BG6zNeZk.woff2", "font"),
        ]);
        let shared = |response: &Response| {
            let headers = response.headers();
            let values = [header::ACCESS_CONTROL_ALLOW_ORIGIN, CROSS_ORIGIN_RESOURCE_POLICY];
            values.map(|name| headers.get(name).map(|value| value.as_bytes().to_owned()))
        };
        let everybody = [Some(b"*".to_vec()), Some(b"cross-origin".to_vec())];
        let element = assets.element("trailbook-viewer.js", &HeaderMap::new()).expect("built");
        assert_eq!(shared(&element), everybody);
        assert_eq!(element.headers()[header::CACHE_CONTROL], "no-cache");
        assert!(element.headers().contains_key(header::ETAG));
        let font = assets.0["assets/inter-BG6zNeZk.woff2"].answer(&HeaderMap::new());
        assert_eq!(shared(&font), everybody);
        assert_eq!(shared(&assets.0[INDEX].answer(&HeaderMap::new())), [None, None]);
        assert!(assets.element("acme", &HeaderMap::new()).is_none(), "an organization");
    }

    #[tokio::test]
    async fn the_page_to_be_framed_is_its_own_where_the_build_has_one() {
        let text = async |assets: Assets| {
            let body = assets.framed(&[]).into_body();
            axum::body::to_bytes(body, 100).await.expect("a body")
        };
        assert_eq!(text(built(&[("index.html", "page")])).await, "page");
        let both = built(&[("index.html", "page"), ("embed.html", "framed")]);
        assert_eq!(text(both).await, "framed");
    }

    #[test]
    fn gzip_is_sent_to_those_who_name_it() {
        let accepts = |value: &'static str| {
            accepts_gzip(&HeaderMap::from_iter([(
                header::ACCEPT_ENCODING,
                HeaderValue::from_static(value),
            )]))
        };
        assert!(accepts("gzip") && accepts("br, GZIP;q=0.5") && accepts("deflate , gzip; q=1.0, *;q=0"));
        assert!(!accepts("gzip;q=0") && !accepts("br, identity") && !accepts("") && !accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn what_does_not_shrink_is_not_compressed() {
        assert_eq!(compressed(b"{}"), None);
        assert!(compressed(&[b'a'; 1000]).is_some_and(|bytes| bytes.len() < 100));
    }
}
