//! The API's description (OpenAPI 3.1), generated from the handlers, and a page that shows it without any network.
//!
//! Routes are registered together with their descriptions, and query parameters come from the [`Accepts`] that also
//! checks requests: neither can be forgotten. The document is kept in docs/openapi.json; a test fails when it drifts.

use std::sync::{Arc, OnceLock};

use axum::{
    Router,
    http::header,
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;
use trailbook_event::Field;
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        self, Object, RefOr, Required, Schema, Type,
        path::{Operation, ParameterBuilder, ParameterIn, PathItem},
        schema::{ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    access::SESSION_COOKIE,
    aggregate, alerts, applies, assets, backups, embed, evidence, exports, files, health, ingest, keys, live,
    organizations,
    parameters::{Accepts, Kind, Parameter, RANGE_AND_QUERY},
    problem::Document,
    projects, proof, reads, redact, reference, sign_in, single_sign_on, stats, streams, tokens, users, views,
};

/// An event, as sent. What may be left out is nullable.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventSent {
    /// Your own id of this event, at most 128 characters; repeating it within 24 hours stores nothing twice.
    client_id: Option<String>,
    /// The customer whose ledger the event belongs to.
    organization: String,
    /// When it happened (RFC 3339 with an offset); the time of receipt by default.
    #[schema(format = DateTime)]
    occurred_at: Option<String>,
    /// What was done, such as `user.role.updated`.
    action: String,
    /// create, read, update, delete, login, logout, export, approve, invite, execute, other, or the catalog's own.
    action_type: Option<String>,
    area: Option<String>,
    product: Option<String>,
    description: Option<String>,
    security: Option<bool>,
    /// success (the default), failure or denied.
    result: Option<String>,
    actor: ActorSchema,
    targets: Option<Vec<TargetSchema>>,
    context: Option<ContextSchema>,
    changes: Option<Vec<ChangeSchema>>,
    /// Joins the events of one operation.
    trace_id: Option<String>,
    /// Any JSON object.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    message: Option<String>,
}

/// An event, as returned: the canonical bytes that were hashed, inside an envelope.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventReturned {
    /// The Log ID: a UUIDv7 made by the server, in order of receipt.
    id: String,
    project: String,
    /// Position in the organization's ledger, from 0, without gaps.
    sequence: u64,
    epoch: u32,
    received_at: String,
    /// Null when it is kept for ever.
    #[schema(required)]
    expires_at: Option<String>,
    /// ISO 3166-1 alpha-2 of the address at admission.
    #[schema(required)]
    country: Option<String>,
    /// Names of the parts that were removed.
    redacted: Vec<String>,
    #[serde(flatten)]
    event: EventSent,
}

/// One event, or a batch.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what `trailbook_event::admit_body` reads")]
pub(crate) enum Batch {
    /// One event.
    One(Box<EventSent>),
    /// At most 10,000 events, stored together or not at all.
    Many {
        /// The events.
        events: Vec<EventSent>,
    },
}

/// Who did it.
#[derive(Serialize, ToSchema)]
#[schema(as = Actor)]
pub(crate) struct ActorSchema {
    /// user (the default), service, system, anonymous, unknown, or the product's own word.
    r#type: Option<String>,
    /// Required unless `type` is system, anonymous or unknown.
    id: Option<String>,
    name: Option<String>,
    email: Option<String>,
    team: Option<String>,
}

/// What it was done to. Has an id or a name.
#[derive(Serialize, ToSchema)]
#[schema(as = Target)]
pub(crate) struct TargetSchema {
    r#type: String,
    id: Option<String>,
    name: Option<String>,
    email: Option<String>,
}

/// Where it came from.
#[derive(Serialize, ToSchema)]
#[schema(as = Context)]
pub(crate) struct ContextSchema {
    ip: Option<String>,
    user_agent: Option<String>,
    url: Option<String>,
    referrer: Option<String>,
}

/// One changed field. An absent `before` or `after` means that it did not exist; null is a value.
#[derive(Serialize, ToSchema)]
#[schema(as = Change)]
pub(crate) struct ChangeSchema {
    field: String,
    before: Option<Value>,
    after: Option<Value>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Trailbook",
        description = "An audit log that a product embeds for its customers. Problems: docs/problems.md.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Document<'static>, EventReturned)),
    security(("bearer" = [])),
    modifiers(&Credentials)
)]
struct Description;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The root key, an API key or a viewer token."))
            .build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
        let cookie = ApiKeyValue::with_description(
            SESSION_COOKIE,
            "A session of the console. Whatever changes something also needs the header Trailbook-Console: 1.",
        );
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

const ORGANIZATION: &str = "/v1/organizations/{organization}";

