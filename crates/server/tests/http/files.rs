//! Files: CSV, JSON lines, evidence.

use std::{fs, process::Command};

use serde_json::json;

use crate::server::{ROOT_KEY, Server, event};

const ACME: &str = "/v1/organizations/acme";

#[test]
fn a_csv_file_has_every_event_and_runs_nothing_in_a_spreadsheet() {
    let server = Server::start();
    let dangerous = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "a\"b,c\nd"];
    let events = dangerous.iter().map(|text| {
        let mut event = event("acme", 0);
        event["description"] = json!(text);
        event
    });
    let events: Vec<_> = events.collect();
    assert_eq!(server.ingest(&json!({ "events": events })).status, 201);
    let file = server.get(&format!("{ACME}/events.csv?columns=description,actor.name&labels=true"));
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8; header=present");
    let mut reader = csv::ReaderBuilder::new().from_reader(file.body.as_slice());
    assert_eq!(reader.headers().unwrap(), vec!["Description", "Actor name"]);
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), dangerous.len());
    for row in &rows {
        assert!(!row[0].starts_with(['=', '+', '-', '@', '\t', '\r']), "{row:?}");
    }
    assert_eq!(&rows[0][0], "a\"b,c\nd", "harmless texts stay as they are");
    assert_eq!(
        server.get(&format!("{ACME}/events.csv?columns=actor.emial")).problem(),
        "invalid-parameter"
    );
}

#[test]
fn a_csv_file_has_its_times_in_the_zone_asked_for() {
    let server = Server::start();
    let mut event = event("acme", 0);
    event["occurred_at"] = json!("2026-03-29T01:30:00Z");
    assert_eq!(server.ingest(&event).status, 201);
    let file = |zone: &str| server.get(&format!("{ACME}/events.csv?columns=occurred_at&{zone}"));
    assert_eq!(file("").text(), "occurred_at\r\n2026-03-29T01:30:00.000Z\r\n");
    let berlin = file("time_zone=Europe/Berlin").text();
    assert_eq!(berlin, "occurred_at\r\n2026-03-29T03:30:00.000+02:00\r\n");
    assert_eq!(file("time_zone=Europe/Nowhere").problem(), "invalid-parameter");
}

#[test]
fn json_lines_are_the_events_as_returned() {
    let server = Server::start();
    server.fill("acme", 40);
    let lines = server.get(&format!("{ACME}/events.jsonl?security=true")).text();
    let page = server.get(&format!("{ACME}/events?security=true")).json();
    let events: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json!(events), page["events"]);
    assert_eq!(events.len(), 8);
}

#[test]
fn evidence_verifies_offline_and_not_after_one_flipped_byte() {
    let server = Server::start();
    server.fill("acme", 30);
    let key = server.get(&format!("{ACME}/checkpoint-key")).json()["vkey"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = server.directory.path().join("acme.zip");
    let export = Command::new(env!("CARGO_BIN_EXE_trailbook"))
        .args([
            "export",
            "--format",
            "evidence",
            "--organization",
            "acme",
            "--key",
            ROOT_KEY,
        ])
        .arg("--server")
        .arg(format!("http://{}", server.address))
        .arg("--output")
        .arg(&path)
        .output()
        .unwrap();
    assert!(export.status.success(), "{export:?}");
    let verify = || {
        Command::new(env!("CARGO_BIN_EXE_trailbook"))
            .arg("verify")
            .arg(&path)
            .args(["--key", &key])
            .output()
            .unwrap()
    };
    let verified = verify();
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");

    let mut bytes = fs::read(&path).unwrap();
    let find = |bytes: &[u8], text: &[u8], from: usize| {
        from + bytes[from..]
            .windows(text.len())
            .position(|window| window == text)
            .expect("events are stored uncompressed")
    };
    let event = find(&bytes, b"\"sequence\":17", 0);
    let part = find(&bytes, b"\"bytes\":\"", event) + 40;
    bytes[part] = if bytes[part] == b'A' { b'B' } else { b'A' };
    fs::write(&path, bytes).unwrap();
    let tampered = verify();
    assert_eq!(tampered.status.code(), Some(1), "{tampered:?}");
    assert!(
        String::from_utf8_lossy(&tampered.stdout).contains("17"),
        "the event is named: {tampered:?}"
    );
}

#[test]
fn filtered_and_empty_evidence_verify_too() {
    let server = Server::start();
    server.fill("acme", 30);
    let key = server.get(&format!("{ACME}/checkpoint-key")).json()["vkey"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = server.directory.path().join("acme.zip");
    for filter in ["security=true&from=2026-11-03T00:00:00Z", "q=nothing-has-this-word"] {
        let file = server.get(&format!("{ACME}/events.evidence?{filter}"));
        assert_eq!(file.status, 200, "{filter}: {}", file.text());
        fs::write(&path, file.body).unwrap();
        let verify = Command::new(env!("CARGO_BIN_EXE_trailbook"))
            .arg("verify")
            .arg(&path)
            .args(["--key", &key])
            .output();
        let verified = verify.unwrap();
        assert_eq!(verified.status.code(), Some(0), "{filter}: {verified:?}");
    }
}
