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
fn a_file_of_all_has_what_no_range_of_the_policy_reaches() {
    let server = Server::start();
    let now = jiff::Timestamp::now();
    let aged = |days: i64, area: &str| {
        let mut event = event("acme", 0);
        event["occurred_at"] = json!((now - jiff::SignedDuration::from_hours(24 * days)).to_string());
        event["area"] = json!(area);
        event
    };
    let events = [aged(400, "old"), aged(40, "old"), aged(40, "other"), aged(1, "new")];
    assert_eq!(server.ingest(&json!({ "events": events })).status, 201);
    let policy = json!({"policy": {"default_range_days": 7, "max_range_days": 30}});
    assert!(server.put(ACME, &policy).status < 300);
    let own = "-action=trailbook.*";
    let areas = |file: &str| -> Vec<String> {
        let lines = file.lines().skip(1);
        lines
            .filter(|line| !line.starts_with("trailbook."))
            .map(ToOwned::to_owned)
            .collect()
    };
    let csv = format!("{ACME}/events.csv?columns=area");
    assert_eq!(areas(&server.get(&format!("{csv}&{own}")).text()), ["new"]);
    assert_eq!(areas(&server.get(&format!("{csv}&scope=filtered")).text()), ["new"]);
    assert_eq!(
        areas(&server.get(&format!("{csv}&scope=all")).text()),
        ["new", "other", "old", "old"]
    );
    let lines = server.get(&format!("{ACME}/events.jsonl?scope=all")).text();
    assert_eq!(lines.lines().filter(|line| line.contains("\"area\":\"o")).count(), 3);
    server.assert_evidence("acme", "scope=all");
    let output = server.directory.path().join("all.csv");
    let output = output.to_str().unwrap();
    let exported = [
        "export",
        "--organization",
        "acme",
        "--all",
        "--columns",
        "area",
        "--output",
        output,
    ];
    assert_eq!(server.command(&exported).0, Some(0));
    assert_eq!(areas(&fs::read_to_string(output).unwrap()).len(), 4);

    for narrowed in [
        "q=",
        "from=2020-01-01T00:00:00Z",
        "to=2030-01-01T00:00:00Z",
        "area=old",
        "-action=trailbook.*",
        "metadata.n=0",
    ] {
        for extension in ["csv", "jsonl", "evidence"] {
            let file = server.get(&format!("{ACME}/events.{extension}?scope=all&{narrowed}"));
            assert_eq!(file.problem(), "invalid-parameter", "{extension} {narrowed}");
        }
    }
    assert_eq!(server.get(&format!("{csv}&scope=some")).status, 400);
    assert_eq!(
        server.get(&format!("{ACME}/events?scope=all")).status,
        400,
        "a page is no file"
    );
}

#[test]
fn a_file_of_all_is_of_all_that_the_caller_may_see() {
    let server = Server::start();
    server.fill("acme", 10);
    let request = json!({"actor": {"id": "u", "role": "auditor"}, "filter": "area:billing", "may_export": true});
    let token = server.post(&format!("{ACME}/viewer-tokens"), &[], request.to_string().as_bytes());
    let authorization = format!("Bearer {}", token.json()["token"].as_str().unwrap());
    let path = format!("{ACME}/events.csv?scope=all&columns=area");
    let file = server.send("GET", &path, &[("Authorization", &authorization)], b"");
    assert_eq!(file.text(), format!("area\r\n{}", "billing\r\n".repeat(5)));
    let recorded = server
        .get(&format!("{ACME}/events?action=trailbook.export.downloaded"))
        .json();
    assert_eq!(recorded["events"][0]["metadata"]["scope"], "all");
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