/// What each filtered or parametrised endpoint accepts, by method and path.
fn accepted() -> Vec<(&'static str, String, &'static Accepts)> {
    let below = |path: &str| format!("{ORGANIZATION}{path}");
    vec![
        ("get", "/v1/organizations".into(), &organizations::LIST),
        ("post", "/v1/events".into(), &ingest::ACCEPTS),
        ("post", "/v1/events/validate".into(), &ingest::ACCEPTS),
        ("get", below("/events"), &reads::PAGE),
        ("get", below("/events/{id}"), &reads::ONE),
        ("get", below("/events/count"), &reads::COUNT),
        ("get", below("/events/facets"), &reads::FACETS),
        ("get", below("/events/histogram"), &reads::HISTOGRAM),
        ("get", below("/events/live"), &live::ACCEPTS),
        ("get", below("/events.csv"), &files::CSV),
        ("get", below("/events.jsonl"), &files::JSONL),
        ("get", below("/events.parquet"), &files::PARQUET),
        ("get", below("/events.evidence"), &evidence::EVIDENCE),
        ("get", below("/checkpoint"), &proof::SIZED),
        ("get", below("/events/{id}/proof"), &proof::SIZED),
        ("get", below("/consistency"), &proof::BETWEEN),
        ("delete", below("/viewer-tokens"), &tokens::REVOKING),
        ("get", "/auth/single-sign-on".into(), &single_sign_on::BEGINNING),
    ]
}

/// All routes with their descriptions.
pub(crate) fn routes() -> (Router<Arc<App>>, openapi::OpenApi) {
    let (router, mut document) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(ingest::ingest))
        .routes(routes!(ingest::validate))
        .routes(routes!(reads::page))
        .routes(routes!(reads::count))
        .routes(routes!(reads::facets))
        .routes(routes!(reads::histogram))
        .routes(routes!(aggregate::aggregate))
        .routes(routes!(live::live))
        .routes(routes!(reads::one))
        .routes(routes!(reads::trace))
        .routes(routes!(applies::policy))
        .routes(routes!(projects::list))
        .routes(routes!(projects::project, projects::set_up, projects::delete))
        .routes(routes!(projects::catalog, projects::set_catalog))
        .routes(routes!(organizations::list))
        .routes(routes!(organizations::organization, organizations::set_up))
        .routes(routes!(redact::redact))
        .routes(routes!(files::csv))
        .routes(routes!(files::jsonl))
        .routes(routes!(files::parquet))
        .routes(routes!(evidence::evidence))
        .routes(routes!(proof::checkpoint))
        .routes(routes!(proof::checkpoint_key))
        .routes(routes!(proof::inclusion))
        .routes(routes!(proof::consistency))
        .routes(routes!(proof::tlog_checkpoint))
        .routes(routes!(proof::tile))
        .routes(routes!(keys::list, keys::make))
        .routes(routes!(keys::revoke))
        .routes(routes!(tokens::list, tokens::make, tokens::revoke_of_actor))
        .routes(routes!(tokens::revoke))
        .routes(routes!(views::list, views::save))
        .routes(routes!(views::open, views::replace, views::remove))
        .routes(routes!(exports::list, exports::create))
        .routes(routes!(exports::show, exports::remove))
        .routes(routes!(exports::download))
        .routes(routes!(exports::linked))
        .routes(routes!(alerts::list, alerts::create))
        .routes(routes!(alerts::show, alerts::replace, alerts::remove))
        .routes(routes!(alerts::test))
        .routes(routes!(streams::list, streams::create))
        .routes(routes!(streams::show, streams::replace, streams::remove))
        .routes(routes!(streams::test))
        .routes(routes!(streams::pause))
        .routes(routes!(streams::resume))
        .routes(routes!(streams::replay))
        .routes(routes!(streams::parked, streams::drop_parked))
        .routes(routes!(streams::retry_parked))
        .routes(routes!(streams::list_of_project, streams::create_of_project))
        .routes(routes!(
            streams::show_of_project,
            streams::replace_of_project,
            streams::remove_of_project
        ))
        .routes(routes!(streams::test_of_project))
        .routes(routes!(streams::pause_of_project))
        .routes(routes!(streams::resume_of_project))
        .routes(routes!(streams::replay_of_project))
        .routes(routes!(streams::parked_of_project, streams::drop_parked_of_project))
        .routes(routes!(streams::retry_parked_of_project))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::one, users::change, users::remove))
        .routes(routes!(users::set_permissions))
        .routes(routes!(users::reset_password))
        .routes(routes!(sign_in::sign_in))
        .routes(routes!(sign_in::sign_out))
        .routes(routes!(sign_in::session))
        .routes(routes!(sign_in::request_reset))
        .routes(routes!(sign_in::set_password))
        .routes(routes!(sign_in::change_password))
        .routes(routes!(single_sign_on::begin))
        .routes(routes!(single_sign_on::callback))
        .routes(routes!(
            single_sign_on::show,
            single_sign_on::set,
            single_sign_on::remove
        ))
        .routes(routes!(embed::page))
        .routes(routes!(stats::stats))
        .routes(routes!(backups::hold_objects, backups::end_backup))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(health::version))
        .routes(routes!(health::metrics))
        .routes(routes!(json))
        .routes(routes!(page))
        .routes(routes!(style))
        .split_for_parts();
    describe_parameters(&mut document);
    (router, document)
}

