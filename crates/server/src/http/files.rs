//! Files of a result, streamed: CSV, JSON lines, and evidence that can be checked offline.
//!
//! Invariants
//! - Memory stays flat whatever the size of the result: chunks are made a few at a time, when the reader takes those before.
//! - A file that could not be finished ends without its last chunk, so that no reader takes it for whole.
//!
//! Not here: the formats (`trailbook_deliver`).

use std::{io, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use tokio::sync::mpsc;
use trailbook_access::Caller;
use trailbook_deliver::{
    self as deliver,
    csv::Csv,
    evidence::{self, About},
    jsonl,
};
use trailbook_event::{Event, Filter, filter::Record};
use trailbook_ledger::{Ledger, OrganizationKey, Row, SignedCheckpoint};
use trailbook_merkle::RangeProof;
use trailbook_query::{Order, Question, Range, Rows};

use super::{
    App,
    answers::Warning,
    ask::{Ask, Exporting},
    mappings,
    parameters::{Accepts, COLUMNS, FILE_ZONE, FROM, LABELS, PAYLOADS, Parameters, SCOPE},
    problem::{Document, Problem},
    reads::envelope,
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
/// What evidence accepts.
pub(crate) const EVIDENCE: Accepts = Accepts {
    filters: true,
    own: &[&SCOPE],
};

/// What the reader of a file should know: a code, a colon, a sentence.
const WARNING: HeaderName = HeaderName::from_static("trailbook-warning");

/// Bytes of a chunk of evidence, about.
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks of a file that are made side by side.
const CHUNKS_AT_ONCE: usize = 2;
/// Rows taken from the ledger at a time.
const BATCH_ROWS: usize = 4_096;
/// Chunks of evidence that wait for their reader.
const CHUNKS_WAITING: usize = 4;

type Chunk = Result<Bytes, io::Error>;

/// The leave to take a file, which may be withdrawn while it is written.
struct Leave {
    app: Arc<App>,
    caller: Caller,
    organization: OrganizationKey,
}

impl Leave {
    /// An error when the credential does not stand any more, or its role does not suffice.
    fn check(&self) -> Result<(), io::Error> {
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
    fn leave(&self) -> Leave {
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
    let mut header = Csv::new(Vec::new(), None);
    header.header(&names)?;
    let (rows, warning) = rows(&ask, &parameters)?;
    let (organization, kept_ms) = (ask.organization.clone(), ask.kept_ms());
    let chunks = made_of(ask.leave(), rows, header.take()?, move |rows| {
        let mut csv = Csv::new(columns.clone(), zone.clone());
        for row in rows {
            csv.row(row, &envelope(&organization, kept_ms)).map_err(failed)?;
        }
        csv.take().map_err(failed)
    });
    file(&ask, (deliver::csv::CONTENT_TYPE, "csv"), &parameters, warning, chunks)
}

/// Events as JSON lines, newest first.
#[utoipa::path(get, path = "/v1/organizations/{organization}/events.jsonl", tag = "Export",
    responses((status = 200, description = "The file", body = String, content_type = "application/x-ndjson",
        headers(("Trailbook-Warning" = String, description = "When the range reaches behind the retention: a code, a colon, a sentence")))))]
pub(crate) async fn jsonl(Exporting(ask): Exporting) -> Result<Response, Problem> {
    let parameters = ask.parameters(&JSONL)?;
    let output = mappings::output(&ask, &parameters)?;
    let (rows, warning) = rows(&ask, &parameters)?;
    let (organization, kept_ms) = (ask.organization.clone(), ask.kept_ms());
    let chunks = made_of(ask.leave(), rows, Vec::new(), move |rows| {
        let mut chunk = Vec::new();
        for row in rows {
            let envelope = envelope(&organization, kept_ms);
            match &output {
                None => jsonl::write_line(row, &envelope, &mut chunk),
                Some(output) => {
                    mappings::write(row, &envelope, Some(output), &mut chunk).map_err(failed)?;
                    chunk.push(b'\n');
                }
            }
        }
        Ok(chunk)
    });
    file(&ask, (jsonl::CONTENT_TYPE, "jsonl"), &parameters, warning, chunks)
}

/// Evidence: the events from the first to the last that match, with what proves them complete and unchanged.
#[utoipa::path(get, path = "/v1/organizations/{organization}/events.evidence", tag = "Export",
    responses((status = 200, description = "A zip archive, checked by `trailbook verify`", body = Vec<u8>, content_type = "application/zip",
        headers(("Trailbook-Warning" = String, description = "When the range reaches behind the retention: a code, a colon, a sentence")))))]
pub(crate) async fn evidence(Exporting(ask): Exporting) -> Result<Response, Problem> {
    ask.unfiltered()?;
    let parameters = ask.parameters(&EVIDENCE)?;
    let question = question(&ask, &parameters)?;
    let checkpoint = ask.app.ledger.checkpoint(&ask.organization).await?;
    let (begin, end) = span(&ask, &question)?;
    let proof = ask
        .app
        .ledger
        .prove_range(&ask.organization, begin, end, checkpoint.size)
        .await?;
    let warning = warning(&ask, &parameters, &question)?;
    let filter = whole(&question);
    let dossier = Dossier {
        origin: ask.app.ledger.origin(&ask.organization)?.origin,
        generated_at: ask.app.clock.now(),
        ledger: ask.app.ledger.clone(),
        organization: ask.organization.clone(),
        filter: (!filter.is_all()).then_some(filter),
        checkpoint,
        proof,
        begin,
        end,
        leave: ask.leave(),
    };
    let (sender, receiver) = mpsc::channel(CHUNKS_WAITING);
    tokio::task::spawn_blocking(move || dossier.write(&sender));
    let chunks = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    file(
        &ask,
        (evidence::CONTENT_TYPE, "evidence.zip"),
        &parameters,
        warning,
        chunks,
    )
}

