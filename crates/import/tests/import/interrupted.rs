//! What goes wrong on the way: busy servers, lost answers, refused events, interruptions.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use trailbook_import::{Error, Source, Summary, run};

use crate::{
    Told, mapped, options,
    server::{Failure, FakeServer},
};

/// The first batch is stored, so is the second, but its answer is lost, and the key does not hold until it is sent again.
const SECOND_BATCH_STOPS: [Option<Failure>; 3] = [Some(Failure::Unauthorized), Some(Failure::AnswerLost), None];

/// 1,200 events without ids, one of which (line 700) is no event.
fn own_events(directory: &Path) -> PathBuf {
    let line = |number: u64| match number {
        700 => "{\"action\":".to_owned(),
        _ => json!({"action": format!("a{number}"), "actor": {"id": "u"}, "occurred_at": "2026-01-01T00:00:00Z"})
            .to_string(),
    };
    let file = directory.join("events.jsonl");
    fs::write(&file, (1..=1200).map(|number| line(number) + "\n").collect::<String>()).unwrap();
    file
}

fn actions(events: &[Value]) -> Vec<String> {
    events
        .iter()
        .map(|event| event["action"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn busy_servers_and_lost_answers_double_nothing() {
    let server = FakeServer::start();
    server.fail(&[Failure::AnswerLost, Failure::Busy, Failure::AnswerLost, Failure::Busy].map(Some));
    let directory = tempfile::tempdir().unwrap();
    let file = own_events(directory.path());
    let options = options(
        Source::Trailbook,
        Some(&server.url),
        vec![file],
        directory.path().join("rejects"),
    );
    let summary = run(&options, &mut Told::default()).unwrap();
    assert_eq!(
        summary,
        Summary {
            records: 1200,
            stored: 1199,
            known: 0,
            repeated: 0,
            rejected: 1
        }
    );
    let expected: Vec<String> = (1..=1200)
        .filter(|number| *number != 700)
        .map(|number| format!("a{number}"))
        .collect();
    assert_eq!(actions(&server.events()), expected);
}

#[test]
fn an_interrupted_import_goes_on_where_it_stopped() {
    let server = FakeServer::start();
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let state = directory.path().join("rejects.state.json");
    let options = options(
        Source::Trailbook,
        Some(&server.url),
        vec![own_events(directory.path())],
        rejects.clone(),
    );
    server.fail(&SECOND_BATCH_STOPS);
    let error = run(&options, &mut Told::default()).unwrap_err();
    assert!(matches!(error, Error::Refused { status: 401, .. }), "{error}");
    assert_eq!(
        server.events().len(),
        1000,
        "two of three batches are stored, and import knows it of the first"
    );
    assert!(state.exists());
    let summary = run(&options, &mut Told::default()).unwrap();
    assert_eq!(
        summary,
        Summary {
            records: 1200,
            stored: 1199,
            known: 0,
            repeated: 0,
            rejected: 1
        }
    );
    assert_eq!(server.events().len(), 1199);
    assert!(!state.exists(), "a finished import leaves no state");
    let rejected: Value = serde_json::from_str(fs::read_to_string(&rejects).unwrap().trim_end()).unwrap();
    assert_eq!(rejected["line"], 700);
    assert_eq!(rejected["record"], "{\"action\":");
}

#[test]
fn the_state_of_another_import_is_not_overwritten() {
    let server = FakeServer::start();
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let first = options(
        Source::Trailbook,
        Some(&server.url),
        vec![own_events(directory.path())],
        rejects,
    );
    server.fail(&SECOND_BATCH_STOPS);
    run(&first, &mut Told::default()).unwrap_err();
    let mut second = first.clone();
    second.organization = "food".to_owned();
    let error = run(&second, &mut Told::default()).unwrap_err();
    assert!(
        matches!(&error, Error::Invalid(sentence) if sentence.contains("another import")),
        "{error}"
    );
}

#[test]
fn events_that_the_server_refuses_are_rejected_and_the_others_stored() {
    let server = FakeServer::start();
    server.refuse("a3");
    let directory = tempfile::tempdir().unwrap();
    let rejects = directory.path().join("rejects");
    let options = options(
        Source::Trailbook,
        Some(&server.url),
        vec![own_events(directory.path())],
        rejects.clone(),
    );
    let mut told = Told::default();
    let summary = run(&options, &mut told).unwrap();
    assert_eq!((summary.stored, summary.rejected), (1198, 2));
    assert_eq!(told.reasons[0], "/action: Not in the catalog.");
    let first = fs::read_to_string(&rejects).unwrap();
    let first: Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!(
        (first["line"].as_u64(), first["record"]["action"].as_str()),
        (Some(3), Some("a3"))
    );
}

#[test]
fn documents_repetitions_and_elements_of_one_record_keep_apart() {
    let mapping = r#"
        name = "shop"
        records = "/data/rows"
        explode = "/items"
        open = "/who"
        nothing = ["", "-"]
        [event]
        client_id = "{@hash}-{@occurrence}:{@index}"
        occurred_at = { from = "/at", format = "epoch_seconds" }
        action = "{/kind}.{@/what}"
        [[actor]]
        type = "user"
        id = "/who/id"
        [[actor]]
        type = "unknown"
        [[targets]]
        each = "@/things"
        type = "thing"
        id = "@"
        [context]
        ip = "/ip"
        [[changes]]
        field = "@/what"
        before = "@/old"
        after = "@/new"
    "#;
    let record = r#"{"at":0,"kind":"k","who":"{\"id\":7}","ip":"app.internal","items":[{"what":"x","things":["t","-","t"],"new":null},{"what":"y","old":{"a":1}}]}"#;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("document.json");
    fs::write(
        &file,
        format!("{{\n\"data\":{{\"rows\":[{record},\n{record},{{\"at\":1}}]}}}}"),
    )
    .unwrap();
    let server = FakeServer::start();
    let mut told = Told::default();
    let options = options(
        mapped(mapping),
        Some(&server.url),
        vec![file],
        directory.path().join("rejects"),
    );
    let summary = run(&options, &mut told).unwrap();
    assert_eq!(
        summary,
        Summary {
            records: 3,
            stored: 4,
            known: 0,
            repeated: 0,
            rejected: 1
        }
    );
    assert!(told.reasons[0].starts_with("No action"), "{:?}", told.reasons);
    let events = server.events();
    assert_eq!(actions(&events), ["k.x", "k.y", "k.x", "k.y"]);
    let first = &events[0];
    assert_eq!(first["occurred_at"], "1970-01-01T00:00:00.000Z");
    assert_eq!(first["actor"], json!({"type": "user", "id": "7"}));
    assert_eq!(first["targets"], json!([{"type": "thing", "id": "t"}]));
    assert_eq!(first["changes"], json!([{"field": "x", "after": null}]));
    assert_eq!(first["metadata"]["source_address"], "app.internal");
    assert_eq!(first["metadata"]["raw"], serde_json::from_str::<Value>(record).unwrap());
    assert_eq!(events[1]["metadata"]["raw_event"], 1);
    assert_eq!(events[1]["changes"], json!([{"field": "y", "before": {"a": 1}}]));
}
