//! How long events are kept: floors, what is said of them, and how root changes it.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use trailbook_event::Timestamp;

use crate::{
    live::Feed,
    past,
    server::{Answer, ROOT_KEY, Server},
};

const ACME: &str = "/v1/organizations/acme";
const DAY: i64 = 24 * 3_600_000;

fn days_ago(days: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    now - days * DAY
}

fn from(days: i64) -> String {
    format!("from={}", Timestamp::from_millis(days_ago(days)))
}

/// The codes of the warnings of every read that takes a range.
fn warnings(server: &Server, range: &str) -> Vec<Value> {
    let reads = [
        "events?",
        "events/count?",
        "events/facets?field=area&",
        "events/histogram?interval=month&",
    ];
    let mut answers: Vec<Value> = reads
        .iter()
        .map(|read| server.get(&format!("{ACME}/{read}{range}")).json())
        .collect();
    let mut aggregate = json!({"metrics": [{"name": "n", "op": "count"}]});
    if let Some(from) = range.strip_prefix("from=") {
        aggregate["from"] = json!(from);
    }
    let body = aggregate.to_string();
    answers.push(
        server
            .post(&format!("{ACME}/events/aggregate"), &[], body.as_bytes())
            .json(),
    );
    let codes = |answer: &Value| {
        let warnings = answer["warnings"].as_array().unwrap_or_else(|| panic!("{answer}"));
        warnings.iter().map(|warning| warning["code"].clone()).collect()
    };
    answers.iter().map(codes).collect()
}

fn files(server: &Server, range: &str) -> Vec<Option<String>> {
    let file = |name| server.get(&format!("{ACME}/{name}?{range}"));
    let answers: [Answer; 3] = ["events.csv", "events.jsonl", "events.evidence"].map(file);
    answers
        .iter()
        .map(|answer| answer.headers.get("trailbook-warning").cloned())
        .collect()
}

#[test]
fn what_expired_is_gone_is_warned_of_and_leaves_proofs_of_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let ids = past::store(
        &directory.path().join("data"),
        "acme",
        // The last one shows that the clock has not gone astray: floors would wait an hour otherwise.
        &[(days_ago(40), 600), (days_ago(20), 399), (days_ago(0) - 3_600_000, 1)],
    );
    let environment = [("TRAILBOOK_ROOT_KEY", ROOT_KEY), ("TRAILBOOK_RETENTION_DAYS", "30")];
    let server = Server::start_with(directory, &environment);
    server.until("events expire", |server| server.count("acme") == 400);

    assert_eq!(
        warnings(&server, ""),
        vec![json!(["beyond_retention"]); 5],
        "all there ever was"
    );
    assert_eq!(warnings(&server, &from(35)), vec![json!(["beyond_retention"]); 5]);
    assert_eq!(warnings(&server, &from(25)), vec![json!([]); 5]);
    let said = files(&server, &from(35));
    assert!(
        said.iter()
            .flatten()
            .filter(|said| said.starts_with("beyond_retention: "))
            .count()
            == 3,
        "{said:?}"
    );
    assert_eq!(files(&server, &from(25)), [None, None, None]);
    assert_eq!(server.get(&format!("{ACME}/events.jsonl")).text().lines().count(), 400);

    let get = |path: &str| server.get(&format!("{ACME}/{path}"));
    assert_eq!(get(&format!("events/{}", ids[599])).status, 404);
    assert_eq!(get(&format!("events/{}", ids[600])).json()["sequence"], 600);
    assert_eq!(get(&format!("events/{}/proof", ids[600])).status, 200);
    assert_eq!(get("checkpoint-key").json()["minimum_index"], 768);
    for gone in ["000", "001", "002"] {
        assert_eq!(get(&format!("tlog/tile/entries/{gone}")).problem(), "gone");
    }
    assert_eq!(get("tlog/tile/entries/003.p/232").status, 200);
    assert_eq!(
        get("tlog/tile/0/002").status,
        200,
        "the hashes of a tile that is cut are kept"
    );
    assert_eq!(get("consistency?from=600&to=1000").status, 200);
    let mut feed = Feed::open(&server, "", Some("1-10"));
    assert_eq!(feed.next().1["sequence"], 600, "a feed goes on with what is left");
    drop(feed);
    server.assert_evidence("acme", "");
    server.assert_evidence("acme", "security=true");

    let longer = server.put(ACME, &json!({"policy": {"retention_days": null}}));
    assert_eq!(longer.status, 200, "{}", longer.text());
    assert_eq!(server.count("acme"), 401, "nothing comes back; the change is an event");
    assert_eq!(warnings(&server, &from(35)), vec![json!(["beyond_retention"]); 5]);
    assert_eq!(warnings(&server, &from(25)), vec![json!([]); 5]);
    server.stop_sound();
}