/// The OpenAPI document as text.
pub(crate) fn document() -> &'static str {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    DOCUMENT.get_or_init(|| routes().1.to_pretty_json().expect("the description is valid JSON") + "\n")
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "Health", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = String, content_type = "application/json")))]
pub(crate) async fn json() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document()).into_response()
}

/// This description, to read.
#[utoipa::path(get, path = "/docs/api", tag = "Health", security(()),
    responses((status = 200, description = "A page", body = String, content_type = "text/html")))]
pub(crate) async fn page() -> Response {
    static PAGE: OnceLock<String> = OnceLock::new();
    let page = PAGE.get_or_init(|| reference::page(document()));
    assets::secured(Html(page.as_str()).into_response())
}

/// The style of that page.
#[utoipa::path(get, path = "/docs/api.css", tag = "Health", security(()),
    responses((status = 200, description = "A style sheet", body = String, content_type = "text/css")))]
pub(crate) async fn style() -> Response {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
        reference::STYLE_SHEET,
    )
        .into_response()
}

fn describe_parameters(document: &mut openapi::OpenApi) {
    let paths = std::mem::take(&mut document.paths.paths);
    for (path, mut item) in paths {
        let path = path.replace("{*", "{");
        let named = path.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
        for (name, _) in named {
            operations(&mut item).for_each(|(_, operation)| name_in_path(operation, name));
        }
        for (method, operation) in operations(&mut item) {
            let known = accepted().into_iter().find(|(of, at, _)| *of == method && *at == path);
            if let Some((_, _, accepts)) = known {
                describe(operation, accepts);
            }
        }
        document.paths.paths.insert(path, item);
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    all.into_iter()
        .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

/// Describes a part of the path, unless the handler does.
fn name_in_path(operation: &mut Operation, name: &str) {
    let known = operation.parameters.iter().flatten();
    if known
        .into_iter()
        .any(|known| matches!(known, RefOr::T(known) if known.name == name))
    {
        return;
    }
    let text = Schema::Object(Object::with_type(Type::String));
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
    add(operation, parameter.required(Required::True).schema(Some(text)));
}

fn describe(operation: &mut Operation, accepts: &Accepts) {
    let common = RANGE_AND_QUERY.iter().filter(|_| accepts.filters);
    for parameter in accepts.own.iter().chain(common) {
        let described = query(parameter.name, parameter.description, schema(parameter));
        add(operation, described);
    }
    if !accepts.filters {
        return;
    }
    for name in Field::names() {
        let texts = texts();
        add(
            operation,
            query(
                name,
                "Any of the values; a `*` at the end makes a prefix.",
                texts.clone(),
            ),
        );
        add(operation, query(&format!("-{name}"), "None of the values.", texts));
    }
    add(
        operation,
        query(
            "metadata.PATH",
            "The value at a path of the metadata; `\\.` escapes a dot.",
            texts(),
        ),
    );
}

fn add(operation: &mut Operation, parameter: ParameterBuilder) {
    operation
        .parameters
        .get_or_insert_default()
        .push(parameter.build().into());
}

fn query(name: &str, description: &str, schema: RefOr<Schema>) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
}

fn texts() -> RefOr<Schema> {
    ArrayBuilder::new().items(Object::with_type(Type::String)).into()
}

fn schema(parameter: &Parameter) -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String);
    match parameter.kind {
        Kind::Text => text.into(),
        Kind::Texts => texts(),
        Kind::Choice(choices) => text.enum_values(Some(choices.iter().copied())).into(),
        Kind::Number(low, high) => {
            let number = ObjectBuilder::new().schema_type(Type::Integer);
            number.minimum(Some(low as f64)).maximum(Some(high as f64)).into()
        }
        Kind::Time => text
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    #[allow(
        clippy::disallowed_methods,
        reason = "the wish to rewrite the file comes from the command line"
    )]
    fn the_kept_document_is_the_generated_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, document()).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            kept == document(),
            "docs/openapi.json differs from the code; run this test with UPDATE_GOLDEN=1 to rewrite it"
        );
    }

    #[test]
    fn every_parametrised_endpoint_exists() {
        let document = routes().1;
        for (_, path, _) in accepted() {
            assert!(document.paths.paths.contains_key(&path), "{path}");
        }
    }
}
