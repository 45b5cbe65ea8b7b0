//! History over HTTP: the server seals and compacts while events arrive, and nobody who reads can tell.

use serde_json::{Value, json};

use crate::{
    live::Feed,
    server::{ROOT_KEY, Server},
};

const ACME: &str = "/v1/organizations/acme";
/// Events seal when there are a thousand of them, never by age: what is stored before is surely in the tail.
const SEALING: [(&str, &str); 3] = [
    ("TRAILBOOK_ROOT_KEY", ROOT_KEY),
    ("TRAILBOOK_SEAL_EVENTS", "1000"),
    ("TRAILBOOK_SEAL_AGE_MS", "86400000"),
];
const BATCH: usize = 300;

fn start() -> Server {
    Server::start_with(tempfile::tempdir().unwrap(), &SEALING)
}

/// Stores batches from number `first` on until segments have been sealed and compacted; the next number.
fn flood(server: &Server, first: usize) -> usize {
    let mut next = first;
    while server.metric("trailbook_segments{level=\"1\"}") == 0 {
        server.store("acme", next..next + BATCH);
        next += BATCH;
        // Sealing takes what there is: without a pause it would take everything at once.
        server.until("sealing keeps up", |server| {
            server.metric("trailbook_tail_events") < 1_000
        });
    }
    next
}

/// The sequences of a listing from a page on.
fn walk(server: &Server, query: &str, mut cursor: Option<String>) -> Vec<u64> {
    let mut sequences = Vec::new();
    loop {
        let with = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let page = server.get(&format!("{ACME}/events?{query}{with}")).json();
        let events = page["events"].as_array().unwrap_or_else(|| panic!("{page}"));
        sequences.extend(events.iter().map(|event| event["sequence"].as_u64().unwrap()));
        cursor = page["next"].as_str().map(ToOwned::to_owned);
        if cursor.is_none() {
            return sequences;
        }
    }
}

#[test]
fn cursors_feeds_and_proofs_from_before_sealing_go_on_after_it() {
    let server = start();
    server.fill("acme", 900);
    let queries = ["limit=100", "limit=70&order=asc", "limit=13&security=true&actor=u_3"];
    let before = queries.map(|query| {
        let first = server.get(&format!("{ACME}/events?{query}")).json();
        let next = first["next"].as_str().unwrap().to_owned();
        (
            walk(&server, query, None),
            first["events"].as_array().unwrap().len(),
            next,
        )
    });
    let fifth = server.get(&format!("{ACME}/events?metadata.n=5")).json()["events"][0].clone();
    let id = fifth["id"].as_str().unwrap();
    let checkpoint = server.get(&format!("{ACME}/checkpoint")).text();
    assert_eq!(checkpoint.lines().nth(1), Some("900"));
    let proof = server.get(&format!("{ACME}/events/{id}/proof?size=900")).json();
    let (key, seen) = (server.verifier_key("acme"), server.directory.path().join("seen"));
    let url = format!("http://{}", server.address);
    let verify = || {
        let options = [
            "--organization",
            "acme",
            "--key",
            &key,
            "--api-key",
            ROOT_KEY,
            "--events",
            "50",
        ];
        let remember = ["--remember", seen.to_str().unwrap()];
        let (code, said) = server.command(&[["verify", &url].as_slice(), &options, &remember].concat());
        assert_eq!(code, Some(0), "{said}");
    };
    verify();
    assert_eq!(server.metric("trailbook_segments{level=\"0\"}"), 0);

    let size = flood(&server, 900);
    for (query, (whole, of_first_page, next)) in queries.iter().zip(before) {
        assert_eq!(walk(&server, query, Some(next)), whole[of_first_page..], "{query}");
    }
    assert_eq!(server.get(&format!("{ACME}/events/{id}")).json(), fifth);
    let by_size = server.get(&format!("{ACME}/checkpoint?size=900"));
    assert_eq!(by_size.text(), checkpoint);
    assert_eq!(server.get(&format!("{ACME}/events/{id}/proof?size=900")).json(), proof);
    let mut feed = Feed::open(&server, "", Some("1-450"));
    for sequence in 451..size as u64 {
        assert_eq!(feed.next().1["sequence"], sequence);
    }
    drop(feed);
    verify();
    server.assert_evidence("acme", "");
    server.assert_evidence("acme", "security=true&area=users");
    server.stop_sound();
}

