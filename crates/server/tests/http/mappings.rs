//! Foreign payloads: in through an input mapping, out through an output mapping, faults where the sender put them.

use std::fs;

use serde_json::{Value, json};

use crate::server::{Answer, ROOT_KEY, Server};

const CATALOG: &str = r#"
[[actions]]
id = "door.opened"
name = "Door opened"
action_type = "execute"
description = "Opened door {metadata.doorID}"

[actions.metadata]
type = "object"
required = ["doorID", "attempts"]
additionalProperties = true

[actions.metadata.properties]
doorID = { type = "string", minLength = 1 }
attempts = { type = "integer", minimum = 0 }
at = { type = ["string", "integer"] }

[input.doors]
name = "doors"
keep = "metadata"

[input.doors.event]
client_id = "@hash"
organization = "/house"
occurred_at = { from = ["/at", "/@at"], format = ["iso", "epoch_milliseconds"] }
action = [{ from = "/kind", map = { OPEN = "door.opened" } }, "/kind"]
message = "/note"

[[input.doors.actor]]
type = "user"
id = "/person/id"

[[input.doors.actor]]
type = "unknown"

[[input.doors.targets]]
type = "door"
id = "/doorID"

[input.doors.context]
url = "/url"

[[input.doors.changes]]
each = "/changed"
field = "@/field"
after = "/blob"

[output.doors]
rest = "/metadata"

[[output.doors.payloads]]
action = "door.opened"

[output.doors.payloads.fields]
kind = "OPEN"
house = ["/metadata/house", "/organization"]
at = ["/metadata/at", "/occurred_at"]
doorID = "/metadata/doorID"
"#;

const READS: &str = "/v1/organizations/acme";

fn started() -> Server {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("catalog.toml");
    fs::write(&file, CATALOG).unwrap();
    Server::start_with(
        directory,
        &[
            ("TRAILBOOK_ROOT_KEY", ROOT_KEY),
            ("TRAILBOOK_CATALOG", file.to_str().unwrap()),
        ],
    )
}

fn send(server: &Server, query: &str, body: &Value) -> Answer {
    let path = format!("/v1/events?mapping=doors{query}");
    server.post(&path, &[], body.to_string().as_bytes())
}

fn payload() -> Value {
    json!({
        "kind": "OPEN", "at": "2024-11-20T09:14:07.482Z", "house": "acme", "doorID": "d_7", "attempts": 2,
        "person": { "id": "p_1", "badge": 17 }, "note": null, "build": { "x": [1, 2.5, "é", {}] },
    })
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut payload = payload();
    for (key, value) in changes {
        payload[*key] = value.clone();
    }
    payload
}

fn without(key: &str) -> Value {
    let mut payload = payload();
    payload.as_object_mut().unwrap().remove(key);
    payload
}

fn pointers(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 422, "{}", answer.text());
    let document = answer.json();
    let errors = document["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| error["pointer"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_comes_in_as_a_payload_comes_out_as_it_was() {
    let server = started();
    let unknown = with(&[("kind", json!("WINDOW")), ("attempts", json!("any"))]);
    let other_key =
        json!({ "kind": "CLOSE", "@at": 1_732_094_999_123_u64, "house": "acme", "doorID": "d_8", "attempts": 0 });
    let all = [payload(), unknown, other_key];
    for payload in &all {
        let answer = send(&server, "", payload);
        assert_eq!(answer.status, 201, "{}", answer.text());
        let id = answer.json()["events"][0]["id"].as_str().unwrap().to_owned();
        let one = server.get(&format!("{READS}/events/{id}?mapping=doors"));
        assert_eq!(one.json(), *payload);
    }
    let page = server.get(&format!("{READS}/events?mapping=doors&order=asc")).json();
    assert_eq!(page["events"], json!(all));
    assert!(page["next"].is_null() && page["size"] == 3);
    let file = server.get(&format!("{READS}/events.jsonl?mapping=doors")).text();
    let lines: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        lines.len() == 3 && all.iter().all(|payload| lines.contains(payload)),
        "{file}"
    );

    let events = server.get(&format!("{READS}/events?order=asc")).json();
    let first = &events["events"][0];
    assert_eq!(
        first["metadata"],
        payload(),
        "the metadata is the payload and nothing else"
    );
    assert_eq!(
        (&first["action"], &first["actor"]["id"], &first["targets"][0]["id"]),
        (&json!("door.opened"), &json!("p_1"), &json!("d_7"))
    );
    assert_eq!(first["description"], "Opened door d_7");
    assert_eq!(
        events["events"][1]["action"], "WINDOW",
        "an unknown kind keeps its own name"
    );
    assert_eq!(events["events"][2]["actor"]["type"], "unknown");
}

