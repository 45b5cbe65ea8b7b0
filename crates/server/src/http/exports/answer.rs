//! What answers say of exports, and the file itself.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use object_store::{ObjectStoreExt as _, path::Path};
use serde::Serialize;
use trailbook_access::records::{Export, ExportFormat, ExportState};
use trailbook_event::Timestamp;
use utoipa::ToSchema;

use super::{gone, link::link};
use crate::http::{
    App,
    answers::Time,
    body::single,
    files::failed,
    problem::{Code, Problem},
};

/// One's exports, the newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Exports {
    pub(super) exports: Vec<ExportShown>,
}

/// A file on request.
#[derive(Serialize, ToSchema)]
#[schema(as = Export)]
pub(crate) struct ExportShown {
    /// `exp_…`.
    id: String,
    state: ExportState,
    format: ExportFormat,
    /// `all` or `filtered`.
    scope: &'static str,
    #[schema(required, value_type = Option<String>)]
    from: Option<Time>,
    #[schema(required, value_type = Option<String>)]
    to: Option<Time>,
    filter: String,
    #[schema(required)]
    columns: Option<Vec<String>>,
    #[schema(required)]
    time_zone: Option<String>,
    labels: bool,
    #[schema(required)]
    mapping: Option<String>,
    /// Whether it is sent to its owner's address.
    email: bool,
    /// Whether it was.
    mailed: bool,
    /// 0 to 1.
    progress: f64,
    rows: u64,
    bytes: u64,
    #[schema(value_type = String)]
    created_at: Time,
    #[schema(required, value_type = Option<String>)]
    finished_at: Option<Time>,
    /// When the file is deleted.
    #[schema(required, value_type = Option<String>)]
    expires_at: Option<Time>,
    /// Where the file is, without any other credential, until it expires; a path when the server does not know its own address.
    #[schema(required)]
    download_url: Option<String>,
    /// Why it failed.
    #[schema(required)]
    error: Option<String>,
    requested_by: Requester,
    warnings: Vec<ExportWarning>,
}

/// Who asked.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportRequester)]
pub(crate) struct Requester {
    id: String,
    #[schema(required)]
    name: Option<String>,
}

/// What the owner should know.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportWarning {
    code: String,
    detail: String,
}

/// An export, as answers show it.
pub(super) fn shown(app: &App, export: &Export) -> ExportShown {
    let time = |millis: i64| Time(Timestamp::from_millis(millis));
    let (request, made) = (&export.request, &export.made);
    ExportShown {
        id: export.id.clone(),
        state: export.state,
        format: request.format,
        scope: if request.all { "all" } else { "filtered" },
        from: request.from.map(time),
        to: request.to.map(time),
        filter: request.filter.clone(),
        columns: request.columns.clone(),
        time_zone: request.time_zone.clone(),
        labels: request.labels,
        mapping: request.mapping.clone(),
        email: export.email.is_some(),
        mailed: made.mailed,
        progress: progress(export),
        rows: made.rows,
        bytes: export.bytes(),
        created_at: time(export.created_at),
        finished_at: export.finished_at.map(time),
        expires_at: export.expires_at().map(time),
        download_url: link(app, export).filter(|_| export.state == ExportState::Ready),
        error: export.error.clone(),
        requested_by: Requester {
            id: export.owner.id.clone(),
            name: export.owner_name.clone(),
        },
        warnings: export
            .warning
            .iter()
            .map(|(code, detail)| ExportWarning {
                code: code.clone(),
                detail: detail.clone(),
            })
            .collect(),
    }
}

fn progress(export: &Export) -> f64 {
    match (export.state, export.made.rows_in_all) {
        (ExportState::Ready | ExportState::Expired, _) => 1.0,
        (_, 0) => 0.0,
        (_, all) => (export.made.rows as f64 / all as f64).min(1.0),
    }
}

