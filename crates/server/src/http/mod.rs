//! The HTTP side of the server: one gate that every request passes, and the routes behind it.
//!
//! A request's way: an id → the credential (`access`) → the route → the answer, with refusals rendered as problems.
//! The gate is a plain function, not a stack of middleware: single-event requests pay for every layer.
//!
//! Invariants
//! - Nothing under `/v1/` is answered before its credential was checked.
//! - A panic in a handler becomes a 500 without details and is counted.
//! - Neither paths, query strings, headers nor bodies are logged.

mod access;
pub(crate) mod aggregate;
mod alerts;
mod answers;
mod applies;
mod ask;
mod assets;
mod backups;
mod body;
mod embed;
mod etag;
pub(crate) mod evidence;
mod exports;
pub(crate) mod files;
mod health;
mod ingest;
mod keys;
mod live;
mod manage;
mod mappings;
mod measures;
mod openapi;
mod organizations;
mod parameters;
mod policies;
mod problem;
mod projects;
mod proof;
mod rates;
pub(crate) mod reads;
mod redact;
mod reference;
mod rules;
mod sign_in;
mod single_sign_on;
mod stats;
mod streams;
mod tokens;
mod users;
mod viewed;
mod views;
mod words;

use std::{
    convert::Infallible,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderName, HeaderValue, Request, Response, StatusCode, header},
    response::IntoResponse,
};
use futures::FutureExt;
use tokio::sync::{Semaphore, watch};
use tower::Service;
use trailbook_access::{Caller, DEFAULT_PROJECT, Directory, People};
use trailbook_deliver::alert::Alerts;
use trailbook_event as event;
use trailbook_import::Vocabulary;
use trailbook_ledger::{Clock, Ledger, OrganizationKey};
use trailbook_query::{CacheSizes, Engine};

use self::{
    ask::Journal, assets::Assets, body::Bodies, embed::Crossing, measures::Measures, problem::Problem, rates::Rates,
    viewed::Viewed,
};
pub(crate) use exports::{downloads_secret, file_name, kind, link};
pub(crate) use mappings::write as write_payload;
pub(crate) use single_sign_on::CALLBACK;

use crate::{
    alerts::Messenger, catalog::Catalogs, config::Limits, country::Countries, deliveries::Deliveries, exports::Exports,
    mail::Post, root_key::RootKey, single_sign_on::SingleSignOn,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Everything that handlers share.
pub(crate) struct App {
    pub(crate) ledger: Ledger,
    /// Answers questions over the ledger.
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) root_key: RootKey,
    pub(crate) countries: Arc<Countries>,
    /// Projects, organizations, people, credentials.
    pub(crate) directory: Arc<Directory>,
    /// The people of the console.
    pub(crate) people: Arc<People>,
    /// Signing in at identity providers; `None` without a public URL.
    pub(crate) single_sign_on: Option<SingleSignOn>,
    /// The way to the mail server.
    pub(crate) post: Post,
    /// Streams, and what they work with.
    pub(crate) deliveries: Deliveries,
    /// Alerts, and how they tell.
    pub(crate) alerts: Arc<Alerts>,
    /// Files on request.
    pub(crate) exports: Exports,
    /// What download links are signed with.
    pub(crate) downloads_secret: [u8; 32],
    /// Free places for password resets that are dealt with after the answer.
    pub(crate) resets: Arc<Semaphore>,
    /// Who looked lately.
    pub(crate) viewed: Viewed,
    /// How much callers and organizations may ask.
    pub(crate) rates: Rates,
    /// Proxies before this server whose X-Forwarded-For is believed.
    pub(crate) trusted_proxies: usize,
    /// Where people reach this server, without a slash at the end; empty when nobody said.
    pub(crate) public_url: String,
    /// The catalogs of the projects.
    catalogs: Arc<Catalogs>,
    /// The page.
    assets: Assets,
    /// Limits of admission.
    pub(crate) admission: event::Limits,
    /// The memory for bodies.
    pub(crate) bodies: Bodies,
    pub(crate) measures: Measures,
    pub(crate) default_project: Arc<str>,
    /// Free places for live feeds.
    pub(crate) live: Arc<Semaphore>,
    /// Turns true when the server stops: live feeds end then.
    pub(crate) stopping: watch::Receiver<bool>,
    request_ids: RequestIds,
}

/// What [`App::new`] is made of.
pub(crate) struct Components {
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) root_key: RootKey,
    pub(crate) countries: Arc<Countries>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) catalogs: Arc<Catalogs>,
    pub(crate) deliveries: Deliveries,
    pub(crate) exports: Exports,
    pub(crate) people: Arc<People>,
    pub(crate) single_sign_on: Option<SingleSignOn>,
    pub(crate) post: Post,
    /// Where people reach this server, without a slash at the end; empty when nobody said.
    pub(crate) public_url: String,
    pub(crate) stopping: watch::Receiver<bool>,
    /// Distinguishes this process's request ids from those before a restart.
    pub(crate) run: u32,
}