fn rows(ask: &Ask, parameters: &Parameters) -> Result<(Rows, Option<Warning>), Problem> {
    let question = question(ask, parameters)?;
    let rows = ask.view()?.rows(&question, Order::Descending);
    Ok((rows, warning(ask, parameters, &question)?))
}

/// What a file is about. All that is retained is no range that a policy limits.
fn question(ask: &Ask, parameters: &Parameters) -> Result<Question, Problem> {
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
fn warning(ask: &Ask, parameters: &Parameters, question: &Question) -> Result<Option<Warning>, Problem> {
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

fn file(
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

fn failed(error: impl std::fmt::Display) -> io::Error {
    tracing::error!(%error, "a file could not be finished");
    io::Error::other("the file could not be finished")
}

impl From<deliver::Error> for Problem {
    fn from(error: deliver::Error) -> Self {
        tracing::error!(%error, "a file could not be begun");
        Self::internal()
    }
}

/// The sequences from the first to after the last event that a question is about.
fn span(ask: &Ask, question: &Question) -> Result<(u64, u64), Problem> {
    let rows = ask.view()?.rows(question, Order::Descending);
    let mut span: Option<(u64, u64)> = None;
    tokio::task::block_in_place(|| {
        for row in rows {
            let sequence = row?.sequence;
            let (begin, end) = span.unwrap_or((sequence, sequence + 1));
            span = Some((begin.min(sequence), end.max(sequence + 1)));
        }
        Ok::<_, trailbook_query::Error>(())
    })?;
    Ok(span.unwrap_or((0, 0)))
}

/// A question as one filter.
fn whole(question: &Question) -> Filter {
    let range = [
        question.range.from.map(Filter::After),
        question.range.to.map(Filter::Before),
    ];
    Filter::all_of(range.into_iter().flatten().chain([question.filter.clone()]))
}

/// What one evidence file is made from.
struct Dossier {
    ledger: Ledger,
    organization: OrganizationKey,
    origin: String,
    generated_at: trailbook_event::Timestamp,
    filter: Option<Filter>,
    checkpoint: SignedCheckpoint,
    proof: RangeProof,
    begin: u64,
    end: u64,
    leave: Leave,
}

impl Dossier {
    /// Writes the file into the channel, waiting for its reader.
    fn write(&self, sender: &mpsc::Sender<Chunk>) {
        let printed = self.filter.as_ref().map(ToString::to_string);
        let about = About {
            project: self.organization.project(),
            organization: self.organization.organization(),
            origin: &self.origin,
            begin: self.begin,
            end: self.end,
            filter: printed.as_deref(),
            generated_by: concat!("trailbook ", env!("CARGO_PKG_VERSION")),
            generated_at: self.generated_at,
        };
        let leaves = self.rows().map(|row| Ok(row?.leaf_record()));
        let events = self
            .rows()
            .filter(|row| row.as_ref().map_or(true, |row| self.holds(row)));
        let sink = Sink {
            sender,
            leave: &self.leave,
        };
        let out = io::BufWriter::with_capacity(CHUNK_BYTES, sink);
        let written = evidence::write(&about, &self.checkpoint, &self.proof, leaves, events, out)
            .and_then(|mut out| io::Write::flush(&mut out).map_err(Into::into));
        if let Err(error) = written {
            // The reader may be gone as well, and then there is nobody to tell.
            let _ = sender.blocking_send(Err(failed(error)));
        }
    }

    /// The rows of the range, in sequence order; an error is the last.
    fn rows(&self) -> impl Iterator<Item = Result<Arc<Row>, trailbook_ledger::Error>> {
        let mut next = self.begin;
        let mut batch = Vec::new().into_iter();
        std::iter::from_fn(move || {
            if batch.len() == 0 && next < self.end {
                let limit = usize::try_from(self.end - next).unwrap_or(usize::MAX).min(BATCH_ROWS);
                match self.ledger.rows(&self.organization, next, limit) {
                    // What has expired since the export began is missing, and nobody may take the rest for all.
                    Ok(rows) if rows.first().is_none_or(|row| row.sequence != next) => {
                        next = self.end;
                        return Some(Err(trailbook_ledger::Error::NotFound));
                    }
                    Ok(rows) => {
                        next += rows.len() as u64;
                        batch = rows.into_iter();
                    }
                    Err(error) => {
                        next = self.end;
                        return Some(Err(error));
                    }
                }
            }
            batch.next().map(Ok)
        })
    }

    fn holds(&self, row: &Row) -> bool {
        let Some(filter) = &self.filter else { return true };
        Event::parse(&row.parts).is_ok_and(|event| {
            filter.matches(&Record {
                occurred_at: row.occurred_at,
                country: row.country(),
                event: &event,
            })
        })
    }
}

/// Hands bytes over to the response.
struct Sink<'s> {
    sender: &'s mpsc::Sender<Chunk>,
    leave: &'s Leave,
}

impl io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.leave.check()?;
        let chunk = Bytes::copy_from_slice(bytes);
        self.sender.blocking_send(Ok(chunk)).map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
