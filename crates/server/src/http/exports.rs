//! `…/exports`: files on request, made in the background and kept for a day.
//!
//! Invariants
//! - An export is there for whoever asked for it, with what narrows their view, and for root; for nobody else.
//! - A download link names one export and a time; the rights of its owner are asked again when it is used.
//!
//! Not here: how files are made (`crate::exports`), files that are streamed at once (`files`, `evidence`).

mod answer;
mod link;
mod request;

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use trailbook_access::{
    Act, Origin,
    act::Actor,
    records::{Export, ExportFormat, ExportMade, ExportState, OwnerKind, User, owner},
    secret::new_id,
};
use trailbook_event::Pointer;
use trailbook_ledger::OrganizationKey;

use self::{
    answer::{ExportShown, Exports},
    request::ExportBody,
};
pub(crate) use self::{
    answer::{file_name, kind},
    link::{downloads_secret, link},
};
use super::{
    App,
    ask::{Ask, Exporting, json, json_with},
    body::document,
    problem::{Code, Document, Problem},
    proof::NOTHING,
};

/// Exports of one owner that are not finished.
const UNFINISHED_MAX: usize = 5;
/// Exports of an organization, finished ones included.
const KEPT_MAX: usize = 200;

/// Asks for a file. It is made in the background and kept for 24 hours.
#[utoipa::path(post, path = "/v1/organizations/{organization}/exports", tag = "Export",
    request_body(content = ExportBody),
    responses((status = 202, description = "The export", body = ExportShown),
        (status = 422, description = "The request breaks a rule", body = Document<'static>),
        (status = 429, description = "Too many exports wait", body = Document<'static>)))]
pub(crate) async fn create(Exporting(ask): Exporting, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let body: ExportBody = document(&ask.app, &headers, body).await?;
    let email = match body.email {
        true => Some(own_address(&ask)?),
        false => None,
    };
    let (request, warning) = body.checked(&ask)?;
    if request.format == ExportFormat::Evidence {
        ask.unfiltered()?;
    }
    let mut change = ask.app.directory.change().await;
    ask.renewed(trailbook_access::Right::Export)?;
    check_room(&ask)?;
    let actor = ask.caller.actor();
    let export = Export {
        id: new_id("exp_", ask.app.directory.random()),
        project: ask.organization.project().to_owned(),
        organization: ask.organization.organization().to_owned(),
        owner: ask.caller.view_owner(),
        credential: ask.caller.id().to_owned(),
        owner_name: actor.name.or(actor.email),
        own_filter: ask.caller.filter().map(ToOwned::to_owned),
        request,
        email,
        state: ExportState::Queued,
        made: ExportMade::default(),
        error: None,
        warning,
        created_at: ask.app.clock.now().millis(),
        finished_at: None,
    };
    change.act(told(ask.act_of_caller("trailbook.export.requested"), &export));
    let shown = answer::shown(&ask.app, &export);
    change.put(export)?;
    change.commit().await?;
    ask.app.exports.wake();
    Ok(json_with(StatusCode::ACCEPTED, &shown))
}

/// One's exports, the newest first.
#[utoipa::path(get, path = "/v1/organizations/{organization}/exports", tag = "Export",
    responses((status = 200, description = "The exports", body = Exports)))]
pub(crate) async fn list(Exporting(ask): Exporting) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let mut own = all(&ask);
    own.retain(|export| is_there_for(&ask, export));
    own.sort_by_key(|export| std::cmp::Reverse((export.created_at, export.id.clone())));
    let exports = own.iter().map(|export| answer::shown(&ask.app, export)).collect();
    Ok(json(&Exports { exports }))
}