#[test]
fn an_event_in_our_own_form_comes_out_as_a_payload() {
    let server = started();
    let own = json!({ "organization": "acme", "action": "door.opened", "actor": { "type": "system" },
        "occurred_at": "2024-11-20T09:14:07.482Z", "metadata": { "doorID": "d_9", "attempts": 1 } });
    assert_eq!(server.ingest(&own).status, 201);
    let page = server.get(&format!("{READS}/events?mapping=doors")).json();
    let expected =
        json!({ "kind": "OPEN", "house": "acme", "at": "2024-11-20T09:14:07.482Z", "doorID": "d_9", "attempts": 1 });
    assert_eq!(page["events"], json!([expected]));
}

#[test]
fn lists_batches_and_lines_are_taken_and_faults_lead_into_the_payload() {
    let server = started();
    let bad = with(&[("attempts", json!(-1)), ("doorID", json!(""))]);
    let mut found = pointers(&send(&server, "", &bad));
    found.sort_unstable();
    assert_eq!(found, ["/attempts", "/doorID"]);
    assert_eq!(
        pointers(&send(&server, "", &json!([payload(), bad.clone()])))[0][..3],
        *"/1/"
    );
    let batch = pointers(&send(
        &server,
        "",
        &json!({ "events": [payload(), payload(), with(&[("attempts", json!("2"))])] }),
    ));
    assert_eq!(batch, ["/events/2/attempts"]);
    let lines = format!("{}\n{}\n", payload(), with(&[("attempts", json!(1.5))]));
    let lines = server.post(
        "/v1/events?mapping=doors",
        &[("Content-Type", "application/x-ndjson")],
        lines.as_bytes(),
    );
    assert_eq!(pointers(&lines), ["/1/attempts"]);
    assert_eq!(pointers(&send(&server, "", &with(&[("at", json!("noon"))]))), ["/at"]);
    assert_eq!(pointers(&send(&server, "", &without("at"))), ["/at"]);
    let mut elsewhere = without("at");
    elsewhere["@at"] = json!({ "no": "time" });
    assert_eq!(
        pointers(&send(&server, "", &elsewhere)),
        ["/@at"],
        "the place that is there, not the first that the mapping names"
    );
    assert_eq!(pointers(&send(&server, "", &without("kind"))), ["/kind"]);
    assert_eq!(
        pointers(&send(&server, "", &without("doorID"))),
        [""],
        "as the schema says of what is missing"
    );
    assert_eq!(
        pointers(&send(&server, "", &with(&[("at", json!("2999-01-01T00:00:00Z"))]))),
        ["/at"]
    );
    assert_eq!(
        pointers(&send(&server, "", &with(&[("kind", json!("trailbook.log.viewed"))]))),
        ["/kind"]
    );
    assert_eq!(pointers(&send(&server, "", &json!("text"))), [""]);
    assert_eq!(pointers(&send(&server, "", &json!([]))), [""]);
    assert_eq!(
        server.get(&format!("{READS}/events/count")).status,
        404,
        "nothing was stored"
    );
    assert_eq!(
        send(&server, "", &json!([payload(), with(&[("doorID", json!("d_2"))])])).status,
        201
    );
    assert_eq!(server.count("acme"), 2);
}

