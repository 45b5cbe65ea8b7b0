//! Making one export: its question, its file's bytes, its parts.
//!
//! Invariants
//! - A part is durable before the record says that it is there.
//! - CSV and JSON lines go on after their last part; other files, which end with what is in all of them, begin again.

use std::{io, sync::Arc};

use object_store::{ObjectStoreExt as _, PutPayload, path::Path};
use tokio::sync::mpsc;
use trailbook_access::{
    Policy,
    records::{Export, ExportFormat, ExportMade, ExportState},
};
use trailbook_deliver::parquet;
use trailbook_event::{Filter, Timestamp};
use trailbook_ledger::OrganizationKey;
use trailbook_query::{Order, Place, Question, Range, Scope, View};

use super::parts::{Part, PartWriter};
use crate::{
    exports::{Exports, change},
    http::{
        App,
        evidence::{Dossier, span},
        files::Lines,
        reads::envelope,
    },
};

/// Parts that wait to be stored.
const PARTS_WAITING: usize = 2;
/// Attempts that come to nothing, one after the other, after which an export has failed.
const ATTEMPTS_MAX: u32 = 5;

/// Why an export ends without a file.
pub(super) enum Ended {
    /// It cannot be made; the sentence is for its owner.
    Failed(String),
    /// It is not there any more, or its owner may not have it.
    Withdrawn,
    /// Something did not answer: it is tried again.
    Later(Box<dyn std::error::Error + Send + Sync>),
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Later(Box::new(error))
    }
}

/// What an export is made from.
struct Job {
    app: Arc<App>,
    export: Arc<Export>,
    organization: OrganizationKey,
    policy: Arc<Policy>,
    view: View,
    question: Question,
    place: Place,
}

/// Makes an export, or says in its record why there is none.
pub(super) async fn make(app: &Arc<App>, export: Arc<Export>) {
    let id = export.id.clone();
    let outcome = match made(app, export).await {
        Ok(()) => still_ours(app, &id).await,
        failed => failed,
    };
    let now = app.clock.now().millis();
    let failure = match outcome {
        Ok(()) => None,
        Err(Ended::Failed(reason)) => Some(reason),
        Err(Ended::Withdrawn) => return discard(app, &id).await,
        Err(Ended::Later(error)) => {
            tracing::error!(%error, export = id, "an export could not be made");
            let known = app.directory.get::<Export>(&id);
            if known.is_none_or(|export| export.made.attempts < ATTEMPTS_MAX) {
                return;
            }
            Some("It could not be made; the server's log has more. Ask for it again.".to_owned())
        }
    };
    if failure.is_some() {
        discard(app, &id).await;
    }
    let noted = change(app, &id, |export| {
        export.finished_at = Some(now);
        match failure {
            None => export.state = ExportState::Ready,
            Some(reason) => {
                export.state = ExportState::Failed;
                export.error = Some(reason);
                export.made = ExportMade::default();
            }
        }
    });
    if let Err(error) = noted.await {
        tracing::error!(%error, export = id, "that an export has ended could not be noted and will be tried again");
    }
}

async fn discard(app: &App, id: &str) {
    if let Err(error) = app.exports.delete_parts(id).await {
        tracing::warn!(%error, export = id, "the parts of an export stay until they are swept");
    }
}

async fn made(app: &Arc<App>, export: Arc<Export>) -> Result<(), Ended> {
    let export = begun(app, export).await?;
    let job = Job::new(app, export)?;
    let (sender, mut parts) = mpsc::channel(PARTS_WAITING);
    let mut number = job.export.made.parts.len();
    let id = job.export.id.clone();
    let writing = tokio::task::spawn_blocking(move || job.write(sender));
    while let Some(part) = parts.recv().await {
        keep(app, &id, number, part).await?;
        number += 1;
    }
    writing.await??;
    Ok(())
}

/// The export as it is begun: what cannot go on begins again.
async fn begun(app: &Arc<App>, export: Arc<Export>) -> Result<Arc<Export>, Ended> {
    let resumes = matches!(export.request.format, ExportFormat::Csv | ExportFormat::Jsonl);
    if !resumes && !export.made.parts.is_empty() {
        app.exports.delete_parts(&export.id).await?;
    }
    let organization = OrganizationKey::new(export.project.as_str(), export.organization.as_str());
    let head = app.ledger.head(&organization).ok_or(Ended::Withdrawn)?;
    if export.made.epoch.is_some_and(|epoch| epoch != head.epoch) {
        let reason = "The log was restored to an earlier state meanwhile; ask for the export again.";
        return Err(Ended::Failed(reason.into()));
    }
    let is_there = change(app, &export.id, |export| {
        export.state = ExportState::Running;
        if !resumes {
            export.made = ExportMade {
                attempts: export.made.attempts,
                ..ExportMade::default()
            };
        }
        export.made.attempts += 1;
        export.made.size.get_or_insert(head.size);
        export.made.epoch.get_or_insert(head.epoch);
    });
    match is_there.await? {
        true => app.directory.get::<Export>(&export.id).ok_or(Ended::Withdrawn),
        false => Err(Ended::Withdrawn),
    }
}

