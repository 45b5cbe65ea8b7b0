//! What the settings name beside the machine: keys, the country database, database, object store and mail server.

use std::{path::Path, time::Duration};

use tokio::time::timeout;
use trailbook_ledger::{DATABASE_FILE, SqliteState, examine_sqlite};

use super::check::Check;
use crate::{
    config::{Settings, without_password},
    country::Countries,
    encryption,
    inputs::{OsRandom, SystemClock},
    mail, root_key, secret_file, store,
};

/// How long a mail server may take to greet.
const MAIL: Duration = Duration::from_secs(10);

/// The three keys: given, made earlier, or yet to be made.
pub(super) fn keys(settings: &Settings) -> Vec<Check> {
    let chosen = [
        ("root_key", root_key::FILE, settings.root_key.is_some()),
        ("signing_key", store::SIGNING_KEY_FILE, settings.signing_key.is_some()),
        ("encryption_key", encryption::FILE, settings.encryption_key.is_some()),
    ];
    let mut checks: Vec<Check> = chosen
        .into_iter()
        .map(|(name, file, given)| key(name, &settings.data.join(file), given))
        .collect();
    let made = secret_file::read(&settings.data.join(store::SIGNING_KEY_FILE))
        .ok()
        .flatten();
    if let (Some(given), Some(made)) = (&settings.signing_key, made)
        && given.bytes() != made
    {
        checks.push(Check::warning(
            "signing_key",
            format!("it is not the key in the file {}", store::SIGNING_KEY_FILE),
            "give the key that earlier checkpoints were signed with, unless you mean to change it",
        ));
    }
    checks
}

fn key(name: &'static str, file: &Path, given: bool) -> Check {
    match secret_file::read(file) {
        _ if given => Check::ok(name, "given by the settings".into()),
        Ok(Some(_)) => Check::ok(name, format!("in {}", file.display())),
        Ok(None) => Check::ok(name, "to be made at the first start".into()),
        Err(error) => Check::failed(
            name,
            format!("{error:#}"),
            "bring the file back from a copy, or give the key by the settings",
        ),
    }
}

/// The country database.
pub(super) fn countries(settings: &Settings) -> Check {
    match Countries::open(settings.country_database.as_deref(), &settings.data) {
        Ok(countries) if countries.is_known() => Check::ok("countries", "the database can be read".into()),
        Ok(_) => Check::ok("countries", "no database: country is null".into()),
        Err(error) => Check::failed(
            "countries",
            format!("{error:#}"),
            "bring the mmdb file back, or unset country_database",
        ),
    }
}

/// The database.
pub(super) async fn database(settings: &Settings) -> Vec<Check> {
    match &settings.database {
        None => vec![sqlite(&settings.data)],
        Some(url) => {
            let checks = trailbook_ledger::examine(url, &SystemClock::start()).await;
            checks
                .into_iter()
                .map(|check| {
                    tried(
                        "database",
                        check.ok,
                        format!("{}: {}", check.name, check.detail),
                        check.remedy,
                    )
                })
                .collect()
        }
    }
}

fn sqlite(data: &Path) -> Check {
    let path = data.join(DATABASE_FILE);
    if !path.exists() {
        return Check::ok(
            "database",
            format!("SQLite; {} is made at the first start", path.display()),
        );
    }
    match examine_sqlite(data) {
        Err(error) => Check::failed(
            "database",
            format!("SQLite: {:#}", anyhow::Error::from(error)),
            "run doctor as the server's user; restore a backup when the file is lost",
        ),
        Ok(SqliteState {
            in_use_by: Some(process),
            ..
        }) => Check::ok(
            "database",
            format!("SQLite, in use by process {process}: it is not looked through now"),
        ),
        Ok(SqliteState { damage, .. }) if !damage.is_empty() => Check::failed(
            "database",
            format!("SQLite: {} is damaged: {}", path.display(), damage.join("; ")),
            "stop the server, run `trailbook fsck`, and restore a backup",
        ),
        Ok(state) if state.journal != "wal" => Check::warning(
            "database",
            format!("SQLite: the journal is {:?}, not \"wal\"", state.journal),
            "start the server once: it sets that by itself, if the file system allows it",
        ),
        Ok(_) => Check::ok("database", "SQLite, with a write-ahead log and sound".into()),
    }
}

fn tried(name: &'static str, ok: bool, found: String, remedy: &str) -> Check {
    match ok {
        true => Check::ok(name, found),
        false => Check::failed(name, found, remedy),
    }
}

/// The object store.
pub(super) async fn objects(settings: &Settings) -> Vec<Check> {
    match &settings.objects {
        None if settings.on_postgres() => vec![Check::warning(
            "objects",
            "they are in this node's data directory, where no other node finds them".into(),
            "name a store that all nodes reach with objects, unless this is the only node",
        )],
        None => vec![Check::ok("objects", "in the data directory".into())],
        Some(place) => {
            let unique = store::drawn::<16>(&OsRandom).map(|byte| format!("{byte:02x}")).concat();
            let checks = store::examine_place(place, &unique).await;
            checks
                .into_iter()
                .map(|check| {
                    tried(
                        "objects",
                        check.ok,
                        format!("{}: {}", check.name, check.detail),
                        &check.remedy,
                    )
                })
                .collect()
        }
    }
}

/// The mail server: whether it greets and lets us in. Nothing is sent.
pub(super) async fn mail(settings: &Settings) -> Check {
    let Some(mail) = &settings.mail else {
        return Check::ok("mail", "no mail server is set".into());
    };
    let url = without_password(mail.smtp_url.expose());
    let Ok(transport) = mail::transport(mail.smtp_url.expose()) else {
        return Check::failed("mail", format!("{url} cannot be used"), "correct smtp_url");
    };
    let remedy = "see whether the mail server runs, the address and the password are right, and the network lets this machine through";
    match timeout(MAIL, transport.build::<lettre::Tokio1Executor>().test_connection()).await {
        Ok(Ok(true)) => Check::ok("mail", format!("{url} answers")),
        Ok(Ok(false)) => Check::failed("mail", format!("{url} is not ready"), remedy),
        Ok(Err(error)) => Check::failed("mail", format!("{url}: {error}"), remedy),
        Err(_) => Check::failed("mail", format!("{url} did not answer within {MAIL:?}"), remedy),
    }
}
