//! The HTTP contract, row by row.

use std::io::Read;

use serde_json::json;

use crate::server::{ROOT_KEY, Server, event};

const ACME: &str = "/v1/organizations/acme";

#[test]
fn a_batch_is_stored_whole_and_answered_in_order() {
    let server = Server::start();
    let answer = server.fill("acme", 3);
    assert_eq!((&answer["accepted"], &answer["duplicates"]), (&json!(3), &json!(0)));
    let sequences: Vec<_> = answer["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stored| stored["sequence"].clone())
        .collect();
    assert_eq!(sequences, [0, 1, 2]);

    let refused = server.ingest(&json!({ "events": [event("acme", 3), { "organization": "acme" }] }));
    assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid"));
    assert!(
        refused.json()["errors"][0]["pointer"]
            .as_str()
            .unwrap()
            .starts_with("/events/1/"),
        "{}",
        refused.text()
    );
    assert_eq!(server.count("acme"), 3);
}

#[test]
fn pointers_follow_the_form_of_the_body() {
    let server = Server::start();
    let mut bad = event("acme", 0);
    bad["actor"]["id"] = json!(7);
    let pointer = |answer: crate::server::Answer| answer.json()["errors"][0]["pointer"].as_str().unwrap().to_owned();
    assert_eq!(pointer(server.ingest(&bad)), "/actor/id");
    assert_eq!(
        pointer(server.ingest(&json!({ "events": [event("acme", 1), bad] }))),
        "/events/1/actor/id"
    );
    let lines = format!("{}\n{bad}\n", event("acme", 1));
    let headers = [("Content-Type", "application/x-ndjson")];
    assert_eq!(
        pointer(server.post("/v1/events", &headers, lines.as_bytes())),
        "/1/actor/id"
    );
    assert_eq!(server.count("acme"), 0);
}

#[test]
fn a_client_id_stores_once_and_stands_for_one_content() {
    let server = Server::start();
    let mut first = event("acme", 0);
    first["client_id"] = json!("c-1");
    let stored = server.ingest(&first).json();
    let again = server.ingest(&first);
    assert_eq!(again.status, 201);
    let again = again.json();
    assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(0), &json!(1)));
    assert_eq!(again["events"][0]["id"], stored["events"][0]["id"]);
    assert_eq!(again["events"][0]["duplicate"], true);

    first["action"] = json!("user.deleted");
    let other = server.ingest(&json!({ "events": [event("acme", 1), first] }));
    assert_eq!((other.status, other.problem().as_str()), (422, "conflict"));
    assert_eq!(other.json()["errors"][0]["pointer"], "/events/1/client_id");
    assert_eq!(server.count("acme"), 1);
}

#[test]
fn an_idempotency_key_repeats_its_answer_and_refuses_another_body() {
    let server = Server::start();
    let send = |number: usize, key: &str| {
        server.post(
            "/v1/events",
            &[("Idempotency-Key", key)],
            event("acme", number).to_string().as_bytes(),
        )
    };
    let first = send(0, "k-1");
    let again = send(0, "k-1");
    assert_eq!((again.status, again.text()), (201, first.text()));
    assert_eq!(
        (send(1, "k-1").status, send(1, "k-1").problem().as_str()),
        (422, "conflict")
    );
    assert_eq!(send(1, &"k".repeat(255)).status, 201);
    assert_eq!(send(2, &"k".repeat(256)).problem(), "invalid-parameter");
    assert_eq!(server.count("acme"), 2);
}

#[test]
fn validation_says_what_would_be_stored_and_stores_nothing() {
    let server = Server::start();
    let verdict = server.post("/v1/events/validate", &[], event("acme", 0).to_string().as_bytes());
    assert_eq!(verdict.status, 200, "{}", verdict.text());
    assert_eq!(verdict.json()["valid"], true);
    assert_eq!(verdict.json()["events"][0]["result"], "success");
    let verdict = server
        .post("/v1/events/validate", &[], b"{\"organization\":\"acme\"}")
        .json();
    assert_eq!(verdict["valid"], false);
    assert!(
        verdict["errors"].as_array().unwrap().len() >= 2,
        "action and actor are missing: {verdict}"
    );
    assert_eq!(server.get(&format!("{ACME}/events")).status, 404);
}