impl App {
    /// The application over its components.
    pub(crate) fn new(components: Components, limits: &Limits) -> Self {
        let cache = CacheSizes {
            index_bytes: limits.index_cache_bytes as u64,
            row_bytes: limits.row_cache_bytes as u64,
        };
        let engine = Engine::new(components.ledger.clone(), components.ledger.secret("cursor"), cache);
        let messenger = Messenger::new(components.deliveries.workshop.clone(), components.post.clone());
        let alerts = Alerts::new(
            components.directory.clone(),
            engine.clone(),
            components.clock.clone(),
            Arc::new(messenger),
            &components.public_url,
        );
        Self {
            measures: Measures::new(
                components.ledger.clone(),
                engine.clone(),
                components.people.clone(),
                (components.directory.clone(), components.deliveries.streams.clone()),
                &components.post,
            ),
            people: components.people,
            single_sign_on: components.single_sign_on,
            post: components.post,
            deliveries: components.deliveries,
            alerts: Arc::new(alerts),
            exports: components.exports,
            downloads_secret: downloads_secret(&components.ledger),
            resets: Arc::new(Semaphore::new(sign_in::RESETS_AT_ONCE)),
            engine,
            clock: components.clock,
            root_key: components.root_key,
            countries: components.countries,
            directory: components.directory,
            viewed: Viewed::default(),
            rates: Rates::new(
                limits.caller_requests_per_second,
                limits.organization_events_per_second,
                u32::try_from(limits.batch_events).unwrap_or(u32::MAX),
            ),
            trusted_proxies: limits.trusted_proxies,
            public_url: components.public_url,
            catalogs: components.catalogs,
            assets: Assets::embedded(),
            admission: event::Limits {
                event_bytes_max: limits.event_bytes,
                events_max: limits.batch_events,
                ..event::Limits::default()
            },
            bodies: Bodies::new(limits.clone()),
            ledger: components.ledger,
            default_project: DEFAULT_PROJECT.into(),
            live: Arc::new(Semaphore::new(limits.live_connections)),
            stopping: components.stopping,
            request_ids: RequestIds {
                run: components.run,
                next: AtomicU64::new(0),
            },
        }
    }

    /// The catalog of a project, with its mappings.
    pub(crate) fn vocabulary(&self, project: &str) -> Option<Arc<Vocabulary>> {
        self.catalogs.of(&self.directory, project)
    }

    /// How long an organization's events are kept, milliseconds; `None` is for ever.
    pub(crate) fn kept_ms(&self, organization: &OrganizationKey) -> Option<i64> {
        let retention = self.ledger.retention(organization);
        retention.expires_at(0, self.clock.now().millis())
    }
}

/// Sixteen hexadecimal digits a request: the process's run and a count.
struct RequestIds {
    run: u32,
    next: AtomicU64,
}

