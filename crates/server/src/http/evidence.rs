//! Evidence: a file of events with what proves, offline, that they are all and unchanged.
//!
//! Invariants
//! - Memory stays flat whatever the size of the result: the writer waits for the reader.
//! - A file that could not be finished ends without its last chunk, so that no reader takes it for whole.
//!
//! Not here: the format (`trailbook_deliver::evidence`), other files (`files`).

use std::{io, sync::Arc};

use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use tokio::sync::mpsc;
use trailbook_deliver::evidence::{self, About};
use trailbook_event::{Event, Filter, filter::Record};
use trailbook_ledger::{Ledger, OrganizationKey, Row, SignedCheckpoint};
use trailbook_merkle::RangeProof;
use trailbook_query::{Order, Question};

use super::{
    ask::{Ask, Exporting},
    files::{Chunk, Leave, failed, file, question, warning},
    parameters::{Accepts, SCOPE},
    problem::Problem,
};

/// What evidence accepts.
pub(crate) const EVIDENCE: Accepts = Accepts {
    filters: true,
    own: &[&SCOPE],
};

/// Bytes of a chunk of evidence, about.
const CHUNK_BYTES: usize = 64 << 10;
/// Rows taken from the ledger at a time.
const BATCH_ROWS: usize = 4_096;
/// Chunks of evidence that wait for their reader.
const CHUNKS_WAITING: usize = 4;

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