#[test]
fn pages_go_both_ways_and_later_arrivals_do_not_shift_them() {
    let server = Server::start();
    server.fill("acme", 100);
    for order in ["desc", "asc"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = server
                .get(&format!("{ACME}/events?order={order}&limit=33{cursor}"))
                .json();
            let events = page["events"].as_array().unwrap();
            seen.extend(events.iter().map(|event| {
                (
                    event["occurred_at"].as_str().unwrap().to_owned(),
                    event["sequence"].as_u64().unwrap(),
                )
            }));
            server.fill("acme", 3);
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
            assert_eq!(page["range"], json!({ "from": null, "to": null }));
        }
        let mut sorted = seen.clone();
        sorted.sort();
        if order == "desc" {
            sorted.reverse();
        }
        assert_eq!(seen, sorted);
        sorted.dedup();
        assert_eq!(sorted.len(), seen.len(), "nothing is repeated");
    }
}

#[test]
fn a_cursor_belongs_to_its_listing() {
    let server = Server::start();
    server.fill("acme", 10);
    server.fill("beta", 10);
    let page = server.get(&format!("{ACME}/events?limit=2&area=users")).json();
    let cursor = page["next"].as_str().unwrap();
    for other in [
        format!("{ACME}/events?limit=2&cursor={cursor}"),
        format!("{ACME}/events?limit=2&area=billing&cursor={cursor}"),
        format!("{ACME}/events?limit=2&area=users&order=asc&cursor={cursor}"),
        format!("{ACME}/events?limit=2&area=users&to=2026-11-19T00:00:00Z&cursor={cursor}"),
        format!("/v1/organizations/beta/events?limit=2&area=users&cursor={cursor}"),
        format!("{ACME}/events?limit=2&area=users&cursor=AAAA{cursor}"),
    ] {
        let answer = server.get(&other);
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "invalid-cursor"),
            "{other}"
        );
    }
    assert_eq!(
        server
            .get(&format!("{ACME}/events?limit=3&area=users&cursor={cursor}"))
            .status,
        200
    );
}