impl RequestIds {
    fn next(&self) -> String {
        format!("{:08x}{:08x}", self.run, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// All routes. Clones share them.
pub(crate) fn router(app: Arc<App>) -> Router {
    openapi::routes().0.fallback(assets::page).with_state(app)
}

/// Answers one request.
pub(crate) async fn answer(
    app: Arc<App>,
    router: Router,
    peer: SocketAddr,
    request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    let (started, id) = (app.clock.monotonic(), app.request_ids.next());
    let surface = measures::Surface::of(request.uri().path());
    let journal = Journal::default();
    let crossing = Crossing::of(&request);
    let leave = crossing.as_ref().and_then(|crossing| crossing.leave(&app));
    let (response, project) = match leave {
        Some(leave) => (leave, None),
        None => handle(&app, router, peer, request, &journal).await,
    };
    let mut response = finish(response, &id);
    if let Some(crossing) = crossing {
        crossing.share(&app, project.as_deref(), &mut response);
    }
    if response.status().is_success() {
        record(&app, &journal).await;
    }
    let took = app.clock.monotonic().saturating_sub(started);
    app.measures.answered(surface, response.status(), took);
    log(&id, surface, response.status(), took);
    Ok(response)
}

/// The answer, and the project that the caller means; of who has not proved who they are it is not known.
async fn handle(
    app: &App,
    mut router: Router,
    peer: SocketAddr,
    mut request: Request<Body>,
    journal: &Journal,
) -> (Response<Body>, Option<Arc<str>>) {
    let admitted = admit(app, peer, &mut request, journal);
    let caller = request.extensions().get::<Caller>();
    let project = caller.map(|caller| caller.project.clone());
    let response = match admitted {
        Err(problem) => problem.into_response(),
        Ok(()) => match AssertUnwindSafe(router.call(request)).catch_unwind().await {
            Ok(Ok(response)) => response,
            Err(_) => {
                app.measures.panicked();
                Problem::internal().into_response()
            }
        },
    };
    (response, project)
}

fn admit(app: &App, peer: SocketAddr, request: &mut Request<Body>, journal: &Journal) -> Result<(), Problem> {
    let path = request.uri().path();
    if path == "/metrics" {
        access::check_metrics(app, request.headers(), peer)?;
    } else if access::is_public(path) {
        let origin = access::origin(app, request.headers(), peer);
        request.extensions_mut().insert(origin);
    } else {
        let caller = access::check(app, request.method(), request.headers(), peer)?;
        app.rates.request(&caller)?;
        request.extensions_mut().insert(caller);
        request.extensions_mut().insert(journal.clone());
    }
    Ok(())
}

/// Records what the request did. An answer that was made is given even when that fails: reading goes on while writing is refused.
async fn record(app: &App, journal: &Journal) {
    for entry in journal.take() {
        let now = app.clock.monotonic();
        let known = entry.look.as_ref();
        if known.is_some_and(|(caller, organization)| !app.viewed.is_new(caller, organization, now)) {
            continue;
        }
        if let Err(error) = app.directory.record(&entry.act).await {
            if let Some((caller, organization)) = &entry.look {
                app.viewed.forget(caller, organization);
            }
            app.measures.unrecorded.inc();
            tracing::warn!(%error, "that somebody read could not be recorded");
        }
    }
}

/// Renders problems, the router's own refusals included, and names the request.
fn finish(mut response: Response<Body>, id: &str) -> Response<Body> {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = problem.render(id);
    } else if let Some(problem) = own_problem(&response) {
        let allow = response.headers_mut().remove(header::ALLOW);
        response = problem.render(id);
        allow.and_then(|allow| response.headers_mut().insert(header::ALLOW, allow));
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The router refuses without a body of ours.
fn own_problem(response: &Response<Body>) -> Option<Problem> {
    match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => Some(Problem::new(
            problem::Code::MethodNotAllowed,
            "The path exists with the methods of the header Allow.",
        )),
        StatusCode::NOT_FOUND => Some(Problem::not_found()),
        _ => None,
    }
}

fn log(id: &str, surface: measures::Surface, status: StatusCode, took: Duration) {
    let (surface, status, ms) = (surface.name(), status.as_u16(), took.as_secs_f64() * 1e3);
    if status >= 500 {
        tracing::warn!(request_id = id, surface, status, ms, "request failed");
    } else {
        tracing::debug!(request_id = id, surface, status, ms, "request");
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use axum::{body::to_bytes, routing::get};
    use trailbook_access::{PolicySettings, password::Passwords};
    use trailbook_deliver::outbound::{Allowed, Outbound};
    use trailbook_ledger::Random;

    use super::*;
    use crate::{
        config::Settings,
        deliveries::Workshop,
        encryption::EncryptionKey,
        inputs::{OsRandom, SystemClock},
        store,
    };

    pub(crate) async fn app(data: &std::path::Path) -> Arc<App> {
        let clock = Arc::new(SystemClock::start());
        let parts = store::parts(
            data,
            store::ObjectSettings::DATA,
            trailbook_ledger::Limits::default(),
            clock.clone(),
            Arc::new(OsRandom),
        );
        let parts = parts.expect("parts");
        let objects = parts.objects.clone();
        let ledger = Ledger::open(parts).await.expect("a ledger");
        let inputs: (Arc<dyn Clock>, Arc<dyn Random>) = (clock.clone(), Arc::new(OsRandom));
        let directory = Directory::open(ledger.clone(), inputs, Box::new(|_| None), PolicySettings::default()).await;
        let directory = Arc::new(directory.expect("a directory"));
        let workshop = Workshop {
            directory: directory.clone(),
            catalogs: Arc::default(),
            outbound: Arc::new(Outbound::new(Allowed::default())),
            key: EncryptionKey::new([7; 32]),
            clock: clock.clone(),
            random: Arc::new(OsRandom),
        };
        let components = Components {
            exports: Exports::new(objects, ledger.new_holder()),
            deliveries: Deliveries::new(workshop),
            ledger,
            people: Arc::new(People::new(
                directory.clone(),
                clock.clone(),
                Passwords::new(Arc::new(OsRandom)),
            )),
            single_sign_on: None,
            post: Post::new(None).expect("no mail"),
            directory,
            public_url: String::new(),
            clock,
            root_key: RootKey::of("a-root-key-0123456789"),
            countries: Arc::default(),
            catalogs: Arc::default(),
            stopping: watch::channel(false).1,
            run: 7,
        };
        let settings = Settings::from_layers(Vec::new(), &|_| Err(std::io::ErrorKind::NotFound.into()));
        Arc::new(App::new(components, &settings.expect("defaults").limits))
    }

    async fn panics() -> StatusCode {
        panic!("a secret")
    }

    #[tokio::test]
    async fn a_panic_is_a_500_that_says_nothing_of_it_and_is_counted() {
        let directory = tempfile::tempdir().expect("a directory");
        let app = app(directory.path()).await;
        let router = Router::new().route("/", get(panics));
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let Ok(response) = answer(app.clone(), router, peer, Request::new(Body::empty())).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[REQUEST_ID], "0000000700000000");
        let body = to_bytes(response.into_body(), 4096).await.expect("a body");
        let text = String::from_utf8_lossy(&body);
        assert!(
            text.contains("/problems/internal") && !text.contains("secret"),
            "{text}"
        );
        let metrics = app.measures.text().expect("metrics");
        assert!(metrics.contains("trailbook_panics_total 1"), "{metrics}");
    }
}
