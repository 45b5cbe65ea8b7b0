//! `trailbook serve`: the parts put together, from the settings to the last answer.
//!
//! Invariants
//! - Standard output gets one line, with the address, once requests are answered and signals are heeded.
//! - SIGTERM and SIGINT end the process within ten seconds, after the requests in flight.
//! - After a failed sync the process ends at once, with an error: what is in memory is no longer believed.

use std::{
    fs,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::timeout,
};
use trailbook_access::{Directory, People, password::Passwords};
use trailbook_deliver::{outbound::Outbound, sink::DELIVERY_TIMEOUT};
use trailbook_ledger::{Clock, Job, Ledger, Limits, Random};

use crate::{
    catalog::Catalogs,
    config::Settings,
    connections,
    country::Countries,
    deliveries::{Deliveries, Workshop},
    encryption::EncryptionKey,
    exports::{self, Exports},
    http::{App, CALLBACK, Components},
    indexing,
    inputs::{OsRandom, SystemClock},
    mail::Post,
    root_key::RootKey,
    single_sign_on::{Keys, SingleSignOn},
    store::{self, ObjectSettings},
};

/// How long the ledger may take to write what waits.
const CLOSE: Duration = Duration::from_secs(2);

/// How often credentials that are over are removed.
const KEEP_EVERY: Duration = Duration::from_secs(60);

/// Runs the server until it is told to stop.
pub(crate) fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("trailbook")
        .build()?;
    let outcome = runtime.block_on(serve(settings));
    // Reads that still run are of no use to anybody.
    runtime.shutdown_timeout(Duration::from_millis(200));
    outcome
}

async fn serve(settings: &Settings) -> anyhow::Result<ExitCode> {
    let random = Arc::new(OsRandom);
    let clock = Arc::new(SystemClock::start());
    let data = &settings.data;
    fs::create_dir_all(data).with_context(|| format!("the data directory {} cannot be made", data.display()))?;
    if settings.database.is_some() {
        bail!("this version keeps its database in the data directory: leave out --database");
    }
    let limits = Limits {
        tail_events_max: settings.limits.tail_events,
        tail_bytes_max: settings.limits.tail_bytes,
        seal_events: settings.limits.seal_events,
        seal_age_ms: settings.limits.seal_age.as_millis() as i64,
        open_segments_max: settings.limits.open_segments,
        retention_days: settings.retention_days,
        ..Limits::default()
    };
    let kept = ObjectSettings {
        place: settings.objects.as_ref(),
        cache_bytes_max: settings.limits.cache_bytes,
    };
    let parts = store::parts(data, kept, limits, clock.clone(), random.clone())?;
    let objects = parts.objects.clone();
    store::look_at(&*objects)
        .await
        .context("the object store cannot be used")?;
    let ledger = Ledger::open(parts).await?;
    if let Err(error) = ledger.forget_expired().await {
        tracing::error!(%error, "what expired while no server ran could not be forgotten yet, and will be tried again");
    }
    let (root_key, made) = RootKey::of_directory(settings.root_key.as_ref(), data, &*random)?;
    let countries = Arc::new(Countries::open(settings.country_database.as_deref(), data)?);
    let directory = directory(settings, &ledger, (clock.clone(), random.clone()), countries.clone()).await?;
    let (stop, stopping) = watch::channel(false);
    let people = People::new(directory.clone(), clock.clone(), Passwords::new(random.clone()));
    let catalogs = Arc::new(Catalogs::open(settings.catalog.clone(), &directory)?);
    let key = EncryptionKey::of_directory(settings.encryption_key.as_ref(), data, &*random)?;
    let deliveries = Deliveries::new(Workshop {
        directory: directory.clone(),
        catalogs: catalogs.clone(),
        outbound: Arc::new(Outbound::new(settings.private_destinations.clone()).with_timeout(DELIVERY_TIMEOUT)),
        key: key.clone(),
        clock: clock.clone(),
        random: random.clone(),
    });
    let streams = deliveries.streams.clone();
    let components = Components {
        people: Arc::new(people),
        single_sign_on: single_sign_on(settings, &ledger, (clock.clone(), random.clone()), key)?,
        post: Post::new(settings.mail.as_ref()).context("smtp_url cannot be used")?,
        ledger: ledger.clone(),
        clock,
        root_key,
        countries,
        directory: directory.clone(),
        public_url: settings.public_url.clone(),
        catalogs,
        deliveries,
        exports: Exports::new(objects, ledger.new_holder()),
        stopping: stopping.clone(),
        run: u32::from_le_bytes(store::drawn(&*random)),
    };
    let app = Arc::new(App::new(components, &settings.limits));
    tokio::spawn(indexing::follow(ledger.clone(), app.engine.clone()));
    tokio::spawn(keep(directory));
    let carried = tokio::spawn(streams.carry(stopping.clone()));
    let alerted = tokio::spawn(app.alerts.clone().carry(stopping.clone()));
    tokio::spawn(exports::work(app.clone(), stopping.clone()));
    for job in Job::ALL {
        tokio::spawn(ledger.clone().keep(job));
    }
    let listener = TcpListener::bind(settings.listen).await.with_context(|| {
        format!(
            "{} cannot be listened on; choose another with --listen",
            settings.listen
        )
    })?;
    // Before anybody has the address: until then a signal ends the process as it stands.
    let signalled = signalled().context("signals cannot be listened to")?;
    announce(&listener, made.as_deref())?;
    let serving = connections::serve(listener, app, &settings.limits, stopping);
    let outcome = tokio::select! {
        () = serving_until(signalled, serving, stop) => ExitCode::SUCCESS,
        reason = fatal(&ledger) => {
            tracing::error!(reason, "the process stops: a write could not be made durable");
            return Ok(ExitCode::FAILURE);
        }
    };
    if timeout(CLOSE, async { tokio::join!(carried, alerted) }).await.is_err() {
        tracing::warn!("deliveries under way are cut off and will be repeated");
    }
    match timeout(CLOSE, ledger.close()).await {
        Ok(closed) => closed.context("the ledger could not be closed")?,
        Err(_) => tracing::warn!("the ledger was still writing and is cut off; nothing acknowledged is lost"),
    }
    tracing::info!("stopped");
    Ok(outcome)
}

