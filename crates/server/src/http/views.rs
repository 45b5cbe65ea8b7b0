//! `…/views`: saved queries, private or shared with everybody who may look at the organization.
//!
//! Invariants
//! - A private view is there for its owner and for nobody else, whatever they may do.
//! - What is recorded of a private view does not say what is in it.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trailbook_access::{
    Act, Change, Policy, Right, Rights,
    act::Target,
    records::{SavedView, owner},
    secret::new_id,
};
use trailbook_event::{Fault, Pointer, Timestamp};
use utoipa::ToSchema;

use super::{
    answers::Time,
    ask::{self, Ask, Knowing, json_with},
    body::document,
    parameters,
    problem::{Code, Document, Problem},
    proof::NOTHING,
};

/// Characters of a name.
const NAME_MAX: usize = 200;
/// Characters of a range.
const RANGE_MAX: usize = 100;
/// Columns of a view.
const COLUMNS_MAX: usize = 100;
/// Characters of a column's id.
const COLUMN_MAX: usize = 256;
/// Views of one owner in an organization.
const OWN_MAX: usize = 200;
/// Shared views of an organization.
const SHARED_MAX: usize = 500;
/// Views of an organization, of all owners together.
const VIEWS_MAX: usize = 10_000;

/// A saved view.
#[derive(Serialize, ToSchema)]
pub(crate) struct View {
    /// `view_…`.
    id: String,
    name: String,
    /// Whether everybody sees it who may look at the organization.
    shared: bool,
    /// What it shows, in the query language; empty is everything.
    filter: String,
    /// Of which time, as the screen's address says it; null is the default range.
    #[schema(required)]
    range: Option<String>,
    /// The ids of its columns; null are those of the policy.
    #[schema(required)]
    columns: Option<Vec<String>>,
    /// Who saved it.
    owner: Owner,
    /// Whether that is the caller.
    is_own: bool,
    #[schema(value_type = String)]
    created_at: Time,
    #[schema(value_type = String)]
    updated_at: Time,
}

/// Who saved a view.
#[derive(Serialize, ToSchema)]
#[schema(as = ViewOwner)]
pub(crate) struct Owner {
    id: String,
    #[schema(required)]
    name: Option<String>,
}

/// The caller's own views and all shared ones.
#[derive(Serialize, ToSchema)]
pub(crate) struct Views {
    views: Vec<View>,
}

/// A view to be saved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ViewRequest {
    name: String,
    /// Whether everybody is to see it who may look at the organization.
    #[serde(default)]
    shared: bool,
    /// What it shows, in the query language.
    #[serde(default)]
    filter: String,
    /// Of which time, as the screen's address says it.
    #[serde(default)]
    range: Option<String>,
    /// The ids of its columns.
    #[serde(default)]
    columns: Option<Vec<String>>,
}

/// The caller's own views and all shared ones, by name.
#[utoipa::path(get, path = "/v1/organizations/{organization}/views", tag = "Views",
    responses((status = 200, description = "The views", body = Views)))]
pub(crate) async fn list(Knowing(ask): Knowing) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let caller = ask.caller.view_owner();
    let mut views = all(&ask);
    views.retain(|view| view.is_there_for(&caller));
    views.sort_by_cached_key(|view| (view.name.to_lowercase(), view.id.clone()));
    let views = views.iter().map(|view| described(&ask, view)).collect();
    Ok(ask::json(&Views { views }))
}