/// Answers to questions of every kind.
fn answers(server: &Server) -> Vec<(String, Value)> {
    let reads = [
        "events/count",
        "events/count?security=true&area=users",
        "events/count?q=%22role%20number%2077%22",
        "events/count?target=t_1234&actor=u_*",
        "events?limit=300",
        "events?limit=40&order=asc&security=true",
        "events?q=-area:users+actor:u_3&from=2026-11-04T00:00:00Z&to=2026-11-06T00:00:00Z",
        "events/facets?field=actor&field=area&field=target&limit=5",
        "events/facets?field=metadata.n&prefix=12&area=billing",
        "events/histogram?interval=day",
        "events/histogram?interval=month&time_zone=Asia/Kolkata&actor=u_1",
        "traces/trace-33",
    ];
    let mut answers: Vec<(String, Value)> = reads
        .iter()
        .map(|read| ((*read).to_owned(), server.get(&format!("{ACME}/{read}")).json()))
        .collect();
    let aggregate = json!({"group_by": ["area"], "interval": "week", "filter": "actor:u_2,u_4", "metrics": [
        {"name": "all", "op": "count"},
        {"name": "sum", "op": "sum", "field": "metadata.n"},
        {"name": "p95", "op": "p95", "field": "metadata.n"},
        {"name": "who", "op": "distinct", "field": "actor"},
        {"name": "secure", "op": "count", "filter": "security:true"},
        {"name": "traced", "op": "count", "in_trace_of": "security:true"},
        {"name": "share", "expression": "secure / all"}]});
    let body = aggregate.to_string();
    let answer = server.post(&format!("{ACME}/events/aggregate"), &[], body.as_bytes());
    answers.push(("events/aggregate".into(), answer.json()));
    let lines = server.get(&format!("{ACME}/events.jsonl?area=users")).text();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    answers.push(("events.jsonl".into(), lines.into()));
    let csv = server.get(&format!(
        "{ACME}/events.csv?columns=sequence,occurred_at,actor.name,metadata.n"
    ));
    answers.push(("events.csv".into(), csv.text().into()));
    answers
}

/// The same without what two servers make differently.
fn content(mut answers: Vec<(String, Value)>) -> Vec<(String, Value)> {
    for (_, answer) in &mut answers {
        if let Some(answer) = answer.as_object_mut() {
            answer.remove("next");
        }
        let events = match answer {
            Value::Array(events) => Some(events),
            other => other.get_mut("events").and_then(Value::as_array_mut),
        };
        for event in events.into_iter().flatten() {
            let members = event.as_object_mut().unwrap();
            members.retain(|name, _| name != "id" && name != "received_at");
        }
    }
    answers
}

