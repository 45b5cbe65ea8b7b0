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
use trailbook_query::{Order, Question, Rows};

use super::{
    App,
    ask::Exporting,
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
    let rows = ask.view()?.rows(&question, Order::Descending);
    let span = tokio::task::block_in_place(|| span(rows))?;
    let dossier = Dossier::new(&ask.app, &ask.organization, &question, span).await?;
    let warning = warning(&ask, &parameters, &question)?;
    let chunks = written(ask.leave(), move |out| {
        dossier.write(out)?;
        Ok(())
    });
    file(
        &ask,
        (evidence::CONTENT_TYPE, "evidence.zip"),
        &parameters,
        warning,
        chunks,
    )
}

/// A file that `write` writes, chunk by chunk: it waits for its reader.
pub(crate) fn written(
    leave: Leave,
    write: impl FnOnce(io::BufWriter<Sink>) -> Result<(), trailbook_deliver::Error> + Send + 'static,
) -> impl stream::Stream<Item = Chunk> + Send + 'static {
    let (sender, receiver) = mpsc::channel(CHUNKS_WAITING);
    tokio::task::spawn_blocking(move || {
        let sink = Sink {
            sender: sender.clone(),
            leave,
        };
        if let Err(error) = write(io::BufWriter::with_capacity(CHUNK_BYTES, sink)) {
            // The reader may be gone as well, and then there is nobody to tell.
            let _ = sender.blocking_send(Err(failed(error)));
        }
    });
    stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    })
}

/// The sequences from the first to after the last of some rows. Blocks on files.
pub(crate) fn span(rows: Rows) -> Result<(u64, u64), trailbook_query::Error> {
    let mut span: Option<(u64, u64)> = None;
    for row in rows {
        let sequence = row?.sequence;
        let (begin, end) = span.unwrap_or((sequence, sequence + 1));
        span = Some((begin.min(sequence), end.max(sequence + 1)));
    }
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
pub(crate) struct Dossier {
    ledger: Ledger,
    organization: OrganizationKey,
    origin: String,
    generated_at: trailbook_event::Timestamp,
    filter: Option<Filter>,
    checkpoint: SignedCheckpoint,
    proof: RangeProof,
    begin: u64,
    end: u64,
}

impl Dossier {
    /// The evidence of a question whose events are in a range of sequences.
    pub(crate) async fn new(
        app: &App,
        organization: &OrganizationKey,
        question: &Question,
        (begin, end): (u64, u64),
    ) -> Result<Self, trailbook_ledger::Error> {
        let ledger = &app.ledger;
        let checkpoint = ledger.checkpoint(organization).await?;
        let proof = ledger.prove_range(organization, begin, end, checkpoint.size).await?;
        let filter = whole(question);
        Ok(Self {
            origin: ledger.origin(organization)?.origin,
            generated_at: app.clock.now(),
            ledger: ledger.clone(),
            organization: organization.clone(),
            filter: (!filter.is_all()).then_some(filter),
            checkpoint,
            proof,
            begin,
            end,
        })
    }

    /// Writes the file, and gives back what it was written into.
    pub(crate) fn write<W: io::Write>(&self, out: W) -> Result<W, trailbook_deliver::Error> {
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
        let mut out = evidence::write(&about, &self.checkpoint, &self.proof, leaves, events, out)?;
        io::Write::flush(&mut out)?;
        Ok(out)
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
pub(crate) struct Sink {
    sender: mpsc::Sender<Chunk>,
    leave: Leave,
}

impl io::Write for Sink {
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