/// One export, with how far it is.
#[utoipa::path(get, path = "/v1/organizations/{organization}/exports/{id}", tag = "Export",
    responses((status = 200, description = "The export", body = ExportShown),
        (status = 404, description = "No such export", body = Document<'static>)))]
pub(crate) async fn show(Exporting(ask): Exporting) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    Ok(json(&answer::shown(&ask.app, &*find(&ask)?)))
}

/// The file. Parts of it can be asked for (`Range`).
#[utoipa::path(get, path = "/v1/organizations/{organization}/exports/{id}/download", tag = "Export",
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "A part of the file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 409, description = "It is not ready", body = Document<'static>),
        (status = 410, description = "It is not kept any more", body = Document<'static>)))]
pub(crate) async fn download(Exporting(ask): Exporting, headers: HeaderMap) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let export = find(&ask)?;
    let response = answer::file(&ask.app, &export, &headers)?;
    if response.status() == StatusCode::OK {
        ask.record("trailbook.export.downloaded", |act| told(act, &export));
    }
    Ok(response)
}

/// Cancels an export that is being made, or drops its file.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/exports/{id}", tag = "Export",
    responses((status = 204, description = "There is no such export any more"),
        (status = 404, description = "No such export", body = Document<'static>)))]
pub(crate) async fn remove(Exporting(ask): Exporting) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let mut change = ask.app.directory.change().await;
    ask.renewed(trailbook_access::Right::Export)?;
    let export = find(&ask)?;
    change.act(told(ask.act_of_caller("trailbook.export.cancelled"), &export));
    change.remove::<Export>(&export.id);
    change.commit().await?;
    if let Err(error) = ask.app.exports.delete_parts(&export.id).await {
        tracing::warn!(%error, "the parts of an export stay until they are swept");
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The file of a download link, which needs no other credential.
#[utoipa::path(get, path = "/downloads/{token}", tag = "Export", security(()),
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "A part of the file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 403, description = "Whoever asked for it may not export this log any more", body = Document<'static>),
        (status = 404, description = "No such link", body = Document<'static>),
        (status = 410, description = "It is not kept any more", body = Document<'static>)))]
pub(crate) async fn linked(
    State(app): State<Arc<App>>,
    Extension(origin): Extension<Origin>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = link::opened(&app, &token).ok_or_else(Problem::not_found)?;
    let export = app.directory.get::<Export>(&id).ok_or_else(gone)?;
    if !export.rights_of_owner(&app.directory).export {
        let detail = "Whoever asked for this file may not export this log any more.";
        return Err(Problem::forbidden(detail));
    }
    let response = answer::file(&app, &export, &headers)?;
    if response.status() == StatusCode::OK {
        let key = OrganizationKey::new(export.project.as_str(), export.organization.as_str());
        let act = Act::by(
            owner_as_actor(&app, &export),
            origin,
            key,
            "trailbook.export.downloaded",
        );
        let act = act.with("organization", export.organization.as_str());
        if let Err(error) = app.directory.record(&told(act, &export)).await {
            app.measures.unrecorded.inc();
            tracing::warn!(%error, "that a file was downloaded could not be recorded");
        }
    }
    Ok(response)
}

/// Whose export it is, as the actor of a download by link.
fn owner_as_actor(app: &App, export: &Export) -> Actor {
    let id = Some(export.owner.id.clone());
    match export.owner.kind {
        OwnerKind::Root => Actor::system("Root key"),
        OwnerKind::User => match app.directory.get::<User>(&export.owner.id) {
            Some(user) => Actor::user(&user),
            None => Actor::anonymous(),
        },
        OwnerKind::Key | OwnerKind::Viewer => Actor {
            kind: if export.owner.kind == OwnerKind::Key {
                "api_key"
            } else {
                "user"
            }
            .into(),
            id,
            name: export.owner_name.clone(),
            email: None,
        },
    }
}

/// An act with what an export is of.
fn told(act: Act, export: &Export) -> Act {
    let format = serde_json::json!(export.request.format);
    let act = act.with("format", format).with("export", export.id.as_str());
    act.with("scope", if export.request.all { "all" } else { "filtered" })
}

fn all(ask: &Ask) -> Vec<Arc<Export>> {
    ask.app.directory.of::<Export>(&owner(&ask.organization))
}

/// The export that the path names, when it is there for the caller.
fn find(ask: &Ask) -> Result<Arc<Export>, Problem> {
    let export = ask.app.directory.get::<Export>(ask.path("id"));
    let is_of = |export: &Export| {
        export.project == ask.organization.project() && export.organization == ask.organization.organization()
    };
    export
        .filter(|export| is_of(export) && is_there_for(ask, export))
        .ok_or_else(Problem::not_found)
}

/// Whether an export is there for the caller: one's own is, as long as one sees no less than then.
fn is_there_for(ask: &Ask, export: &Export) -> bool {
    ask.caller.is_root()
        || export.owner == ask.caller.view_owner() && export.own_filter.as_deref() == ask.caller.filter()
}

fn check_room(ask: &Ask) -> Result<(), Problem> {
    let all = all(ask);
    let owner = ask.caller.view_owner();
    let is_unfinished = |export: &&Arc<Export>| export.owner == owner && export.finished_at.is_none();
    if all.iter().filter(is_unfinished).count() >= UNFINISHED_MAX {
        let detail = format!("{UNFINISHED_MAX} of your exports are being made; wait for one, or cancel one.");
        return Err(Problem::new(Code::TooManyRequests, detail).retry_after(10));
    }
    if all.iter().filter(|export| export.state != ExportState::Expired).count() >= KEPT_MAX {
        let detail = format!("The organization has {KEPT_MAX} exports; drop those that nobody needs, or wait a day.");
        return Err(Problem::new(Code::TooManyRequests, detail).retry_after(3_600));
    }
    Ok(())
}

/// The caller's own address, which they have proved to be theirs.
fn own_address(ask: &Ask) -> Result<String, Problem> {
    let refused = |detail: &str| Problem::fault(Code::Invalid, Pointer::root().child("email"), detail);
    let trailbook_access::Principal::User(user, _) = &ask.caller.principal else {
        return Err(refused(
            "Only people of the console have an address that is known to be theirs; leave it out.",
        ));
    };
    if !user.email_verified {
        return Err(refused("Your address has not been proved to be yours; leave it out."));
    }
    match ask.app.post.has_server() && !ask.app.public_url.is_empty() {
        true => Ok(user.email.clone()),
        false => Err(refused(
            "This server sends no mail, or does not know its own address; leave it out and download the file.",
        )),
    }
}

fn gone() -> Problem {
    Problem::new(Code::Gone, "The file is not kept any more; ask for the export again.")
}