/// Saves a view of the caller's.
#[utoipa::path(post, path = "/v1/organizations/{organization}/views", tag = "Views",
    request_body(content = ViewRequest),
    responses((status = 201, description = "The view", body = View),
        (status = 422, description = "The request breaks a rule, or there are too many", body = Document<'static>)))]
pub(crate) async fn save(Knowing(ask): Knowing, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let request = read(&ask, &headers, body).await?;
    let (mut change, _, policy) = begin(&ask).await?;
    let now = ask.app.clock.now().millis();
    let view = SavedView {
        id: new_id("view_", ask.app.directory.random()),
        project: ask.organization.project().to_owned(),
        organization: ask.organization.organization().to_owned(),
        owner: ask.caller.view_owner(),
        owner_name: None,
        name: String::new(),
        shared: false,
        filter: String::new(),
        range: None,
        columns: None,
        created_at: now,
        updated_at: now,
    };
    let view = filled(&ask, view, request, &policy)?;
    check_room(&ask, &view)?;
    change.act(act(&ask, "trailbook.view.created", &view));
    let answer = described(&ask, &view);
    change.put(view)?;
    change.commit().await?;
    Ok(json_with(StatusCode::CREATED, &answer))
}

/// One view. That it was opened is recorded.
#[utoipa::path(get, path = "/v1/organizations/{organization}/views/{id}", tag = "Views",
    responses((status = 200, description = "The view", body = View),
        (status = 404, description = "No such view", body = Document<'static>)))]
pub(crate) async fn open(Knowing(ask): Knowing) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let view = find(&ask)?;
    ask.opened("trailbook.view.opened", target(&view));
    Ok(ask::json(&described(&ask, &view)))
}

/// Replaces what a view says. A shared one by its owner, or who may administer.
#[utoipa::path(put, path = "/v1/organizations/{organization}/views/{id}", tag = "Views",
    request_body(content = ViewRequest),
    responses((status = 200, description = "The view as it is now", body = View),
        (status = 403, description = "It is somebody else's", body = Document<'static>),
        (status = 422, description = "The request breaks a rule, or there are too many", body = Document<'static>)))]
pub(crate) async fn replace(Knowing(ask): Knowing, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let request = read(&ask, &headers, body).await?;
    let (mut change, rights, policy) = begin(&ask).await?;
    let before = find(&ask)?;
    check_reach(&ask, rights, &before)?;
    let after = filled(&ask, SavedView::clone(&before), request, &policy)?;
    check_room(&ask, &after)?;
    if fields(&before) == fields(&after) {
        return Ok(ask::json(&described(&ask, &before)));
    }
    let after = SavedView {
        updated_at: ask.app.clock.now().millis(),
        ..after
    };
    change.act(act_of_change(&ask, &before, &after));
    let answer = described(&ask, &after);
    change.put(after)?;
    change.commit().await?;
    Ok(ask::json(&answer))
}

/// Removes a view. A shared one by its owner, or who may administer.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/views/{id}", tag = "Views",
    responses((status = 204, description = "There is no such view any more"),
        (status = 403, description = "It is somebody else's", body = Document<'static>),
        (status = 404, description = "No such view", body = Document<'static>)))]
pub(crate) async fn remove(Knowing(ask): Knowing) -> Result<Response, Problem> {
    ask.parameters(&NOTHING)?;
    let (mut change, rights, _) = begin(&ask).await?;
    let view = find(&ask)?;
    check_reach(&ask, rights, &view)?;
    change.act(act(&ask, "trailbook.view.deleted", &view));
    change.remove::<SavedView>(&view.id);
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn read(ask: &Ask, headers: &HeaderMap, body: Body) -> Result<ViewRequest, Problem> {
    ask.parameters(&NOTHING)?;
    document(&ask.app, headers, body).await
}

/// The lock under which views change, and what the caller may do under it.
async fn begin(ask: &Ask) -> Result<(Change, Rights, Arc<Policy>), Problem> {
    let change = ask.app.directory.change().await;
    let (rights, policy) = ask.renewed(Right::View)?;
    Ok((change, rights, policy))
}

fn all(ask: &Ask) -> Vec<Arc<SavedView>> {
    ask.app.directory.of::<SavedView>(&owner(&ask.organization))
}

/// The view that the path names, when it is there for the caller.
fn find(ask: &Ask) -> Result<Arc<SavedView>, Problem> {
    let view = ask.app.directory.get::<SavedView>(ask.path("id"));
    let is_of = |view: &SavedView| {
        view.project == ask.organization.project() && view.organization == ask.organization.organization()
    };
    view.filter(|view| is_of(view) && view.is_there_for(&ask.caller.view_owner()))
        .ok_or_else(Problem::not_found)
}

fn check_reach(ask: &Ask, rights: Rights, view: &SavedView) -> Result<(), Problem> {
    if rights.administer || view.owner == ask.caller.view_owner() {
        return Ok(());
    }
    Err(Problem::forbidden(
        "The view is somebody else's: they change it, or who administers this log. You can save one of your own.",
    ))
}

/// The view as the request says it.
fn filled(ask: &Ask, view: SavedView, request: ViewRequest, policy: &Policy) -> Result<SavedView, Problem> {
    check(&request)?;
    let at = Pointer::root().child("filter");
    parameters::query(&request.filter, policy).map_err(|problem| problem.in_body(at))?;
    let actor = ask.caller.actor();
    let owner_name = match view.owner == ask.caller.view_owner() {
        true => actor.name.or(actor.email),
        false => view.owner_name,
    };
    Ok(SavedView {
        owner_name,
        name: request.name.trim().to_owned(),
        shared: request.shared,
        filter: request.filter,
        range: request.range,
        columns: request.columns,
        ..view
    })
}

/// Refuses texts that are too long, or that no screen can show.
fn check(request: &ViewRequest) -> Result<(), Problem> {
    let is_text = |text: &str, max| (1..=max).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    let fault = |at: &Pointer, max: usize| {
        let detail = format!("It must have 1 to {max} characters, without control characters.");
        Fault::new(at.clone(), detail)
    };
    let (root, mut faults) = (Pointer::root(), Vec::new());
    if !is_text(request.name.trim(), NAME_MAX) {
        faults.push(fault(&root.child("name"), NAME_MAX));
    }
    if request.range.as_ref().is_some_and(|range| !is_text(range, RANGE_MAX)) {
        faults.push(fault(&root.child("range"), RANGE_MAX));
    }
    if request.filter.chars().any(char::is_control) {
        let detail = "It must have no control characters.";
        faults.push(Fault::new(root.child("filter"), detail));
    }
    let at = root.child("columns");
    let columns = request.columns.as_deref().unwrap_or_default();
    if columns.len() > COLUMNS_MAX {
        faults.push(Fault::new(
            at.clone(),
            format!("It may have at most {COLUMNS_MAX} elements."),
        ));
    }
    let wrong = columns.iter().take(COLUMNS_MAX).enumerate();
    let wrong = wrong.filter(|(_, id)| !is_text(id, COLUMN_MAX));
    faults.extend(wrong.map(|(index, _)| fault(&at.index(index), COLUMN_MAX)));
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Problem::faults(Code::Invalid, faults)),
    }
}

/// Refuses a view for which there is no room; the one that it takes the place of makes some.
fn check_room(ask: &Ask, view: &SavedView) -> Result<(), Problem> {
    let refused = |detail: String| Err(Problem::fault(Code::Invalid, Pointer::root(), detail));
    let others = all(ask).into_iter().filter(|other| other.id != view.id);
    let others: Vec<Arc<SavedView>> = others.collect();
    if others.iter().filter(|other| other.owner == view.owner).count() >= OWN_MAX {
        return refused(format!(
            "Somebody has at most {OWN_MAX} views; delete those that you do not use."
        ));
    }
    if view.shared && others.iter().filter(|other| other.shared).count() >= SHARED_MAX {
        return refused(format!(
            "An organization has at most {SHARED_MAX} shared views; delete those that nobody uses."
        ));
    }
    if others.len() >= VIEWS_MAX {
        return refused(format!("An organization has at most {VIEWS_MAX} views."));
    }
    Ok(())
}

fn described(ask: &Ask, view: &SavedView) -> View {
    let time = |millis| Time(Timestamp::from_millis(millis));
    View {
        id: view.id.clone(),
        name: view.name.clone(),
        shared: view.shared,
        filter: view.filter.clone(),
        range: view.range.clone(),
        columns: view.columns.clone(),
        owner: Owner {
            id: view.owner.id.clone(),
            name: view.owner_name.clone(),
        },
        is_own: view.owner == ask.caller.view_owner(),
        created_at: time(view.created_at),
        updated_at: time(view.updated_at),
    }
}

/// What a request says of a view.
fn fields(view: &SavedView) -> [(&'static str, Value); 5] {
    [
        ("name", json!(view.name)),
        ("shared", json!(view.shared)),
        ("filter", json!(view.filter)),
        ("range", json!(view.range)),
        ("columns", json!(view.columns)),
    ]
}

fn target(view: &SavedView) -> Target {
    Target::new("view", view.id.as_str(), view.shared.then(|| view.name.clone()))
}

fn act(ask: &Ask, action: &'static str, view: &SavedView) -> Act {
    Act::of(&ask.caller, ask.organization.clone(), action)
        .target(target(view))
        .with("shared", view.shared)
}

/// The change, with what everybody saw before and sees after.
fn act_of_change(ask: &Ask, before: &SavedView, after: &SavedView) -> Act {
    let shown = |view: &SavedView, value: Value| view.shared.then_some(value);
    let act = act(ask, "trailbook.view.changed", after);
    let pairs = fields(before).into_iter().zip(fields(after));
    pairs.fold(act, |act, ((name, from), (_, to))| {
        act.changed(name, shown(before, from), shown(after, to))
    })
}
