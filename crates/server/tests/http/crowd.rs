//! Very many organizations with a handful of events each. CROWD_ORGANIZATIONS sets how many.

use serde_json::{Value, json};

use crate::server::{ROOT_KEY, Server, event};

/// Events of each organization.
const EVENTS: usize = 5;

fn name(number: usize) -> String {
    format!("shop-{number}")
}

/// What an organization answers.
fn answers(server: &Server, organization: usize) -> Vec<Value> {
    let path = format!("/v1/organizations/{}", name(organization));
    let reads = [
        "events?limit=3",
        "events/count?security=true",
        "events/facets?field=actor",
        "checkpoint-key",
    ];
    let mut answers: Vec<Value> = reads
        .iter()
        .map(|read| server.get(&format!("{path}/{read}")).json())
        .collect();
    let next = answers[0]["next"]
        .as_str()
        .unwrap_or_else(|| panic!("{}", answers[0]))
        .to_owned();
    answers.push(server.get(&format!("{path}/events?limit=3&cursor={next}")).json());
    let pages = answers[0]["events"]
        .as_array()
        .unwrap()
        .iter()
        .chain(answers[4]["events"].as_array().unwrap());
    let mut sequences: Vec<u64> = pages.map(|event| event["sequence"].as_u64().unwrap()).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (0..EVENTS as u64).collect::<Vec<_>>());
    answers
}

#[test]
fn a_crowd_of_organizations_is_stored_sealed_read_and_started_again() {
    let organizations: usize = std::env::var("CROWD_ORGANIZATIONS")
        .ok()
        .map_or(2_000, |organizations| organizations.parse().unwrap());
    // Every organization has an event in each tenth of the segments or more.
    let batch = (organizations / 10).clamp(1_000, 10_000);
    let seal_events = batch.to_string();
    let environment = [
        ("TRAILBOOK_ROOT_KEY", ROOT_KEY),
        ("TRAILBOOK_SEAL_EVENTS", seal_events.as_str()),
        ("TRAILBOOK_SEAL_AGE_MS", "1000"),
    ];
    let server = Server::start_with(tempfile::tempdir().unwrap(), &environment);
    let all: Vec<(usize, usize)> = (0..EVENTS)
        .flat_map(|round| (0..organizations).map(move |organization| (round, organization)))
        .collect();
    for events in all.chunks(batch) {
        let events: Vec<Value> = events
            .iter()
            .map(|(round, organization)| event(&name(*organization), round * organizations + organization))
            .collect();
        let answer = server.ingest(&json!({ "events": events }));
        assert_eq!(answer.status, 201, "{}", answer.text());
        server.until("sealing keeps up", |server| {
            server.metric("trailbook_tail_events") < 4 * batch as u64
        });
    }
    server.until("all is sealed, and compacted once", |server| {
        server.metric("trailbook_tail_events") == 0 && server.metric("trailbook_segments{level=\"1\"}") > 0
    });
    let sample: Vec<usize> = (0..organizations).step_by((organizations / 40).max(1)).collect();
    let before: Vec<Vec<Value>> = sample
        .iter()
        .map(|organization| answers(&server, *organization))
        .collect();
    let again = Server::start_with(server.stop_sound(), &environment);
    for (organization, before) in sample.iter().zip(before) {
        assert_eq!(answers(&again, *organization), before, "{organization}");
    }
    let stats = again.get("/v1/stats").json();
    let listed = stats["organizations"].as_array().unwrap();
    let listed: Vec<&Value> = listed
        .iter()
        .filter(|known| known["organization"] != "_system")
        .collect();
    assert_eq!(listed.len(), organizations);
    assert!(
        listed
            .iter()
            .all(|organization| organization["sealed_events"] == EVENTS),
        "all is sealed"
    );
}