/// Stores a part, and then says so.
async fn keep(app: &App, id: &str, number: usize, part: Part) -> Result<(), Ended> {
    let export = app.directory.get::<Export>(id).ok_or(Ended::Withdrawn)?;
    if !export.rights_of_owner(&app.directory).export {
        return Err(Ended::Failed("You may not export this log any more.".into()));
    }
    let length = part.bytes.len() as u64;
    let name = Path::from(export.part(number));
    still_ours(app, id).await?;
    app.exports.objects.put(&name, PutPayload::from(part.bytes)).await?;
    still_ours(app, id).await?;
    let is_there = change(app, id, |export| {
        export.made.attempts = 0;
        export.made.parts.truncate(number);
        export.made.parts.push(length);
        export.made.rows = part.rows;
        export.made.last = part.last;
    });
    match is_there.await? {
        true => Ok(()),
        false => Err(Ended::Withdrawn),
    }
}

/// Looks whether this node still has the export's lease: what it was too slow for, another node makes from where that is known to stand.
async fn still_ours(app: &App, id: &str) -> Result<(), Ended> {
    match app.ledger.lease(&Exports::lease(id), &app.exports.holder).await? {
        true => Ok(()),
        false => Err(Ended::Later("it is made by another node now".into())),
    }
}

impl Job {
    fn new(app: &Arc<App>, export: Arc<Export>) -> Result<Self, Ended> {
        let organization = OrganizationKey::new(export.project.as_str(), export.organization.as_str());
        if !export.rights_of_owner(&app.directory).export {
            return Err(Ended::Failed("You may not export this log any more.".into()));
        }
        let policy = app.directory.policy(&organization);
        let read = |text: &str| {
            let filter = policy.filter(text);
            filter.map_err(|_| Ended::Failed("The filter cannot be read any more; ask for the export again.".into()))
        };
        let request = &export.request;
        let filter = if request.all {
            Filter::all()
        } else {
            read(&request.filter)?
        };
        let own = export.own_filter.as_deref().map(read).transpose()?;
        let scope = Scope {
            organization: organization.clone(),
            own,
        };
        let time = |millis: Option<i64>| millis.map(Timestamp::from_millis);
        Ok(Self {
            view: app.engine.view(&scope)?,
            question: Question {
                filter,
                range: Range {
                    from: time(request.from),
                    to: time(request.to),
                },
            },
            place: Place {
                size: export.made.size.unwrap_or(u64::MAX),
                last: export.made.last,
            },
            app: app.clone(),
            organization,
            policy,
            export,
        })
    }

    /// Writes the file, or the rest of it. Blocks on files, and on parts that wait.
    fn write(self, parts: mpsc::Sender<Part>) -> Result<(), Ended> {
        let runtime = tokio::runtime::Handle::current();
        if self.export.made.rows_in_all == 0 {
            let rows = self.view.count(&self.question)?;
            runtime.block_on(change(&self.app, &self.export.id, |export| {
                export.made.rows_in_all = rows
            }))?;
        }
        let out = PartWriter::new(parts, self.export.made.rows);
        let written = match self.export.request.format {
            ExportFormat::Csv | ExportFormat::Jsonl => self.write_lines(out),
            ExportFormat::Parquet => self.write_parquet(out),
            ExportFormat::Evidence => self.write_evidence(&runtime, out),
        };
        match written {
            // Whoever stored the parts knows why they are not wanted any more.
            Err(Ended::Later(error)) if is_broken_pipe(&*error) => Ok(()),
            written => written,
        }
    }

    fn write_lines(&self, mut out: PartWriter) -> Result<(), Ended> {
        let lines = Lines::of_export(&self.app, &self.organization, &self.policy, &self.export.request)
            .map_err(Ended::Failed)?;
        let kept_ms = self.app.kept_ms(&self.organization);
        let mut last = self.place.last;
        if self.export.made.parts.is_empty() {
            io::Write::write_all(&mut out, &lines.first()?)?;
        }
        let mut rows = self.view.rows_from(&self.question, Order::Descending, self.place);
        while let Some(batch) = rows.next_batch()? {
            let batch = batch.read()?;
            let chunk = lines.chunk(&batch, &envelope(&self.organization, kept_ms))?;
            if let Some(row) = batch.last() {
                let place = (row.occurred_at.millis(), row.sequence);
                last = Some(place);
                out.add(&chunk, batch.len() as u64, place)?;
            }
        }
        Ok(out.finish(last)?)
    }

    fn write_parquet(&self, out: PartWriter) -> Result<(), Ended> {
        let columns = Lines::columns_of_export(&self.app, &self.organization, &self.policy, &self.export.request);
        let columns = columns.map_err(Ended::Failed)?;
        let kept_ms = self.app.kept_ms(&self.organization);
        let mut writer = parquet::Writer::new(out, columns)?;
        let mut rows = self.view.rows_from(&self.question, Order::Descending, self.place);
        let mut count = 0;
        while let Some(batch) = rows.next_batch()? {
            for row in batch.read()? {
                writer.push(&row, &envelope(&self.organization, kept_ms))?;
                count += 1;
            }
        }
        let mut out = writer.finish()?;
        out.rows = count;
        Ok(out.finish(None)?)
    }

    fn write_evidence(&self, runtime: &tokio::runtime::Handle, out: PartWriter) -> Result<(), Ended> {
        let rows = self.view.rows_from(&self.question, Order::Descending, self.place);
        let span = span(rows)?;
        let dossier = Dossier::new(&self.app, &self.organization, &self.question, span);
        let dossier = runtime.block_on(dossier)?;
        let mut out = dossier.write(out)?;
        out.rows = self.view.count(&self.question)?;
        Ok(out.finish(None)?)
    }
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        {
            return true;
        }
        next = error.source();
    }
    false
}
