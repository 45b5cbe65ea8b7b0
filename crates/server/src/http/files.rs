//! Files of a result, streamed: CSV, JSON lines, Parquet.
//!
//! Invariants
//! - Memory stays flat whatever the size of the result: chunks are made a few at a time, when the reader takes those before.
//! - A file that could not be finished ends without its last chunk, so that no reader takes it for whole.
//!
//! Not here: the formats (`trailbook_deliver`), files that prove themselves (`evidence`).

use std::{io, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use jiff::tz::TimeZone;
use trailbook_access::{
    Caller, Policy,
    policy::zone,
    records::{ExportFormat, ExportRequest},
};
use trailbook_deliver::{
    self as deliver,
    csv::{Column, Csv},
    json::Envelope,
    jsonl,
};
use trailbook_event::Filter;
use trailbook_import::Output;
use trailbook_ledger::{OrganizationKey, Row};
use trailbook_query::{Order, Question, Range, Rows};

use super::{
    App,
    answers::Warning,
    ask::{Ask, Exporting},
    evidence::written,
    mappings,
    parameters::{Accepts, COLUMNS, FILE_ZONE, FROM, LABELS, PAYLOADS, Parameters, SCOPE},
    problem::{Document, Problem},
    reads::envelope,
    words::Words,
};

/// What a CSV file accepts.
pub(crate) const CSV: Accepts = Accepts {
    filters: true,
    own: &[&SCOPE, &COLUMNS, &LABELS, &FILE_ZONE],
};
/// What a file of JSON lines accepts.
pub(crate) const JSONL: Accepts = Accepts {
    filters: true,
    own: &[&SCOPE, &PAYLOADS],
};

/// What a Parquet file accepts.
pub(crate) const PARQUET: Accepts = Accepts {
    filters: true,
    own: &[&SCOPE, &COLUMNS],
};

/// What the reader of a file should know: a code, a colon, a sentence.
const WARNING: HeaderName = HeaderName::from_static("trailbook-warning");

/// Chunks of a file that are made side by side.
const CHUNKS_AT_ONCE: usize = 2;

/// What a file is sent in.
pub(crate) type Chunk = Result<Bytes, io::Error>;

/// The leave to take a file, which may be withdrawn while it is written.
pub(crate) struct Leave {
    app: Arc<App>,
    caller: Caller,
    organization: OrganizationKey,
}

impl Leave {
    /// An error when the credential does not stand any more, or its role does not suffice.
    pub(crate) fn check(&self) -> Result<(), io::Error> {
        let directory = &self.app.directory;
        let rights = self.caller.rights(&self.organization, directory);
        if self.caller.stands(directory) && rights.is_ok_and(|rights| rights.export) {
            Ok(())
        } else {
            Err(io::Error::from(io::ErrorKind::PermissionDenied))
        }
    }
}

impl Ask {
    /// The leave of whom the request is from.
    pub(crate) fn leave(&self) -> Leave {
        Leave {
            app: self.app.clone(),
            caller: self.caller.clone(),
            organization: self.organization.clone(),
        }
    }
}

/// Events as CSV, newest first.
#[utoipa::path(get, path = "/v1/organizations/{organization}/events.csv", tag = "Export",
    responses((status = 200, description = "The file", body = String, content_type = "text/csv",
        headers(("Trailbook-Warning" = String, description = "When the range reaches behind the retention: a code, a colon, a sentence"))),
        (status = 400, description = "A bad parameter", body = Document<'static>)))]
pub(crate) async fn csv(Exporting(ask): Exporting) -> Result<Response, Problem> {
    let parameters = ask.parameters(&CSV)?;
    let zone = parameters.zone(&FILE_ZONE)?;
    let labels = parameters.text(&LABELS) == Some("true");
    let (columns, names) = ask.columns(parameters.text(&COLUMNS), labels)?;
    let lines = Lines::Csv { columns, names, zone };
    lined(&ask, &parameters, lines, (deliver::csv::CONTENT_TYPE, "csv"))
}

/// Events as JSON lines, newest first.
#[utoipa::path(get, path = "/v1/organizations/{organization}/events.jsonl", tag = "Export",
    responses((status = 200, description = "The file", body = String, content_type = "application/x-ndjson",
        headers(("Trailbook-Warning" = String, description = "When the range reaches behind the retention: a code, a colon, a sentence")))))]
pub(crate) async fn jsonl(Exporting(ask): Exporting) -> Result<Response, Problem> {
    let parameters = ask.parameters(&JSONL)?;
    let lines = Lines::Json(mappings::output(&ask, &parameters)?);
    lined(&ask, &parameters, lines, (jsonl::CONTENT_TYPE, "jsonl"))
}

/// Events as a Parquet file, newest first. With columns, it has exactly those, as texts.
#[utoipa::path(get, path = "/v1/organizations/{organization}/events.parquet", tag = "Export",
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "application/vnd.apache.parquet",
        headers(("Trailbook-Warning" = String, description = "When the range reaches behind the retention: a code, a colon, a sentence"))),
        (status = 400, description = "A bad parameter", body = Document<'static>)))]
pub(crate) async fn parquet(Exporting(ask): Exporting) -> Result<Response, Problem> {
    let parameters = ask.parameters(&PARQUET)?;
    let named = parameters.text(&COLUMNS);
    let columns = named.map(|named| ask.columns(Some(named), false)).transpose()?;
    let columns = columns.map(|(columns, _)| columns);
    let (rows, warning) = rows(&ask, &parameters)?;
    let (organization, kept_ms) = (ask.organization.clone(), ask.kept_ms());
    let chunks = written(ask.leave(), move |out| {
        let mut writer = deliver::parquet::Writer::new(out, columns)?;
        for row in rows {
            let row = row.map_err(io::Error::other)?;
            writer.push(&row, &envelope(&organization, kept_ms))?;
        }
        Ok(io::Write::flush(&mut writer.finish()?)?)
    });
    file(
        &ask,
        (deliver::parquet::CONTENT_TYPE, "parquet"),
        &parameters,
        warning,
        chunks,
    )
}

/// How rows become the lines of a file.
pub(crate) enum Lines {
    /// RFC 4180.
    Csv {
        columns: Vec<Column>,
        names: Vec<String>,
        zone: Option<TimeZone>,
    },
    /// An event a line, perhaps as a mapping makes it.
    Json(Option<Arc<Output>>),
}

impl Lines {
    /// The lines of an export on request.
    ///
    /// # Errors
    /// Why what was asked for is not there any more.
    pub(crate) fn of_export(
        app: &App,
        organization: &OrganizationKey,
        policy: &Policy,
        request: &ExportRequest,
    ) -> Result<Self, String> {
        if request.format == ExportFormat::Jsonl {
            let output = request
                .mapping
                .as_deref()
                .map(|name| mappings::named(app, organization.project(), name));
            return Ok(Self::Json(output.transpose()?));
        }
        let named: Option<Vec<&str>> = request
            .columns
            .as_ref()
            .map(|ids| ids.iter().map(String::as_str).collect());
        let words = Words {
            app,
            organization,
            policy,
        };
        let columns = words.columns(named.as_deref(), request.labels);
        let (columns, names) = columns.map_err(|error| error.to_string())?;
        let zone = request
            .time_zone
            .as_deref()
            .map(|name| zone(name).ok_or_else(|| unknown_zone(name)));
        Ok(Self::Csv {
            columns,
            names,
            zone: zone.transpose()?,
        })
    }

    /// The columns of an export on request that is no text; `None` are all.
    ///
    /// # Errors
    /// There is no such column.
    pub(crate) fn columns_of_export(
        app: &App,
        organization: &OrganizationKey,
        policy: &Policy,
        request: &ExportRequest,
    ) -> Result<Option<Vec<Column>>, String> {
        match (&request.columns, Self::of_export(app, organization, policy, request)?) {
            (Some(_), Self::Csv { columns, .. }) => Ok(Some(columns)),
            _ => Ok(None),
        }
    }

    /// What comes before all rows.
    pub(crate) fn first(&self) -> Result<Vec<u8>, deliver::Error> {
        match self {
            Self::Csv { names, .. } => {
                let mut header = Csv::new(Vec::new(), None);
                header.header(names)?;
                header.take()
            }
            Self::Json(_) => Ok(Vec::new()),
        }
    }

    /// The lines of some rows.
    pub(crate) fn chunk(&self, rows: &[Arc<Row>], envelope: &Envelope<'_>) -> Result<Vec<u8>, deliver::Error> {
        match self {
            Self::Csv { columns, zone, .. } => {
                let mut csv = Csv::new(columns.clone(), zone.clone());
                rows.iter().try_for_each(|row| csv.row(row, envelope))?;
                csv.take()
            }
            Self::Json(output) => {
                let mut chunk = Vec::new();
                for row in rows {
                    match output {
                        None => jsonl::write_line(row, envelope, &mut chunk),
                        Some(output) => {
                            let written = mappings::write(row, envelope, Some(output), &mut chunk);
                            written.map_err(io::Error::other)?;
                            chunk.push(b'\n');
                        }
                    }
                }
                Ok(chunk)
            }
        }
    }
}

fn unknown_zone(name: &str) -> String {
    format!("There is no time zone {name}.")
}

/// A file of lines.
fn lined(ask: &Ask, parameters: &Parameters, lines: Lines, kind: (&'static str, &str)) -> Result<Response, Problem> {
    let (rows, warning) = rows(ask, parameters)?;
    let (organization, kept_ms) = (ask.organization.clone(), ask.kept_ms());
    let first = lines.first()?;
    let chunks = made_of(ask.leave(), rows, first, move |rows| {
        lines.chunk(rows, &envelope(&organization, kept_ms)).map_err(failed)
    });
    file(ask, kind, parameters, warning, chunks)
}

fn rows(ask: &Ask, parameters: &Parameters) -> Result<(Rows, Option<Warning>), Problem> {
    let question = question(ask, parameters)?;
    let rows = ask.view()?.rows(&question, Order::Descending);
    Ok((rows, warning(ask, parameters, &question)?))
}

/// What a file is about. All that is retained is no range that a policy limits.
pub(crate) fn question(ask: &Ask, parameters: &Parameters) -> Result<Question, Problem> {
    if !is_of_all(parameters) {
        return ask.question(parameters);
    }
    match parameters.narrowing() {
        None => Ok(Question {
            filter: Filter::all(),
            range: Range::default(),
        }),
        Some(name) => Err(Problem::parameter(
            name,
            "scope=all takes everything that is retained; leave this out, or ask for scope=filtered.",
        )),
    }
}

/// Who asks for what is retained knows that the rest is not.
pub(crate) fn warning(ask: &Ask, parameters: &Parameters, question: &Question) -> Result<Option<Warning>, Problem> {
    if is_of_all(parameters) {
        return Ok(None);
    }
    ask.warning(parameters.time(&FROM), question.range)
}

fn is_of_all(parameters: &Parameters) -> bool {
    parameters.text(&SCOPE) == Some("all")
}

/// `first`, and a chunk of each batch of rows. A few are made side by side when the reader asks for the next one, and stay in order.
fn made_of<M>(leave: Leave, rows: Rows, first: Vec<u8>, make: M) -> impl stream::Stream<Item = Chunk> + Send + 'static
where
    M: Fn(&[Arc<Row>]) -> Result<Vec<u8>, io::Error> + Send + Sync + 'static,
{
    let make = Arc::new(make);
    let batches = stream::unfold((rows, leave), |(mut rows, leave)| async {
        if let Err(withdrawn) = leave.check() {
            return Some((Err(withdrawn), (rows, leave)));
        }
        let batch = tokio::task::block_in_place(|| rows.next_batch()).map_err(failed);
        Some((batch.transpose()?, (rows, leave)))
    });
    let made = batches.map(move |batch| {
        let make = Arc::clone(&make);
        async move {
            let batch = batch?;
            let made = tokio::task::spawn_blocking(move || make(&batch.read().map_err(failed)?));
            made.await.map_err(failed)?.map(Bytes::from)
        }
    });
    stream::iter([Ok(Bytes::from(first))]).chain(made.buffered(CHUNKS_AT_ONCE))
}

/// The answer with a file in chunks. That it was taken is recorded.
pub(crate) fn file(
    ask: &Ask,
    (kind, extension): (&'static str, &str),
    parameters: &Parameters,
    warning: Option<Warning>,
    chunks: impl stream::Stream<Item = Chunk> + Send + 'static,
) -> Result<Response, Problem> {
    let scope = parameters.text(&SCOPE).unwrap_or("filtered");
    ask.record("trailbook.export.downloaded", |act| {
        act.with("format", extension).with("scope", scope)
    });
    let name: String = ask
        .organization
        .organization()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}-events.{extension}\""),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    let mut response = (headers, Body::from_stream(chunks)).into_response();
    if let Some(Warning { code, detail }) = warning {
        let said = HeaderValue::try_from(format!("{code}: {detail}")).map_err(|_| Problem::internal())?;
        response.headers_mut().insert(WARNING, said);
    }
    Ok(response)
}

/// What the reader of a file is told when it breaks off; the log has why.
pub(crate) fn failed(error: impl std::fmt::Display) -> io::Error {
    tracing::error!(%error, "a file could not be finished");
    io::Error::other("the file could not be finished")
}

impl From<deliver::Error> for Problem {
    fn from(error: deliver::Error) -> Self {
        tracing::error!(%error, "a file could not be begun");
        Self::internal()
    }
}
