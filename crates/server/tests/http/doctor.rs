//! `trailbook config`, `trailbook doctor` and `trailbook ready`: what an operator asks before and beside the server.

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

use crate::server::{ROOT_KEY, Server};

fn trailbook(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trailbook"));
    command.args(arguments).envs(environment.iter().copied());
    command.output().unwrap()
}

fn texts(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]]
        .map(String::from_utf8_lossy)
        .concat()
}

/// A directory that only we can look into.
fn closed() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    directory
}

/// The exit code, and the checks that doctor makes of a data directory.
fn doctor(data: &Path, environment: &[(&str, &str)]) -> (i32, Vec<Value>) {
    let data = data.to_str().unwrap();
    let given: Vec<(&str, &str)> = [("TRAILBOOK_DATA", data), ("TRAILBOOK_LISTEN", "127.0.0.1:0")]
        .into_iter()
        .chain(environment.iter().copied())
        .collect();
    let output = trailbook(&["doctor", "--json"], &given);
    let checks = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", texts(&output)));
    (output.status.code().unwrap(), checks)
}

fn verdicts<'c>(checks: &'c [Value], name: &str) -> Vec<(&'c str, &'c str)> {
    let of_name = checks.iter().filter(|check| check["name"] == name);
    of_name
        .map(|check| (check["verdict"].as_str().unwrap(), check["found"].as_str().unwrap()))
        .collect()
}

#[test]
fn config_check_says_everything_at_once_and_show_tells_no_secret() {
    let directory = closed();
    let file = directory.path().join("t.toml");
    let path = file.to_str().unwrap();
    fs::write(&file, "lisen = 1\nbatch_events_max = 'many'\n").unwrap();
    let wrong = trailbook(
        &["config", "check", "--config", path],
        &[("TRAILBOOK_ROOT_KEY", "short")],
    );
    assert_eq!(wrong.status.code(), Some(78));
    for fault in ["lisen", "batch_events_max", "root_key"] {
        assert!(texts(&wrong).contains(fault), "{}", texts(&wrong));
    }
    let key = "ab".repeat(32);
    fs::write(
        &file,
        format!("database = 'postgres://u:hunter2@db/log'\nsigning_key = '{key}'\nencryption_key = '{key}'\n"),
    )
    .unwrap();
    let keyless = trailbook(&["config", "check", "--config", path], &[]);
    assert_eq!(keyless.status.code(), Some(78));
    assert!(texts(&keyless).contains("openssl rand -hex 32"), "{}", texts(&keyless));
    let environment = [("TRAILBOOK_ROOT_KEY", ROOT_KEY)];
    assert!(
        trailbook(&["config", "check", "--config", path], &environment)
            .status
            .success()
    );
    let shown = trailbook(&["config", "show", "--config", path], &environment);
    let text = texts(&shown);
    assert!(text.contains("root_key = \"(secret)\"  # TRAILBOOK_ROOT_KEY"), "{text}");
    assert!(text.contains("database = \"postgres://u@db/log\""), "{text}");
    for secret in ["hunter2", &key, ROOT_KEY] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_machine_that_is_fit_has_nothing_that_must_be_put_right() {
    let directory = closed();
    let (code, checks) = doctor(directory.path(), &[("TRAILBOOK_ROOT_KEY", ROOT_KEY)]);
    let failed: Vec<&Value> = checks.iter().filter(|check| check["verdict"] == "failed").collect();
    assert!(failed.is_empty() && code <= 1, "{code} {failed:#?}");
    for name in [
        "clock",
        "open files",
        "address",
        "data directory",
        "disk",
        "fsync",
        "root_key",
        "countries",
        "database",
        "objects",
        "mail",
    ] {
        assert_eq!(verdicts(&checks, name).len(), 1, "{name}: {checks:#?}");
    }
    assert_eq!(verdicts(&checks, "data directory")[0].0, "ok", "{checks:#?}");
    assert_eq!(
        fs::read_dir(directory.path()).unwrap().count(),
        0,
        "nothing is left behind"
    );
}

#[test]
fn doctor_knows_a_server_that_runs_and_leaves_it_alone() {
    let server = Server::start();
    server.fill("acme", 10);
    let address = server.address().to_string();
    let (_, checks) = doctor(&server.data(), &[("TRAILBOOK_LISTEN", &address)]);
    let (verdict, found) = verdicts(&checks, "database")[0];
    assert!(verdict == "ok" && found.contains("in use by process"), "{found}");
    let (verdict, found) = verdicts(&checks, "address")[0];
    assert!(verdict == "ok" && found.contains("Trailbook"), "{found}");
    assert_eq!(server.count("acme"), 10);

    let url = format!("http://{address}");
    assert!(trailbook(&["ready", "--server", &url], &[]).status.success());
    let (_, directory) = server.stop();
    assert_eq!(trailbook(&["ready", "--server", &url], &[]).status.code(), Some(1));
    let (_, checks) = doctor(&directory.path().join("data"), &[]);
    let (verdict, found) = verdicts(&checks, "database")[0];
    assert!(verdict == "ok" && found.contains("sound"), "{found}");
}

#[test]
fn doctor_names_what_must_be_put_right() {
    let server = Server::start();
    server.fill("acme", 500);
    let (_, directory) = server.stop();
    let data = directory.path().join("data");
    let mut database = fs::OpenOptions::new()
        .write(true)
        .open(data.join("trailbook.db"))
        .unwrap();
    // The first page holds the schema; every further one is overwritten in part.
    let bytes = database.metadata().unwrap().len();
    for page in 1..bytes / 4096 {
        database.seek(SeekFrom::Start(page * 4096)).unwrap();
        database.write_all(&[0xA5; 64]).unwrap();
    }
    drop(database);
    fs::write(data.join("encryption-key"), "hunter2").unwrap();
    fs::write(data.join("password"), "smtp://u:hunter2@127.0.0.1:1\n").unwrap();
    fs::set_permissions(data.join("password"), fs::Permissions::from_mode(0o644)).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, checks) = doctor(
        &data,
        &[
            ("TRAILBOOK_LISTEN", &taken.local_addr().unwrap().to_string()),
            (
                "TRAILBOOK_COUNTRY_DATABASE",
                data.join("trailbook.db").to_str().unwrap(),
            ),
            ("TRAILBOOK_SMTP_URL_FILE", data.join("password").to_str().unwrap()),
            ("TRAILBOOK_MAIL_FROM", "log@log.example"),
            ("TRAILBOOK_PUBLIC_URL", "http://log.example"),
        ],
    );
    assert_eq!(code, 2);
    for name in ["database", "encryption_key", "countries", "mail", "address"] {
        assert_eq!(verdicts(&checks, name)[0].0, "failed", "{name}: {checks:#?}");
    }
    let (verdict, found) = verdicts(&checks, "files of secrets")[0];
    assert!(verdict == "warning" && found.contains("password"), "{found}");
    assert!(
        checks
            .iter()
            .all(|check| check["verdict"] == "ok" || check["remedy"].is_string())
    );
    assert!(!format!("{checks:?}").contains("hunter2"), "{checks:#?}");
}

#[test]
fn doctor_reports_settings_that_cannot_be_used() {
    let output = trailbook(
        &["doctor"],
        &[("TRAILBOOK_LISTEN", "nowhere"), ("TRAILBOOK_ROOT_KEY", "short")],
    );
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(texts(&output).matches("FAILED").count(), 2, "{}", texts(&output));
}
