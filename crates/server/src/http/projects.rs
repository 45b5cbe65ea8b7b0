//! `/v1/projects/{project}`: projects, what their organizations inherit, and their catalogs.
//!
//! Not here: what of a policy who may set (`policies`), what a catalog is (`trailbook_event::catalog`, `trailbook_import::Vocabulary`).

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{FromRequestParts, Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trailbook_access::{
    Act, Caller, Change, DEFAULT_PROJECT, PolicySettings, Principal, Rights, SYSTEM,
    act::Target,
    records::{
        self, Alert, ApiKey, CatalogFormat, Export, Link, Organizations, SavedView, Session, SingleSignOn,
        StoredCatalog, Stream, User, ViewerToken, owner,
    },
};
use trailbook_event::{Fault, Pointer, catalog::CatalogFault};
use trailbook_ledger::{OrganizationKey, RetentionChange, RetentionScope};
use utoipa::ToSchema;

use super::{
    App,
    ask::{json, json_with},
    body::{Format, document, single},
    etag,
    manage::{begin, operators_only},
    parameters::Parameters,
    policies::{self, PendingRetention, Setting},
    problem::{Code, Document, Problem},
    proof::NOTHING,
};
use crate::catalog;

/// Projects of a deployment.
const PROJECTS_MAX: usize = 10_000;
/// Characters of a name.
const NAME_MAX: usize = 64;

/// A project, as it is set up.
#[derive(Serialize, ToSchema)]
pub(crate) struct Project {
    /// Its name.
    name: String,
    /// `auto`: the first event makes an organization; `declared`: somebody has to.
    #[schema(value_type = String)]
    organizations: Organizations,
    /// What its organizations inherit; what is absent is inherited from the deployment.
    policy: PolicySettings,
    /// A shortening of the retention that is not in force yet.
    #[schema(required)]
    pending_retention: Option<PendingRetention>,
}

/// All projects.
#[derive(Serialize, ToSchema)]
pub(crate) struct Projects {
    /// Their names.
    projects: Vec<String>,
}

/// What a project is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProjectRequest {
    /// When given, the name in the path.
    #[serde(default)]
    name: Option<String>,
    /// `auto` or `declared`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    organizations: Organizations,
    /// What its organizations inherit, in place of what was set.
    #[serde(default)]
    #[schema(value_type = Option<PolicySettings>)]
    policy: Option<Value>,
}

/// A request about a project by somebody who administers it.
pub(crate) struct OfProject {
    app: Arc<App>,
    caller: Caller,
    name: String,
}

impl FromRequestParts<Arc<App>> for OfProject {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let caller = parts
            .extensions
            .get::<Caller>()
            .cloned()
            .ok_or_else(Problem::internal)?;
        let name = Path::<String>::from_request_parts(parts, app).await;
        let Path(name) = name.map_err(|_| Problem::not_found())?;
        Parameters::read(parts.uri.query(), &NOTHING)?;
        administered(app, &caller, &name)?;
        Ok(Self {
            app: app.clone(),
            caller,
            name,
        })
    }
}

/// What a caller may do with a project that they administer.
fn administered(app: &App, caller: &Caller, name: &str) -> Result<Rights, Problem> {
    if !caller.is_operator(&app.directory) && *caller.project != *name {
        return Err(match caller.principal {
            Principal::Key(_) | Principal::Viewer(_) => {
                Problem::forbidden("The credential belongs to another project.")
            }
            Principal::Root | Principal::User(..) => Problem::not_found(),
        });
    }
    let rights = caller.project_rights(&app.directory);
    if rights.administer {
        Ok(rights)
    } else {
        Err(Problem::forbidden("You may not administer this project."))
    }
}

impl OfProject {
    /// The lock under which records change, and what the caller may do under it: the body took its time.
    async fn begin(&self) -> Result<(Change, Rights), Problem> {
        let change = begin(&self.app, &self.caller).await?;
        Ok((change, administered(&self.app, &self.caller, &self.name)?))
    }

    fn exists(&self) -> Result<(), Problem> {
        if self.app.directory.has_project(&self.name) {
            Ok(())
        } else {
            Err(Problem::not_found())
        }
    }

    fn catalog_version(&self) -> String {
        etag::of(self.app.directory.version::<StoredCatalog>(&self.name))
    }

    fn version(&self) -> String {
        etag::of(self.app.directory.version::<records::Project>(&self.name))
    }