#[test]
fn json_is_as_strict_as_for_events() {
    let server = started();
    let text = payload().to_string();
    let post = |body: &str| server.post("/v1/events?mapping=doors", &[], body.as_bytes());
    assert_eq!(
        pointers(&post(&text.replace("17", "9007199254740993"))),
        ["/person/badge"]
    );
    assert_eq!(
        pointers(&post(&text.replace("\"badge\":17", "\"id\":\"p_2\""))),
        ["/person/id"]
    );
    assert_eq!(pointers(&post(&text.replace("é", "\\u0000"))), ["/build/x/2"]);
    assert_eq!(post(&text[1..]).problem(), "malformed-json");
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    assert_eq!(post(&text.replace("17", &deep)).status, 422);
    let large = with(&[("note", json!("x".repeat(600_000)))]);
    assert_eq!(
        pointers(&send(&server, "", &large)),
        [""],
        "as an event it would be larger than one may be"
    );
    let changed = vec![json!({ "field": "f" }); 900];
    let amplified = with(&[("changed", json!(changed)), ("blob", json!("x".repeat(100_000)))]);
    assert_eq!(pointers(&send(&server, "", &amplified)), [""]);
}

#[test]
fn the_call_says_whose_the_payloads_are_before_they_do() {
    let server = started();
    let placed =
        |query: &str, payload: &Value| send(&server, query, payload).json()["events"][0]["organization"].clone();
    assert_eq!(placed("&organization=globex", &payload()), "globex");
    assert_eq!(placed("", &payload()), "acme");
    assert_eq!(placed("&organization=globex", &without("house")), "globex");
    assert_eq!(pointers(&send(&server, "", &without("house"))), ["/house"]);
    let out = server
        .get("/v1/organizations/globex/events?mapping=doors&order=asc")
        .json();
    assert_eq!(out["events"][0]["house"], "acme", "what the payload said comes back");
    let alone = server.post("/v1/events?organization=acme", &[], b"{}");
    assert_eq!((alone.status, alone.problem().as_str()), (400, "invalid-parameter"));
    let own = send(&server, "&organization=_system", &payload());
    assert_eq!(own.status, 422, "{}", own.text());
}

#[test]
fn the_same_payload_again_is_a_duplicate_and_an_unknown_mapping_is_named() {
    let server = started();
    let first = send(&server, "", &payload()).json();
    let again = send(&server, "", &json!([payload()])).json();
    assert_eq!(
        (again["accepted"].clone(), again["duplicates"].clone()),
        (json!(0), json!(1))
    );
    assert_eq!(again["events"][0]["id"], first["events"][0]["id"]);
    for path in [
        format!("{READS}/events?mapping=windows"),
        format!("{READS}/events.jsonl?mapping=windows"),
    ] {
        let refused = server.get(&path);
        assert_eq!((refused.status, refused.problem().as_str()), (400, "invalid-parameter"));
        assert!(refused.text().contains("there are doors"), "{}", refused.text());
    }
    let refused = server.post("/v1/events?mapping=windows", &[], b"{}");
    assert_eq!((refused.status, refused.problem().as_str()), (400, "invalid-parameter"));
    let key = [("Idempotency-Key", "k")];
    let body = with(&[("doorID", json!("d_3"))]).to_string();
    let keyed = |query: &str| {
        server
            .post(&format!("/v1/events?mapping=doors{query}"), &key, body.as_bytes())
            .status
    };
    assert_eq!(keyed(""), 201);
    assert_eq!(keyed(""), 201);
    assert_eq!(keyed("&organization=globex"), 422, "the same body means something else");
}

#[test]
fn a_key_of_one_organization_sends_payloads_for_it_alone() {
    let server = started();
    let key = json!({ "name": "doors", "scopes": ["events:write"], "organization": "acme" }).to_string();
    let key = server.post("/v1/keys", &[], key.as_bytes());
    assert_eq!(key.status, 201, "{}", key.text());
    let authorization = format!("Bearer {}", key.json()["key"].as_str().unwrap());
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
    ];
    let send = |query: &str, payload: &Value| {
        let path = format!("/v1/events?mapping=doors{query}");
        server.send("POST", &path, &headers, payload.to_string().as_bytes())
    };
    let stored = send("", &with(&[("house", json!("globex"))]));
    assert_eq!(stored.status, 201, "{}", stored.text());
    assert_eq!(
        stored.json()["events"][0]["organization"],
        "acme",
        "the key decides, not the payload"
    );
    assert_eq!(send("&organization=globex", &payload()).status, 403);
    assert_eq!(
        server.get("/v1/organizations/globex/events/count").status,
        404,
        "nothing was stored"
    );
}
