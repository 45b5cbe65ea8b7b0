//! Every file of testdata/real maps: each record becomes valid events, a repetition, or a reject with a reason.

use std::{fs, path::Path};

use trailbook_import::{Mapping, Source, Summary, run};

use crate::{Told, mapped, options, server::FakeServer};

/// File, records, valid events, repeated events, rejected records.
const FILES: [(&str, [u64; 4]); 20] = [
    ("alicloud", [11, 10, 1, 0]),
    ("cloudtrail", [581, 581, 0, 0]),
    ("confluence", [8, 8, 0, 0]),
    ("duo_admin", [72, 72, 0, 0]),
    ("gcp_iam_flattened", [10, 10, 0, 0]),
    ("github", [332, 332, 0, 0]),
    ("gitlab", [13, 13, 0, 0]),
    ("google-workspace", [325, 371, 0, 0]),
    ("jira", [71, 71, 0, 0]),
    ("okta", [300, 125, 175, 0]),
    ("onelogin", [7, 7, 0, 0]),
    ("prisma_cloud", [10, 10, 0, 0]),
    ("rule-tests", [227, 163, 0, 64]),
    ("salesforce", [38, 37, 0, 1]),
    ("slack", [30, 30, 0, 0]),
    ("slack_flattened", [10, 10, 0, 0]),
    ("snowflake", [10, 10, 0, 0]),
    ("windows", [296, 296, 0, 0]),
    ("zeronetworks", [48, 48, 0, 0]),
    ("zoom", [17, 17, 0, 0]),
];

fn testdata() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata"))
}

fn source(name: &str) -> Source {
    match Mapping::built_in(name) {
        Some(mapping) => Source::Mapped(Box::new(mapping.unwrap())),
        None => mapped(&fs::read_to_string(testdata().join(format!("mappings/{name}.toml"))).unwrap()),
    }
}

#[test]
fn every_record_of_every_file_is_accounted_for() {
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects.jsonl");
    for (name, [records, stored, repeated, rejected]) in FILES {
        let file = testdata().join(format!("real/{name}.jsonl.gz"));
        let mut told = Told::default();
        let summary = run(&options(source(name), None, vec![file], rejects.clone()), &mut told).unwrap();
        assert_eq!(
            summary,
            Summary {
                records,
                stored,
                known: 0,
                repeated,
                rejected
            },
            "{name}"
        );
        assert_eq!(told.reasons.len() as u64, rejected, "{name}");
        let lines = fs::read_to_string(&rejects).unwrap_or_default();
        assert_eq!(lines.lines().count() as u64, rejected, "{name}");
        assert!(
            told.reasons.iter().all(|reason| reason.starts_with("No time: ")),
            "{name}: {:?}",
            told.reasons
        );
    }
    let files = fs::read_dir(testdata().join("real")).unwrap().filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .path()
            .extension()
            .is_some_and(|extension| extension == "gz")
    });
    assert_eq!(files.count(), FILES.len(), "every file is in the table");
}

#[test]
fn a_second_import_stores_nothing_new() {
    let server = FakeServer::start();
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects.jsonl");
    for name in ["cloudtrail", "google-workspace", "okta", "windows"] {
        let file = testdata().join(format!("real/{name}.jsonl.gz"));
        let options = options(source(name), Some(&server.url), vec![file], rejects.clone());
        let first = run(&options, &mut Told::default()).unwrap();
        assert!(first.stored > 0 && first.known == 0, "{name}: {first:?}");
        let second = run(&options, &mut Told::default()).unwrap();
        assert_eq!(
            second,
            Summary {
                stored: 0,
                known: first.stored,
                ..first
            },
            "{name}"
        );
    }
}

#[test]
fn what_becomes_of_a_large_integer_is_noted_in_the_event() {
    let server = FakeServer::start();
    let directory = tempfile::tempdir().unwrap();
    let file = testdata().join("real/windows.jsonl.gz");
    run(
        &options(
            source("windows"),
            Some(&server.url),
            vec![file],
            directory.path().join("r"),
        ),
        &mut Told::default(),
    )
    .unwrap();
    let events = server.events();
    let event = events
        .iter()
        .find(|event| event["metadata"]["raw"]["EventID"] == 4673)
        .unwrap();
    assert_eq!(event["metadata"]["converted"], serde_json::json!(["/Keywords"]));
    assert_eq!(event["metadata"]["raw"]["Keywords"], "-9218868437227405312");
    assert_eq!(event["action"], "windows.4673");
    assert_eq!(event["result"], "failure");
    assert_eq!(event["description"], "A privileged service was called.");
}