#[test]
fn one_event_comes_back_in_its_envelope() {
    let server = Server::start();
    let id = server.fill("acme", 1)["events"][0]["id"].as_str().unwrap().to_owned();
    let found = server.get(&format!("{ACME}/events/{id}")).json();
    for (member, value) in [
        ("id", json!(id)),
        ("project", json!("default")),
        ("sequence", json!(0)),
        ("epoch", json!(1)),
        ("expires_at", json!(null)),
        ("country", json!(null)),
        ("redacted", json!([])),
        ("message", json!(null)),
        ("changes", json!([])),
        ("action_type", json!("other")),
    ] {
        assert_eq!(found[member], value, "{member}");
    }
    assert!(found["received_at"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn counts_facets_and_histograms_are_exact() {
    let server = Server::start();
    server.fill("acme", 100);
    let count = |filter: &str| {
        server.get(&format!("{ACME}/events/count?{filter}")).json()["count"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(count("security=true"), 20);
    assert_eq!(
        count("-area=users&actor=U_1&actor=u_2"),
        (0..100).filter(|n| n % 2 == 1 && [1, 2].contains(&(n % 7))).count() as u64
    );
    assert_eq!(count("q=ZOE+-security:true"), 80);
    assert_eq!(count("metadata.n=42"), 1);
    assert_eq!(
        count("from=2026-11-02T00:00:00Z&to=2026-11-03T00:00:00%2B00:00"),
        (0..100).filter(|n| n % 18 == 1).count() as u64
    );

    let facets = server
        .get(&format!("{ACME}/events/facets?field=actor&field=area&limit=3"))
        .json();
    assert_eq!(
        facets["facets"]["area"],
        json!([{ "value": "billing", "label": null, "count": 50 }, { "value": "users", "label": null, "count": 50 }])
    );
    assert_eq!(
        facets["facets"]["actor"][0],
        json!({ "value": "u_0", "label": "Zoë 0", "count": 15 })
    );
    assert_eq!(facets["facets"]["actor"].as_array().unwrap().len(), 3);
    assert_eq!(facets["size"], 100);

    let histogram = server
        .get(&format!(
            "{ACME}/events/histogram?interval=day&from=2026-11-01T00:00:00Z&to=2026-11-30T00:00:00Z"
        ))
        .json();
    let buckets = histogram["buckets"].as_array().unwrap();
    assert_eq!(buckets.len(), 29);
    assert_eq!(
        buckets
            .iter()
            .map(|bucket| bucket["count"].as_u64().unwrap())
            .sum::<u64>(),
        100
    );
    assert_eq!(
        buckets
            .iter()
            .map(|bucket| bucket["security"].as_u64().unwrap())
            .sum::<u64>(),
        20
    );
    let wide = server.get(&format!(
        "{ACME}/events/histogram?interval=hour&from=2000-01-01T00:00:00Z&to=2026-11-30T00:00:00Z"
    ));
    assert_eq!(wide.status, 400, "{}", wide.text());
    assert_eq!(
        server
            .get(&format!("{ACME}/events/histogram?time_zone=Mars/Olympus"))
            .problem(),
        "invalid-parameter"
    );
}

#[test]
fn aggregates_group_and_compute() {
    let server = Server::start();
    server.fill("acme", 100);
    let aggregate =
        |body: serde_json::Value| server.post(&format!("{ACME}/events/aggregate"), &[], body.to_string().as_bytes());
    let answer = aggregate(json!({
        "filter": "area:users,billing", "group_by": ["area"],
        "metrics": [
            { "name": "events", "op": "count" },
            { "name": "secure", "op": "count", "filter": "security:true" },
            { "name": "top", "op": "max", "field": "metadata.n" },
            { "name": "rest", "expression": "1 - secure / events" },
            { "name": "impossible", "expression": "events / (secure - secure)" },
        ],
    }));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        answer.json()["rows"][1],
        json!({ "group": { "area": "users" },
        "metrics": { "events": 50, "secure": 10, "top": 98, "rest": 0.8, "impossible": null } })
    );
    assert_eq!(
        aggregate(json!({ "metrics": [{ "name": "x", "op": "median" }] })).json()["errors"][0]["pointer"],
        "/metrics/0/op"
    );
    assert_eq!(aggregate(json!({ "metrics": [], "surprise": 1 })).status, 422);
    assert_eq!(
        aggregate(json!({ "filter": "actor:(", "metrics": [{ "name": "x", "op": "count" }] })).problem(),
        "invalid-query"
    );
}

#[test]
fn traces_and_policy_are_answered() {
    let server = Server::start();
    server.fill("acme", 30);
    let trace = server.get(&format!("{ACME}/traces/trace-1")).json();
    assert_eq!(trace["events"].as_array().unwrap().len(), 10);
    assert_eq!(trace["actions"], json!({ "user.role.updated": 10 }));
    assert_eq!(trace["actors"].as_array().unwrap().len(), 7);
    assert_eq!(server.get(&format!("{ACME}/traces/nothing")).status, 404);
    let policy = server.get(&format!("{ACME}/policy")).json();
    assert_eq!(
        (&policy["retention_days"], &policy["time_zone"]),
        (&json!(null), &json!("UTC"))
    );
}

#[test]
fn checkpoints_proofs_and_tiles_fit_together() {
    let server = Server::start();
    let id = server.fill("acme", 300)["events"][7]["id"].as_str().unwrap().to_owned();
    let checkpoint = server.get(&format!("{ACME}/checkpoint"));
    assert_eq!(checkpoint.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(checkpoint.text().lines().nth(1), Some("300"));
    assert_eq!(server.get(&format!("{ACME}/tlog/checkpoint")).text(), checkpoint.text());
    assert_eq!(
        server.get(&format!("{ACME}/checkpoint?size=300")).text(),
        checkpoint.text()
    );
    assert_eq!(server.get(&format!("{ACME}/checkpoint?size=299")).status, 404);
    let key = server.get(&format!("{ACME}/checkpoint-key")).json();
    assert_eq!(checkpoint.text().lines().next(), key["origin"].as_str());
    let proof = server.get(&format!("{ACME}/events/{id}/proof")).json();
    assert_eq!(
        (&proof["index"], &proof["size"], &proof["checkpoint"]),
        (&json!(7), &json!(300), &json!(checkpoint.text()))
    );
    assert_eq!(server.get(&format!("{ACME}/events/{id}/proof?size=7")).status, 400);
    assert!(
        !server.get(&format!("{ACME}/consistency?from=100&to=300")).json()["hashes"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    for bad in ["from=100", "from=200&to=100", "from=1&to=301"] {
        assert_eq!(server.get(&format!("{ACME}/consistency?{bad}")).status, 400, "{bad}");
    }
    assert_eq!(server.get(&format!("{ACME}/tlog/tile/0/000")).body.len(), 256 * 32);
    assert_eq!(server.get(&format!("{ACME}/tlog/tile/0/001.p/44")).body.len(), 44 * 32);
    assert_eq!(server.get(&format!("{ACME}/tlog/tile/entries/001.p/44")).status, 200);
    for absent in [
        "0/001",
        "0/001.p/45",
        "0/0",
        "9/000",
        "entries/002",
        "0/000.p/0",
        "0/000/../000",
    ] {
        assert_eq!(
            server.get(&format!("{ACME}/tlog/tile/{absent}")).status,
            404,
            "{absent}"
        );
    }
}

#[test]
fn everything_but_health_and_the_page_needs_a_credential() {
    let server = Server::start();
    server.fill("acme", 1);
    for path in [
        "/v1/events",
        "/v1/nothing",
        "/v1/organizations/acme/events",
        "/v1/organizations/nobody/events",
        "/otlp/v1/logs",
    ] {
        for credential in [
            None,
            Some("Bearer wrong-key-0123456789"),
            Some("Basic dGVzdA=="),
            Some(ROOT_KEY),
        ] {
            let headers: Vec<_> = credential.map(|value| ("Authorization", value)).into_iter().collect();
            let answer = server.send("GET", path, &headers, b"");
            assert_eq!(
                (answer.status, answer.problem().as_str()),
                (401, "unauthorized"),
                "{path} {credential:?}"
            );
            assert!(answer.headers["www-authenticate"].starts_with("Bearer"));
        }
    }
    for path in [
        "/healthz",
        "/readyz",
        "/version",
        "/metrics",
        "/openapi.json",
        "/docs/api",
        "/",
    ] {
        assert_eq!(server.send("GET", path, &[], b"").status, 200, "{path}");
    }
}

#[test]
fn what_is_not_there_looks_the_same_as_what_may_not_be_known() {
    let server = Server::start();
    server.fill("acme", 1);
    let id = server.fill("beta", 1)["events"][0]["id"].as_str().unwrap().to_owned();
    let plain = |path: &str| {
        let mut document = server.get(path).json();
        document["request_id"] = json!(null);
        document
    };
    let nowhere = plain("/v1/organizations/acme/events/01936f3a-7c1e-7d02-9f4b-2a7c1f00b6de");
    assert_eq!(nowhere["status"], 404);
    assert_eq!(plain(&format!("/v1/organizations/acme/events/{id}")), nowhere);
    assert_eq!(plain("/v1/organizations/nobody/events"), nowhere);
    assert_eq!(plain("/v1/no/such/route"), nowhere);
    let project = [
        ("Authorization", format!("Bearer {ROOT_KEY}")),
        ("Trailbook-Project", "other".into()),
    ];
    let headers: Vec<(&str, &str)> = project.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(
        server
            .send("GET", "/v1/organizations/acme/events", &headers, b"")
            .status,
        404
    );
}

#[test]
fn the_router_refuses_with_problems_too() {
    let server = Server::start();
    let answer = server.post("/v1/organizations/acme/events", &[], b"{}");
    assert_eq!((answer.status, answer.problem().as_str()), (405, "method-not-allowed"));
    assert!(answer.headers["allow"].contains("GET"));
    assert_eq!(server.send("POST", "/", &[], b"").problem(), "method-not-allowed");
}

#[test]
fn metrics_name_no_organization() {
    let server = Server::start();
    server.fill("acme-secret-name", 5);
    let metrics = server.send("GET", "/metrics", &[], b"").text();
    assert!(metrics.contains("trailbook_events_accepted_total 5"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n") && !metrics.contains("acme"));
}

#[test]
fn the_page_is_guarded_and_cached_by_its_tag() {
    let server = Server::start();
    let page = server.send("GET", "/", &[], b"");
    assert!(page.headers["content-security-policy"].starts_with("default-src 'self'"));
    assert!(page.headers["content-security-policy"].contains("frame-ancestors 'none'"));
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    let tag = page.headers["etag"].clone();
    assert_eq!(server.send("GET", "/", &[("If-None-Match", &tag)], b"").status, 304);
    assert_eq!(
        server.send("GET", "/some/view", &[("Accept", "text/html")], b"").body,
        page.body
    );
    assert_eq!(
        server
            .send("GET", "/assets/none.js", &[("Accept", "*/*")], b"")
            .problem(),
        "not-found"
    );
}

#[test]
fn the_page_is_compressed_for_those_who_accept_it() {
    let server = Server::start();
    let plain = server.send("GET", "/", &[], b"");
    assert_eq!(plain.headers["vary"], "Accept-Encoding");
    assert!(!plain.headers.contains_key("content-encoding"));
    let accept = ("Accept-Encoding", "br, gzip");
    let small = server.send("GET", "/", &[accept], b"");
    assert_eq!(small.headers["content-encoding"], "gzip");
    let mut body = Vec::new();
    flate2::read::GzDecoder::new(&*small.body)
        .read_to_end(&mut body)
        .unwrap();
    assert_eq!(body, plain.body);
    assert!(small.body.len() < plain.body.len());
    let tag = small.headers["etag"].clone();
    assert_ne!(tag, plain.headers["etag"], "other bytes, another tag");
    let again = server.send("GET", "/", &[accept, ("If-None-Match", &tag)], b"");
    assert_eq!((again.status, again.body.len()), (304, 0));
}