/// Projects, people and credentials, under the policy that the settings make.
async fn directory(
    settings: &Settings,
    ledger: &Ledger,
    inputs: (Arc<dyn Clock>, Arc<dyn Random>),
    countries: Arc<Countries>,
) -> anyhow::Result<Arc<Directory>> {
    let country_of = Box::new(move |address| countries.of(address));
    Ok(Arc::new(
        Directory::open(ledger.clone(), inputs, country_of, settings.policy()).await?,
    ))
}

/// Signing in at identity providers, when it is known where they send people back to.
fn single_sign_on(
    settings: &Settings,
    ledger: &Ledger,
    inputs: (Arc<dyn Clock>, Arc<dyn Random>),
    key: EncryptionKey,
) -> anyhow::Result<Option<SingleSignOn>> {
    if settings.public_url.is_empty() {
        return Ok(None);
    }
    let redirect = format!("{}{CALLBACK}", settings.public_url);
    let redirect = redirect.parse().context("public_url cannot be used")?;
    let keys = Keys {
        secrets: key,
        attempts: EncryptionKey::new(ledger.secret("single sign-on attempts")),
    };
    let outbound = Arc::new(Outbound::new(settings.private_destinations.clone()));
    Ok(Some(SingleSignOn::new(outbound, inputs, keys, redirect)))
}

/// Keeps the records small and true as long as the server runs.
async fn keep(directory: Arc<Directory>) {
    loop {
        tokio::time::sleep(KEEP_EVERY).await;
        if let Err(error) = directory.keep().await {
            tracing::warn!(%error, "what is over could not be removed yet, and will be tried again");
        }
    }
}

/// One line for whoever waits for the address; a new root key goes to the operator's eyes only.
fn announce(listener: &TcpListener, made: Option<&str>) -> anyhow::Result<()> {
    if let Some(key) = made {
        eprintln!("\n  The root key, shown only now; keep it safe:\n\n    {key}\n");
    }
    let mut out = io::stdout();
    writeln!(out, "Trailbook listens on http://{}", listener.local_addr()?)?;
    Ok(out.flush()?)
}

/// From now on SIGTERM and SIGINT no longer end the process but what is given back.
fn signalled() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    })
}

/// Serves, and tells what serves to stop once signalled.
async fn serving_until(
    signalled: impl Future<Output = ()>,
    serving: impl Future<Output = ()>,
    stop: watch::Sender<bool>,
) {
    let stopping = async {
        signalled.await;
        tracing::info!("stopping: requests in flight are finished");
        stop.send_replace(true);
        std::future::pending().await
    };
    tokio::select! { () = serving => {}, () = stopping => {} }
}

async fn fatal(ledger: &Ledger) -> String {
    let mut fatal = ledger.fatal();
    match fatal.wait_for(Option::is_some).await {
        Ok(reason) => reason.clone().unwrap_or_default(),
        Err(_) => std::future::pending().await,
    }
}