/// The file of an export, or the range of it that the headers ask for.
pub(super) fn file(app: &Arc<App>, export: &Export, headers: &HeaderMap) -> Result<Response, Problem> {
    match export.state {
        ExportState::Ready => {}
        ExportState::Expired => return Err(gone()),
        ExportState::Failed => {
            let reason = export.error.clone().unwrap_or_default();
            return Err(Problem::new(Code::NotReady, format!("The export failed: {reason}")));
        }
        ExportState::Queued | ExportState::Running => {
            return Err(Problem::new(Code::NotReady, "The export is not ready yet.").retry_after(1));
        }
    }
    let length = export.bytes();
    let range = single(headers, &header::RANGE)?.and_then(|text| range(text, length));
    let (status, begin, end) = match range {
        None => (StatusCode::OK, 0, length),
        Some(Some((begin, end))) => (StatusCode::PARTIAL_CONTENT, begin, end),
        Some(None) => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, range).into_response());
        }
    };
    let body = Body::from_stream(bytes(app.clone(), export, begin, end));
    let mut response = (status, named(export), body).into_response();
    let set = |response: &mut Response, name, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(&mut response, header::CONTENT_LENGTH, (end - begin).to_string());
    if status == StatusCode::PARTIAL_CONTENT {
        set(
            &mut response,
            header::CONTENT_RANGE,
            format!("bytes {begin}-{}/{length}", end - 1),
        );
    }
    Ok(response)
}

/// The headers that name a file and say how to treat it.
fn named(export: &Export) -> [(header::HeaderName, String); 5] {
    let (kind, _) = kind(export.request.format);
    [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}\"", file_name(export)),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
    ]
}

/// A file's media type and how its name ends.
pub(crate) fn kind(format: ExportFormat) -> (&'static str, &'static str) {
    use trailbook_deliver as deliver;
    match format {
        ExportFormat::Csv => (deliver::csv::CONTENT_TYPE, "csv"),
        ExportFormat::Jsonl => (deliver::jsonl::CONTENT_TYPE, "jsonl"),
        ExportFormat::Parquet => (deliver::parquet::CONTENT_TYPE, "parquet"),
        ExportFormat::Evidence => (deliver::evidence::CONTENT_TYPE, "evidence.zip"),
    }
}

/// The name under which a file is saved.
pub(crate) fn file_name(export: &Export) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let organization: String = export.organization.chars().map(plain).collect();
    format!("{organization}-events.{}", kind(export.request.format).1)
}

/// The range of one `bytes=` header: `None` when it is none that is served, `Some(None)` when the file does not reach there.
fn range(text: &str, length: u64) -> Option<Option<(u64, u64)>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    if last.contains(',') {
        return None;
    }
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(length)),
        (Ok(first), Err(_)) if last.is_empty() => (first, length),
        (Err(_), Ok(count)) if first.is_empty() => (length.saturating_sub(count), length),
        _ => return None,
    };
    Some((range.0 < range.1).then_some(range))
}

/// The bytes of a file from `begin` to `end`, part by part.
fn bytes(
    app: Arc<App>,
    export: &Export,
    begin: u64,
    end: u64,
) -> impl stream::Stream<Item = Result<bytes::Bytes, std::io::Error>> + Send + 'static {
    let mut offset = 0;
    let mut wanted = Vec::new();
    for (number, length) in export.made.parts.iter().enumerate() {
        let (first, last) = (begin.max(offset), end.min(offset + length));
        if first < last {
            wanted.push((Path::from(export.part(number)), first - offset..last - offset));
        }
        offset += length;
    }
    stream::iter(wanted)
        .then(move |(name, range)| {
            let objects = app.exports.objects.clone();
            async move { objects.get_range(&name, range).await.map_err(failed) }
        })
        .into_stream()
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn ranges_are_those_of_the_standard_and_others_are_no_ranges() {
        assert_eq!(range("bytes=0-9", 100), Some(Some((0, 10))));
        assert_eq!(range("bytes=90-", 100), Some(Some((90, 100))));
        assert_eq!(range("bytes=-5", 100), Some(Some((95, 100))));
        assert_eq!(range("bytes=-500", 100), Some(Some((0, 100))));
        assert_eq!(range("bytes=50-5000", 100), Some(Some((50, 100))));
        assert_eq!(range("bytes=100-", 100), Some(None));
        for none in [
            "bytes=5-4",
            "bytes=",
            "bytes=a-b",
            "items=0-9",
            "bytes=0-1,5-6",
            "bytes=-",
        ] {
            assert_eq!(range(none, 100), None, "{none}");
        }
    }
}
