//! Exports that are ready, sent to whoever asked for them by e-mail: the link, and the file itself when it is small.
//!
//! Invariants
//! - A letter is sent until the mail server took it, or the file is gone; that it did is noted, so that a restart does not send it again.
//! - Nobody gets a letter who may not export any more.

use std::sync::Arc;

use object_store::{ObjectStoreExt as _, path::Path};
use trailbook_access::records::{Export, ExportState};

use super::{Exports, change};
use crate::{
    http::{App, file_name, kind, link},
    mail::{Attachment, NotTaken, Subject},
};

/// The largest file that comes with its letter.
const ATTACHED_BYTES_MAX: u64 = 1 << 20;
/// Between two tries, milliseconds.
const TRY_AGAIN_MS: i64 = 30_000;

/// Sends the letters that are due, each in a task of its own.
pub(super) fn send_due(app: &Arc<App>) {
    let is_due = |export: &&Arc<Export>| {
        export.state == ExportState::Ready
            && export.email.is_some()
            && !export.made.mailed
            && export.warning.as_ref().is_none_or(|(code, _)| code != NOT_MAILED)
    };
    let due: Vec<Arc<Export>> = app.directory.state().exports.all().filter(is_due).cloned().collect();
    for export in due {
        if !app.exports.may_send(&export.id, app.clock.now().millis()) {
            continue;
        }
        let app = app.clone();
        tokio::spawn(async move {
            if let Err(error) = send(&app, &export).await {
                tracing::warn!(%error, export = export.id, "a letter with an export could not be sent and is tried again");
            }
        });
    }
}

/// The code of the warning that the mail server will not take the letter.
const NOT_MAILED: &str = "not_mailed";

async fn send(app: &App, export: &Export) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let may_export = export.rights_of_owner(&app.directory).export;
    let lease = format!("{} letter", Exports::lease(&export.id));
    let (Some(to), Some(link)) = (&export.email, link(app, export)) else {
        return Ok(());
    };
    if !may_export || !app.ledger.lease(&lease, &app.exports.holder).await? {
        return Ok(());
    }
    let subject = Subject::ExportReady {
        organization: export.organization.clone(),
        file: file_name(export),
        attachment: attachment(app, export).await?,
    };
    let reserved = app
        .post
        .reserve(to)
        .map_err(|_| "there is no mail server, or too many letters wait")?;
    match reserved.deliver(subject, link, export.id.clone()).await {
        Ok(()) => change(app, &export.id, |export| export.made.mailed = true).await?,
        Err(NotTaken::Never) => {
            let detail = "The mail server does not take letters to your address; download the file.";
            change(app, &export.id, |export| {
                export.warning = Some((NOT_MAILED.into(), detail.into()))
            })
            .await?
        }
        Err(NotTaken::Later(reason)) => return Err(reason.into()),
    };
    Ok(())
}

/// The file itself, when it is small enough for a letter.
async fn attachment(app: &App, export: &Export) -> Result<Option<Attachment>, object_store::Error> {
    if export.bytes() > ATTACHED_BYTES_MAX {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    for number in 0..export.made.parts.len() {
        let part = app.exports.objects.get(&Path::from(export.part(number))).await?;
        bytes.extend_from_slice(&part.bytes().await?);
    }
    Ok(Some(Attachment {
        name: file_name(export),
        content_type: kind(export.request.format).0.to_owned(),
        bytes,
    }))
}

impl Exports {
    /// Whether a letter may be tried now; it is noted that it is.
    fn may_send(&self, id: &str, now: i64) -> bool {
        let mut tried = self.tried();
        let may = tried.get(id).is_none_or(|at| now >= at + TRY_AGAIN_MS);
        if may {
            tried.insert(id.to_owned(), now);
        }
        may
    }
}