#[test]
fn answers_are_those_of_a_server_that_never_sealed_and_the_same_after_a_restart() {
    let (server, plain) = (start(), Server::start());
    let size = flood(&server, 0);
    for first in (0..size).step_by(BATCH) {
        plain.store("acme", first..first + BATCH);
    }
    assert_eq!(plain.metric("trailbook_segments{level=\"0\"}"), 0);
    let before = answers(&server);
    for (sealed, plain) in content(before.clone()).iter().zip(&content(answers(&plain))) {
        assert_eq!(sealed, plain);
    }
    let stats = server.get("/v1/stats").json();
    let acme = stats["organizations"].as_array().unwrap().iter();
    let acme = acme.into_iter().find(|known| known["organization"] == "acme").unwrap();
    assert_eq!(
        (&acme["organization"], &acme["size"], &acme["floor"]),
        (&json!("acme"), &json!(size), &json!(0))
    );
    let in_levels: u64 = stats["levels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|level| level["events"].as_u64().unwrap())
        .sum();
    let listed = stats["organizations"].as_array().unwrap().iter();
    let stored: u64 = listed.map(|known| known["size"].as_u64().unwrap()).sum();
    assert_eq!(in_levels + stats["tail_events"].as_u64().unwrap(), stored);
    assert!(acme["bytes"].as_u64().unwrap() > 0, "{stats}");
    let (code, table) = server.command(&["stats"]);
    assert_eq!(code, Some(0), "{table}");
    assert!(
        table
            .lines()
            .any(|line| line.ends_with(" acme") && line.contains(&size.to_string())),
        "{table}"
    );

    let again = Server::start_with(server.stop_sound(), &SEALING);
    for (before, after) in before.iter().zip(&answers(&again)) {
        assert_eq!(before, after);
    }
    again.store("acme", size..size + 10);
    assert_eq!(again.count("acme"), size as u64 + 10);
}

#[test]
fn a_redaction_holds_in_tail_and_segments_and_every_proof_stays() {
    let server = start();
    let size = flood(&server, 0);
    let of = |number: usize| server.get(&format!("{ACME}/events?metadata.n={number}")).json()["events"][0].clone();
    let (sealed, fresh) = (of(7), of(size - 1));
    let path = |event: &Value| format!("{ACME}/events/{}", event["id"].as_str().unwrap());
    let redact = |event: &Value, body: Value| {
        server.post(&format!("{}/redaction", path(event)), &[], body.to_string().as_bytes())
    };
    let proof = server.get(&format!("{}/proof", path(&sealed))).json();
    let parts = json!(["actor", "targets", "core"]);
    for (wrong, pointer) in [
        (json!({"parts": parts, "reason": "  "}), "/reason"),
        (json!({"parts": [], "reason": "request 7"}), "/parts"),
        (json!({"parts": ["actors"], "reason": "request 7"}), "/parts"),
    ] {
        let refused = redact(&sealed, wrong);
        assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid"));
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer);
    }
    assert_eq!(redact(&sealed, json!({"parts": parts})).problem(), "invalid");
    let body = json!({"parts": parts, "reason": "request 7"});
    let headers = [
        ("Authorization", "Bearer not-the-root-key"),
        ("Content-Type", "application/json"),
    ];
    let other = server.send(
        "POST",
        &format!("{}/redaction", path(&sealed)),
        &headers,
        body.to_string().as_bytes(),
    );
    assert_eq!(other.status, 401);

    let answer = redact(&sealed, body);
    assert_eq!(
        answer.json()["redacted"],
        json!(["core", "actor", "targets"]),
        "{}",
        answer.text()
    );
    let id = fresh["id"].as_str().unwrap();
    let options = ["--organization", "acme", "--event", id, "--parts", "actor,details"];
    let (code, said) = server.command(&[["redact"].as_slice(), &options].concat());
    assert_eq!(code, Some(2), "a reason is required: {said}");
    let (code, said) = server.command(&[["redact"].as_slice(), &options, &["--reason", "request 8"]].concat());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("actor, details"), "{said}");

    let check = |server: &Server| {
        let now = server.get(&path(&sealed)).json();
        assert_eq!(now["redacted"], json!(["core", "actor", "targets"]));
        assert_eq!(
            (&now["action"], &now["actor"]["type"]),
            (&json!("trailbook.redacted"), &json!("unknown"))
        );
        assert_eq!((&now["targets"], &now["metadata"]), (&json!([]), &sealed["metadata"]));
        assert_eq!(
            (&now["sequence"], &now["occurred_at"]),
            (&sealed["sequence"], &sealed["occurred_at"])
        );
        let now = server.get(&path(&fresh)).json();
        assert_eq!(
            (&now["redacted"], &now["metadata"]),
            (&json!(["actor", "details"]), &json!(null))
        );
        assert_eq!(now["description"], fresh["description"]);
        let count = |filter: &str| server.get(&format!("{ACME}/events/count?{filter}")).json()["count"].clone();
        assert_eq!(count("target=t_7"), 0);
        assert_eq!(count(&format!("metadata.n={}", size - 1)), 0);
        assert_eq!(count("action=trailbook.redacted"), 1);
        assert_eq!(count("action=trailbook.event.redacted&security=true"), 2);
        let file = server.get(&format!("{ACME}/events.jsonl?metadata.n=7")).text();
        assert!(file.contains("trailbook.redacted") && !file.contains("t_7"), "{file}");
        let proven = server
            .get(&format!("{}/proof?size={}", path(&sealed), proof["size"]))
            .json();
        assert_eq!((&proven["leaf"], &proven["hashes"]), (&proof["leaf"], &proof["hashes"]));
        let bare =
            |part: usize| proven["parts"][part]["commitment"].is_string() && proven["parts"][part]["bytes"].is_null();
        assert_eq!([0, 1, 2, 3, 4].map(bare), [true, true, true, false, false]);
        server.assert_evidence("acme", "");
    };
    check(&server);
    server.until("segments are written anew", |server| {
        server.metric("trailbook_job_redact_seconds_count") > 0
    });
    check(&server);
    let recorded = server
        .get(&format!(
            "{ACME}/events?action=trailbook.event.redacted&order=asc&limit=1"
        ))
        .json();
    assert!(
        recorded["events"][0]["description"]
            .as_str()
            .unwrap()
            .ends_with("request 7"),
        "{recorded}"
    );
    let again = Server::start_with(server.stop_sound(), &SEALING);
    check(&again);
}

#[test]
fn redaction_can_be_switched_off() {
    let environment = [("TRAILBOOK_ROOT_KEY", ROOT_KEY), ("TRAILBOOK_REDACTION", "false")];
    let server = Server::start_with(tempfile::tempdir().unwrap(), &environment);
    let stored = server.fill("acme", 1);
    let id = stored["events"][0]["id"].as_str().unwrap();
    let body = json!({"parts": ["actor"], "reason": "request 7"}).to_string();
    let refused = server.post(&format!("{ACME}/events/{id}/redaction"), &[], body.as_bytes());
    assert_eq!((refused.status, refused.problem().as_str()), (403, "forbidden"));
    assert_eq!(server.get(&format!("{ACME}/policy")).json()["redaction"], false);
    assert_eq!(server.get(&format!("{ACME}/events/{id}")).json()["redacted"], json!([]));
    assert_eq!(server.count("acme"), 1);
}