    /// An act of the caller that is about the project.
    fn act(&self, home: &str, action: &'static str) -> Act {
        Act::of_project(&self.caller, home, action).target(Target::new("project", self.name.as_str(), None))
    }

    fn described(&self, status: StatusCode) -> Response {
        let stored = self.app.directory.get::<records::Project>(&self.name);
        let scope = RetentionScope::Project(self.name.as_str().into());
        let project = Project {
            name: self.name.clone(),
            organizations: stored
                .as_ref()
                .map_or_else(Organizations::default, |stored| stored.organizations),
            policy: policies::in_force(&self.app, &scope, stored.as_ref().map(|stored| &stored.policy)),
            pending_retention: policies::pending(&self.app, &scope),
        };
        etag::tagged(json_with(status, &project), self.version())
    }
}

/// The projects, for operators.
#[utoipa::path(get, path = "/v1/projects", tag = "Administration",
    responses((status = 200, description = "Their names", body = Projects)))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    operators_only(&app, &caller)?;
    Parameters::read(query.as_deref(), &NOTHING)?;
    let mut projects: Vec<String> = app
        .directory
        .state()
        .projects
        .all()
        .map(|project| project.name.clone())
        .collect();
    projects.push(DEFAULT_PROJECT.to_owned());
    projects.sort_unstable();
    projects.dedup();
    Ok(json(&Projects { projects }))
}

