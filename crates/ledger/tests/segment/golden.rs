//! The segment in `testdata/segment`: what was written once is read for ever, and is written the same.
//!
//! `UPDATE_GOLDEN=1` writes it anew, for a change of the format that has a new version, or a library that compresses otherwise.

use std::{fmt::Write as _, fs, path::PathBuf};

use trailbook_event::{Event, Part, Target, Timestamp, json};
use trailbook_ledger::{Row, segment::Segment};

use crate::support::{Envelope, Ledger, ledger, plain_event, plain_ledger, write};

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/segment")
}

/// Rows that together use every column in every way.
fn ledgers() -> Vec<Ledger> {
    vec![
        plain_ledger(2, 0, 40),
        ledger(5, 256, special_events()),
        plain_ledger(7, 1_000, 1),
    ]
}

fn special_events() -> Vec<(Event<'static>, Envelope)> {
    let envelope = |redacted: &[Part]| Envelope {
        sequence: 0,
        country: Some(*b"NL"),
        nonce: [9; 16],
        redacted: redacted.to_vec(),
    };
    let at = |millis| plain_event("", "role.updated", Timestamp::from_millis(millis));
    let mut full = at(1_789_999_000_123);
    full.client_id = Some("8c3f6e0a-6a53-4a39-a5ce-0f9f7a1f0d11".into());
    full.area = Some("users_and_permissions".into());
    full.product = Some("UserManagement".into());
    full.description = Some("Made Bill Hart «owner» 😀".into());
    full.security = true;
    full.result = "denied".into();
    full.trace_id = Some("4bf92f3577b34da6a3ce929d0e0e4736".into());
    full.actor.kind = "user".into();
    full.actor.id = Some("u_81".into());
    full.actor.name = Some("Sarah \"Khan\"\n".into());
    full.actor.email = Some("sarah@fashion.example".into());
    full.actor.team = Some("".into());
    full.context.ip = Some("2001:db8::24".into());
    full.context.user_agent = Some("curl/8".into());
    full.context.url = Some("https://app.example.com/roles?é=1".into());
    full.context.referrer = Some("https://app.example.com/".into());
    full.metadata = Some(json::parse(r#"{"plan":"gold","rows":[1,2.5,null]}"#, &json::Limits::default()).unwrap());
    full.message = Some("back\\slash \u{1f}".into());
    let target = |name: &'static str| Target {
        kind: "user".into(),
        id: Some("u_92".into()),
        name: Some(name.into()),
        email: None,
    };
    let mut one_target = full.clone();
    one_target.targets = vec![target("Bill Hart")];
    let mut three_targets = full.clone();
    three_targets.targets = vec![target("Bill"), target("Ann"), target("")];
    three_targets.occurred_at = Timestamp::from_millis(-62_135_596_800_000);
    vec![
        (at(1_789_999_000_000), envelope(&[])),
        (full, envelope(&[])),
        (one_target.clone(), envelope(&[])),
        (three_targets, envelope(&[])),
        (one_target.clone(), envelope(&[Part::Actor, Part::Details])),
        (one_target, envelope(&Part::ALL)),
    ]
}

/// The rows as other programs shall find them: a line of JSON each, in the order of the file.
fn lines(ledgers: &[Ledger]) -> String {
    let mut out = String::new();
    for ledger in ledgers {
        for row in &ledger.rows {
            write_line(ledger, row, &mut out);
        }
    }
    out
}

fn write_line(ledger: &Ledger, row: &Row, out: &mut String) {
    let mut members = Vec::new();
    row.parts.write_members(&mut members);
    let country = row
        .country()
        .map_or("null".to_owned(), |country| format!("\"{country}\""));
    writeln!(
        out,
        "{{\"project\":\"{}\",\"sequence\":{},\"commit\":{},\"id\":\"{}\",\"epoch\":{},\"received_at\":\"{}\",\
         \"country\":{country},\"redacted\":{},{}}}",
        ledger.key.project(),
        row.sequence,
        row.commit,
        row.id,
        row.epoch,
        row.received_at,
        !row.redacted().is_empty(),
        String::from_utf8(members).unwrap(),
    )
    .unwrap();
}

#[test]
fn the_golden_segment_is_written_again_byte_for_byte() {
    let ledgers = ledgers();
    let (files, _) = write(&ledgers);
    let written = [
        ("segment.parquet", fs::read(files.data()).unwrap()),
        ("segment.bundle", fs::read(files.bundle()).unwrap()),
        ("events.jsonl", lines(&ledgers).into_bytes()),
    ];
    for (name, bytes) in written {
        let path = directory().join(name);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(directory()).unwrap();
            fs::write(&path, &bytes).unwrap();
        }
        assert!(
            fs::read(&path).unwrap() == bytes,
            "{name} is written otherwise; if that is meant, run `make golden`"
        );
    }
}

#[test]
fn the_golden_segment_is_read_back() {
    let segment = Segment::open(
        &directory().join("segment.parquet"),
        &directory().join("segment.bundle"),
    )
    .unwrap();
    let ledgers = ledgers();
    assert_eq!(segment.runs().unwrap().len(), ledgers.len());
    for ledger in ledgers {
        let run = segment.run(ledger.id).unwrap().unwrap();
        let rows = segment.rows(&run, &(0..run.rows).collect::<Vec<_>>()).unwrap();
        assert_eq!(format!("{rows:?}"), format!("{:?}", ledger.rows));
        let mut in_sequence = ledger.rows.clone();
        in_sequence.sort_by_key(|row| row.sequence);
        let leaves: Vec<_> = in_sequence.iter().map(|row| row.leaf_hash).collect();
        assert_eq!(segment.leaf_hashes(&run, run.sequences()).unwrap(), leaves);
    }
}
