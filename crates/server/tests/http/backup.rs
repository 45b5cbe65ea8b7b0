//! Backup and restore from the command line, around a server that goes on.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
    thread,
};

use serde_json::{Value, json};

use crate::server::{ROOT_KEY, Server, event};

fn trailbook(arguments: &[&str], key: Option<(&Server, &str)>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trailbook"));
    command.env_clear().args(arguments);
    if let Some((server, key)) = key {
        let address = format!("http://{}", server.address);
        command.env("TRAILBOOK_SERVER", address).env("TRAILBOOK_KEY", key);
    }
    command.output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn back_up(server: &Server, to: &Path) -> Output {
    let data = server.data();
    trailbook(
        &["backup", "--data", text(&data), "--to", text(to)],
        Some((server, ROOT_KEY)),
    )
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// All events of an organization, oldest first, as they are answered.
fn events(server: &Server, organization: &str) -> Vec<Value> {
    let answer = server.get(&format!("/v1/organizations/{organization}/events.jsonl"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut events: Vec<Value> = answer
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    events.sort_by_key(|event| event["id"].as_str().unwrap().to_owned());
    events
}

fn serve(directory: tempfile::TempDir) -> Server {
    Server::start_with(
        directory,
        &[("TRAILBOOK_ROOT_KEY", ROOT_KEY), ("TRAILBOOK_SEAL_EVENTS", "1000")],
    )
}

#[test]
fn a_backup_of_a_serving_server_is_restored_and_served() {
    let (server, places) = (serve(tempfile::tempdir().unwrap()), tempfile::tempdir().unwrap());
    for _ in 0..3 {
        server.fill("acme", 700);
    }
    server.fill("bolt", 10);
    let before = [events(&server, "acme"), events(&server, "bolt")];
    let (backup, restored) = (places.path().join("backup"), places.path().join("data"));
    let made = thread::scope(|scope| {
        let made = scope.spawn(|| back_up(&server, &backup));
        while !made.is_finished() {
            server.ingest(&event("crow", 0));
        }
        made.join().unwrap()
    });
    assert!(made.status.success(), "{}", said(&made));
    for secret in ["signing-key", "trailbook.db", "backup.json"] {
        let mode = fs::metadata(backup.join(secret)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
    // What happens later: an event, and a redaction of one that the backup has whole.
    server.fill("acme", 1);
    let id = before[1][3]["id"].as_str().unwrap();
    let body = json!({"parts": ["actor"], "reason": "asked for"}).to_string();
    let redacted = server.post(
        &format!("/v1/organizations/bolt/events/{id}/redaction"),
        &[],
        body.as_bytes(),
    );
    assert_eq!(redacted.status, 200, "{}", redacted.text());
    let (_, directory) = server.stop();
    let old = directory.path().join("data");

    let arguments = [
        "restore",
        "--from",
        text(&backup),
        "--data",
        text(&restored),
        "--replay-from",
    ];
    let output = trailbook(&[&arguments[..], &[text(&old)]].concat(), None);
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        said(&output).contains("all 4 ledgers stand where the backup says"),
        "{}",
        said(&output)
    );
    let copy = serve(places);
    assert_eq!(events(&copy, "acme"), before[0]);
    let bolt = events(&copy, "bolt");
    assert_eq!(bolt[3]["redacted"], json!(["actor"]));
    assert_eq!(bolt[3]["actor"]["type"], "unknown");
    let others = |events: &[Value]| [&events[..3], &events[4..10]].concat();
    assert_eq!(others(&bolt), others(&before[1]));
    assert_eq!(copy.ingest(&event("acme", 0)).status, 503, "read only");

    let (_, places) = copy.stop();
    let recovered = trailbook(&["recover", "--data", text(&restored), "--reason", "a drill"], None);
    assert!(recovered.status.success(), "{}", said(&recovered));
    let copy = serve(places);
    assert_eq!(copy.ingest(&event("acme", 0)).status, 201);
    assert_eq!(events(&copy, "bolt")[3]["redacted"], json!(["actor"]));
    let (_, places) = copy.stop();
    let fsck = trailbook(&["fsck", "--deep", "--data", text(&places.path().join("data"))], None);
    assert!(fsck.status.success(), "{}", said(&fsck));
}

#[test]
fn a_backup_needs_the_right_server_and_key_only_while_one_is_working() {
    let (server, places) = (serve(tempfile::tempdir().unwrap()), tempfile::tempdir().unwrap());
    server.fill("acme", 5);
    let (data, to) = (server.data(), places.path().join("backup"));
    let arguments = ["backup", "--data", text(&data), "--to", text(&to)];
    let without = trailbook(&arguments, None);
    assert!(
        !without.status.success() && said(&without).contains("--key"),
        "{}",
        said(&without)
    );
    let wrong = trailbook(&arguments, Some((&server, "a-wrong-key-0123456789")));
    assert!(
        !wrong.status.success() && said(&wrong).contains("401"),
        "{}",
        said(&wrong)
    );
    let other = serve(tempfile::tempdir().unwrap());
    let elsewhere = trailbook(&arguments, Some((&other, ROOT_KEY)));
    assert!(
        said(&elsewhere).contains("not the one that works on"),
        "{}",
        said(&elsewhere)
    );
    assert!(!elsewhere.status.success() && !to.join("backup.json").exists());
    let (_, directory) = server.stop();
    let to = places.path().join("alone");
    let alone = trailbook(
        &[
            "backup",
            "--data",
            text(&directory.path().join("data")),
            "--to",
            text(&to),
        ],
        None,
    );
    assert!(alone.status.success(), "{}", said(&alone));
    assert!(said(&alone).contains("2 ledgers, 6 events"), "{}", said(&alone));
}

#[test]
fn a_restore_of_a_damaged_backup_names_what_is_damaged() {
    let (server, places) = (serve(tempfile::tempdir().unwrap()), tempfile::tempdir().unwrap());
    server.fill("acme", 5);
    let backup = places.path().join("backup");
    assert!(back_up(&server, &backup).status.success());
    fs::remove_file(backup.join("signing-key")).unwrap();
    let mut database = fs::read(backup.join("trailbook.db")).unwrap();
    database[5_000] ^= 1;
    fs::write(backup.join("trailbook.db"), database).unwrap();
    let data = places.path().join("data");
    let output = trailbook(&["restore", "--from", text(&backup), "--data", text(&data)], None);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(
        said.contains("2 files") && said.contains("trailbook.db: its SHA-256"),
        "{said}"
    );
    assert!(said.contains("signing-key: No such file"), "{said}");
    assert!(!data.join("trailbook.db").exists());
}

#[test]
fn the_name_of_a_backup_is_checked() {
    let server = Server::start();
    let authorization = [("Authorization", format!("Bearer {ROOT_KEY}"))];
    let headers: Vec<(&str, &str)> = authorization
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let long = "a".repeat(65);
    for name in ["a%20b", "%C3%BC", "a.b", long.as_str()] {
        let answer = server.send("PUT", &format!("/v1/backups/{name}"), &headers, b"");
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid-parameter"));
    }
    let answer = server.send("PUT", "/v1/backups/nightly-1", &headers, b"");
    assert_eq!(
        (answer.status, answer.json()["name"].as_str()),
        (200, Some("nightly-1"))
    );
    assert_eq!(
        server.send("DELETE", "/v1/backups/nightly-1", &headers, b"").status,
        204
    );
    assert_eq!(
        server.send("DELETE", "/v1/backups/nightly-1", &headers, b"").status,
        204
    );
    assert_eq!(server.send("PUT", "/v1/backups/nightly-1", &[], b"").status, 401);
}