/// How a project is set up.
#[utoipa::path(get, path = "/v1/projects/{project}", tag = "Administration",
    responses((status = 200, description = "The project; ETag names its version", body = Project),
        (status = 404, description = "No such project", body = Document<'static>)))]
pub(crate) async fn project(of: OfProject) -> Result<Response, Problem> {
    of.exists()?;
    Ok(of.described(StatusCode::OK))
}

/// Sets a project up, or makes it; making is for operators.
#[utoipa::path(put, path = "/v1/projects/{project}", tag = "Administration",
    params(("If-Match" = Option<String>, Header, description = "Only when the project is at this version")),
    request_body(content = ProjectRequest),
    responses((status = 200, description = "The project as it is now", body = Project),
        (status = 201, description = "The project was made", body = Project),
        (status = 412, description = "It is at another version", body = Document<'static>),
        (status = 422, description = "The request breaks a rule", body = Document<'static>)))]
pub(crate) async fn set_up(of: OfProject, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let (app, name) = (&of.app, &of.name);
    let request: ProjectRequest = document(app, &headers, body).await?;
    check_name(name, request.name.as_deref())?;
    let after = policies::read(request.policy.as_ref())?;
    let (mut change, rights) = of.begin().await?;
    let makes = !app.directory.has_project(name);
    if makes {
        operators_only(app, &of.caller)?;
        check_room(app)?;
    }
    etag::check(&headers, of.version())?;
    let stored = app.directory.get::<records::Project>(name);
    let scope = RetentionScope::Project(name.as_str().into());
    let setting = Setting {
        app,
        caller: &of.caller,
        rights,
        before: policies::as_set(app, &scope, stored.as_ref().map(|stored| &stored.policy)),
        after,
        scope,
    };
    let before = stored.map_or_else(Organizations::default, |stored| stored.organizations);
    if !makes && setting.is_unchanged() && before == request.organizations {
        return Ok(of.described(StatusCode::OK));
    }
    setting.check()?;
    let word = |organizations: Organizations| serde_json::json!(organizations);
    if makes {
        let made = of.act(DEFAULT_PROJECT, "trailbook.project.created");
        change.act(made.with("organizations", word(request.organizations)));
    } else {
        let changed = of.act(DEFAULT_PROJECT, "trailbook.project.changed");
        let changed = changed.changed("organizations", Some(word(before)), Some(word(request.organizations)));
        if !changed.is_unchanged() {
            change.act(changed);
        }
    }
    setting.make(&mut change, &|action| of.act(name, action));
    change.put(records::Project {
        name: name.clone(),
        organizations: request.organizations,
        policy: setting.stored(),
    })?;
    change.commit().await?;
    Ok(of.described(if makes { StatusCode::CREATED } else { StatusCode::OK }))
}

/// Deletes a project that has no events, with its people, keys and settings. For operators.
#[utoipa::path(delete, path = "/v1/projects/{project}", tag = "Administration",
    responses((status = 204, description = "It is gone"),
        (status = 409, description = "It has events, or is the default project", body = Document<'static>)))]
pub(crate) async fn delete(of: OfProject) -> Result<Response, Problem> {
    operators_only(&of.app, &of.caller)?;
    let (app, name) = (&of.app, &of.name);
    let (mut change, _) = of.begin().await?;
    of.exists()?;
    if name == DEFAULT_PROJECT {
        return Err(Problem::new(Code::InUse, "The default project is always there."));
    }
    let heads = app.ledger.heads().into_iter();
    let has_events = |(key, head): (OrganizationKey, trailbook_ledger::Head)| {
        key.project() == name && key.organization() != SYSTEM && head.size > 0
    };
    if heads.into_iter().any(has_events) {
        let detail = "Organizations of the project have events, which nobody deletes.";
        return Err(Problem::new(Code::InUse, detail));
    }
    change.act(of.act(DEFAULT_PROJECT, "trailbook.project.deleted"));
    change.remove::<records::Project>(name);
    change.remove::<StoredCatalog>(name);
    remove_contents(app, name, &mut change);
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn remove_contents(app: &App, name: &str, change: &mut Change) {
    let directory = &app.directory;
    for key in directory.of::<ApiKey>(name) {
        change.remove::<ApiKey>(&key.id);
    }
    remove_deliveries(app, name, change);
    forget_retention(app, RetentionScope::Project(name.into()), change);
    let organizations = directory.of::<records::Organization>(name);
    let declared = organizations.iter().map(|organization| organization.name.clone());
    for organization in declared.chain([SYSTEM.to_owned()]) {
        let owner = owner(&OrganizationKey::new(name, organization.as_str()));
        for user in directory.of::<User>(&owner) {
            directory
                .of::<Session>(&user.id)
                .iter()
                .for_each(|session| change.remove::<Session>(&session.id));
            directory
                .of::<Link>(&user.id)
                .iter()
                .for_each(|link| change.remove::<Link>(&link.id));
            change.remove::<User>(&user.id);
        }
        directory
            .of::<ViewerToken>(&owner)
            .iter()
            .for_each(|token| change.remove::<ViewerToken>(&token.id));
        directory
            .of::<SavedView>(&owner)
            .iter()
            .for_each(|view| change.remove::<SavedView>(&view.id));
        remove_deliveries(app, &owner, change);
        let organization = OrganizationKey::new(name, organization.as_str());
        forget_retention(app, (&organization).into(), change);
        change.remove::<SingleSignOn>(&owner);
        change.remove::<records::Organization>(&owner);
    }
}

/// Removes the streams, alerts and exports of an owner. The exports' files are swept.
fn remove_deliveries(app: &App, owner: &str, change: &mut Change) {
    for stream in app.directory.of::<Stream>(owner) {
        app.directory.remove_stream(change, &stream.id);
    }
    for alert in app.directory.of::<Alert>(owner) {
        app.directory.remove_alert(change, &alert.id);
    }
    for export in app.directory.of::<Export>(owner) {
        change.remove::<Export>(&export.id);
    }
}

/// A project of the same name that is made later is another one.
fn forget_retention(app: &App, scope: RetentionScope, change: &mut Change) {
    if app.ledger.own_retention(scope.clone()).is_some() {
        change.retention(RetentionChange {
            scope,
            days: None,
            legal_hold: None,
        });
    }
}

/// The project's catalog, as it was sent.
#[utoipa::path(get, path = "/v1/projects/{project}/catalog", tag = "Administration",
    responses((status = 200, description = "The catalog; ETag names its version", body = String, content_type = "application/toml"),
        (status = 404, description = "No catalog was set", body = Document<'static>)))]
pub(crate) async fn catalog(of: OfProject) -> Result<Response, Problem> {
    of.exists()?;
    let stored = of
        .app
        .directory
        .get::<StoredCatalog>(&of.name)
        .ok_or_else(Problem::not_found)?;
    let kind = match stored.format {
        CatalogFormat::Toml => "application/toml",
        CatalogFormat::Json => "application/json",
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")];
    Ok(etag::tagged(
        (headers, stored.text.clone()).into_response(),
        of.catalog_version(),
    ))
}

/// What became of a catalog.
#[derive(Serialize, ToSchema)]
pub(crate) struct CatalogSet {
    /// Counts the project's catalogs, from 1.
    revision: u64,
    /// Actions that it knows.
    actions: usize,
}

/// Sets the project's catalog, written in TOML or JSON; refused as a whole with every fault.
#[utoipa::path(put, path = "/v1/projects/{project}/catalog", tag = "Administration",
    params(("If-Match" = Option<String>, Header, description = "Only when the catalog is at this version")),
    request_body(content = String, content_type = "application/toml"),
    responses((status = 200, description = "The catalog is in force", body = CatalogSet),
        (status = 412, description = "It is at another version", body = Document<'static>),
        (status = 422, description = "It has faults", body = Document<'static>)))]
pub(crate) async fn set_catalog(of: OfProject, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    of.exists()?;
    let format = format(&headers)?;
    // Any text: the catalog's own reader looks at it.
    let received = of.app.bodies.receive_any(&headers, body, Format::Json).await?;
    let text = std::str::from_utf8(&received.bytes);
    let text = text.map_err(|_| Problem::new(Code::MalformedBody, "A catalog is UTF-8."))?;
    let compiled = tokio::task::block_in_place(|| catalog::compiled(format, text)).map_err(faulty)?;
    let (mut change, _) = of.begin().await?;
    of.exists()?;
    let stored = of.app.directory.get::<StoredCatalog>(&of.name);
    let before = stored.as_ref().map_or(0, |stored| stored.revision);
    etag::check(&headers, of.catalog_version())?;
    let answer = |revision| {
        let set = CatalogSet {
            revision,
            actions: compiled.catalog.actions().len(),
        };
        etag::tagged(json(&set), of.catalog_version())
    };
    if stored.is_some_and(|stored| stored.text == text && stored.format == format) {
        return Ok(answer(before));
    }
    let act = of.act(&of.name, "trailbook.catalog.changed");
    let act = act.changed(
        "revision",
        (before > 0).then(|| before.into()),
        Some((before + 1).into()),
    );
    change.act(act.with("actions", compiled.catalog.actions().len()));
    change.put(StoredCatalog {
        project: of.name.clone(),
        revision: before + 1,
        format,
        text: text.to_owned(),
    })?;
    change.commit().await?;
    Ok(answer(before + 1))
}

/// How a catalog is written.
fn format(headers: &HeaderMap) -> Result<CatalogFormat, Problem> {
    let kind = single(headers, &header::CONTENT_TYPE)?.unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/toml" => Ok(CatalogFormat::Toml),
        "application/json" => Ok(CatalogFormat::Json),
        _ => Err(Problem::new(
            Code::UnsupportedMediaType,
            "Content-Type must be application/toml or application/json.",
        )),
    }
}

/// Every fault of a catalog, at its place.
fn faulty(faults: Vec<CatalogFault>) -> Problem {
    let fault = |fault: CatalogFault| {
        let line = fault.line.map(|line| format!(" (line {line})")).unwrap_or_default();
        Fault::new(pointer(&fault.path), format!("{}{line}", fault.detail))
    };
    Problem::faults(Code::Invalid, faults.into_iter().map(fault).collect())
}

/// `actions[3].metadata` as a JSON pointer.
fn pointer(path: &str) -> Pointer {
    let steps = path.split(['.', '[']).filter(|step| !step.is_empty());
    steps.fold(Pointer::root(), |at, step| {
        match step.strip_suffix(']').map(str::parse) {
            Some(Ok(index)) => at.index(index),
            _ => at.child(step.trim_matches('"')),
        }
    })
}

fn check_name(name: &str, named: Option<&str>) -> Result<(), Problem> {
    if named.is_some_and(|named| named != name) {
        let detail = "It must be the name in the path: a project keeps its name.";
        return Err(Problem::fault(Code::Invalid, Pointer::root().child("name"), detail));
    }
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    if (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(is_plain) && !name.starts_with('_') {
        return Ok(());
    }
    let detail = "A project's name has 1 to 64 of a to z, 0 to 9, - and _, and does not begin with _.";
    Err(Problem::fault(Code::Invalid, Pointer::root(), detail))
}

fn check_room(app: &App) -> Result<(), Problem> {
    if app.directory.state().projects.all().count() < PROJECTS_MAX {
        return Ok(());
    }
    let detail = format!("A deployment has at most {PROJECTS_MAX} projects.");
    Err(Problem::fault(Code::Invalid, Pointer::root(), detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_catalog_is_a_pointer() {
        assert_eq!(pointer("actions[3].metadata").as_str(), "/actions/3/metadata");
        assert_eq!(pointer("areas[0]").as_str(), "/areas/0");
        assert_eq!(pointer("").as_str(), "");
    }
}