#[test]
fn a_named_beginning_before_the_retention_is_warned_of_while_all_is_there() {
    let environment = [("TRAILBOOK_ROOT_KEY", ROOT_KEY), ("TRAILBOOK_RETENTION_DAYS", "30")];
    let server = Server::start_with(tempfile::tempdir().unwrap(), &environment);
    server.fill("acme", 10);
    assert_eq!(warnings(&server, ""), vec![json!([]); 5]);
    assert_eq!(warnings(&server, &from(29)), vec![json!([]); 5]);
    assert_eq!(warnings(&server, &from(31)), vec![json!(["beyond_retention"]); 5]);
    assert_eq!(files(&server, ""), [None, None, None]);
    let first = server.get(&format!("{ACME}/events?limit=3&{}", from(31))).json();
    assert!(
        first["warnings"][0]["detail"].as_str().unwrap().contains("30 days"),
        "{first}"
    );
}

#[test]
fn shorter_waits_and_can_be_taken_back_longer_acts_at_once_and_a_hold_stops_expiry() {
    let environment = [("TRAILBOOK_ROOT_KEY", ROOT_KEY), ("TRAILBOOK_RETENTION_DAYS", "365")];
    let server = Server::start_with(tempfile::tempdir().unwrap(), &environment);
    server.fill("acme", 3);
    let set = |policy: Value| {
        let answer = server.put(ACME, &json!({ "policy": policy }));
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(
            answer.json(),
            server.get(ACME).json(),
            "what is answered is what is in force"
        );
        answer.json()
    };
    let kept_days = || {
        let event = &server.get(&format!("{ACME}/events?limit=1")).json()["events"][0];
        let time = |name: &str| Some(Timestamp::parse(event[name].as_str()?).unwrap().millis());
        time("expires_at").map(|at| (at - time("received_at").unwrap()) / DAY)
    };
    let before = days_ago(0);
    let shorter = set(json!({"retention_days": 30}));
    assert_eq!(
        (&shorter["policy"]["retention_days"], kept_days()),
        (&json!(365), Some(365))
    );
    let pending = &shorter["pending_retention"];
    let at = Timestamp::parse(pending["takes_effect_at"].as_str().unwrap())
        .unwrap()
        .millis();
    assert_eq!(pending["retention_days"], 30);
    assert!((before + 7 * DAY..=days_ago(-7)).contains(&at), "{pending}");
    assert_eq!(
        set(json!({"retention_days": 30}))["pending_retention"],
        *pending,
        "it does not wait anew"
    );

    let back = set(json!({"retention_days": 365}));
    assert_eq!((&back["pending_retention"], kept_days()), (&json!(null), Some(365)));
    let longer = set(json!({"retention_days": 730}));
    assert_eq!(
        (&longer["policy"]["retention_days"], kept_days()),
        (&json!(730), Some(730))
    );
    let held = set(json!({"retention_days": 730, "legal_hold": true}));
    assert_eq!((&held["policy"]["legal_hold"], kept_days()), (&json!(true), None));

    let changes = |action: &str| -> Vec<Value> {
        let found = server.get(&format!("{ACME}/events?action={action}")).json();
        let events = found["events"].as_array().unwrap().iter();
        events.map(|event| event["changes"][0].clone()).collect()
    };
    assert_eq!(
        changes("trailbook.legal_hold.set"),
        [json!({"field": "legal_hold", "after": true})]
    );
    let kept = changes("trailbook.retention.changed");
    assert_eq!(kept.len(), 3, "{kept:?}");
    assert_eq!(kept[0], json!({"field": "retention_days", "before": 365, "after": 730}));

    for (wrong, pointer) in [
        (json!({"policy": {"retention_days": 0}}), "/policy/retention_days"),
        (json!({"name": "other", "policy": {}}), "/name"),
    ] {
        let refused = server.put(ACME, &wrong);
        assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid"));
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer);
    }
    let headers = [
        ("Authorization", "Bearer not-the-root-key"),
        ("Content-Type", "application/json"),
    ];
    let body = json!({"policy": {"retention_days": null}}).to_string();
    assert_eq!(server.send("PUT", ACME, &headers, body.as_bytes()).status, 401);
    let (_, directory) = server.stop();
    let again = Server::start_with(directory, &environment);
    assert_eq!(again.get(ACME).json(), held);
}
