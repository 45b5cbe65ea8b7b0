//! What projects and organizations have against events at ingest, and what readers are told of the policy that applies.

use serde_json::{Value, json};

use crate::server::{ROOT_KEY, Server, event};

const ACME: &str = "/v1/organizations/acme";
const CATALOG: &str = r#"
areas = [{ id = "users", name = "Users", why = "Whoever has an account can look." }]
action_types = [{ id = "invite_link", name = "Invite by link" }]

[[actions]]
id = "user.made"
name = "User made"
area = "users"
action_type = "create"
description = "Made {targets.name}"
security = true

[[actions]]
id = "user.removed"
name = "User removed"
area = "users"
action_type = "delete"
why = "It cannot be undone."

[[actions]]
id = "user.linked"
name = "User invited"
area = "users"
action_type = "invite_link"
units = { took = "ms" }
"#;

fn with_catalog() -> Server {
    let server = Server::start();
    let authorization = format!("Bearer {ROOT_KEY}");
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/toml"),
    ];
    let answer = server.send("PUT", "/v1/projects/default/catalog", &headers, CATALOG.as_bytes());
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
    server
}

fn set(server: &Server, path: &str, request: &Value) {
    let answer = server.put(path, request);
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
}

/// The places of what is wrong with events that are refused.
fn places(server: &Server, events: &[Value]) -> Vec<String> {
    let refused = server.ingest(&json!({ "events": events }));
    assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid"));
    let document = refused.json();
    let errors = document["errors"].as_array().unwrap().iter();
    errors
        .map(|error| error["pointer"].as_str().unwrap().to_owned())
        .collect()
}

fn made(organization: &str, action: &str) -> Value {
    json!({
        "organization": organization,
        "action": action,
        "actor": { "id": "u_1", "name": "Sarah Khan", "email": "sarah@acme.example" },
        "targets": [{ "type": "user", "id": "u_2", "name": "Bill Hart" }],
    })
}

#[test]
fn each_organization_says_what_becomes_of_actions_that_the_catalog_does_not_know() {
    let server = with_catalog();
    set(&server, ACME, &json!({"policy": {"unknown_actions": "refuse"}}));
    set(
        &server,
        "/v1/organizations/beta",
        &json!({"policy": {"unknown_actions": "mark"}}),
    );
    let batch = [
        made("beta", "user.mad"),
        made("acme", "user.made"),
        made("acme", "user.mad"),
        made("beta", "x"),
    ];
    assert_eq!(places(&server, &batch), ["/events/2/action"]);
    assert_eq!(server.count("beta"), 0, "nothing of the batch was stored");
    assert_eq!(
        server
            .ingest(&json!({ "events": [batch[0], batch[1], batch[3]] }))
            .status,
        201
    );
}

#[test]
fn events_from_before_recording_began_are_refused_where_the_policy_says_so() {
    let server = Server::start();
    let policy = json!({"recorded_since": "2026-11-01T00:00:00Z", "backfill": "refuse"});
    set(&server, ACME, &json!({"policy": policy}));
    let at = |organization: &str, time: &str| {
        let mut event = made(organization, "a");
        event["occurred_at"] = json!(time);
        event
    };
    let batch = [
        at("acme", "2026-10-31T23:59:59.999Z"),
        at("acme", "2026-11-01T01:00:00+01:00"),
        at("beta", "2020-01-01T00:00:00Z"),
    ];
    assert_eq!(places(&server, &batch), ["/events/0/occurred_at"]);
    assert_eq!(server.ingest(&json!({ "events": batch[1..] })).status, 201);
    let policy = server.get(&format!("{ACME}/policy")).json();
    assert_eq!(policy["recorded_since"], "2026-11-01T00:00:00Z");
}

#[test]
fn where_organizations_are_declared_events_make_none_and_elsewhere_it_is_told_once() {
    let server = Server::start();
    assert_eq!(server.ingest(&event("before", 0)).status, 201);
    set(&server, "/v1/projects/default", &json!({"organizations": "declared"}));
    set(&server, ACME, &json!({}));
    let batch = [event("before", 1), event("nobody", 2), event("acme", 3)];
    assert_eq!(places(&server, &batch), ["/events/1/organization"]);
    assert_eq!(server.get("/v1/organizations/nobody/events").status, 404);
    assert_eq!(server.ingest(&json!({ "events": [batch[0], batch[2]] })).status, 201);

    set(&server, "/v1/projects/default", &json!({}));
    assert_eq!(
        server
            .ingest(&json!({ "events": [event("made", 0), event("made", 1)] }))
            .status,
        201
    );
    assert_eq!(server.ingest(&event("made", 2)).status, 201);
    let first = server.get("/v1/organizations/made/events?order=asc&limit=1").json();
    assert_eq!(
        first["events"][0]["sequence"], 0,
        "its first event is the first that was sent"
    );
    assert_eq!(first["events"][0]["action"], event("made", 0)["action"]);
    let told = server
        .get("/v1/organizations/_system/events?action=trailbook.organization.created&order=asc")
        .json();
    let told: Vec<(&Value, &Value)> = told["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (&event["targets"][0]["id"], &event["metadata"]["automatic"]))
        .collect();
    let (automatic, declared) = (json!(true), json!(null));
    assert_eq!(
        told,
        [
            (&json!("before"), &automatic),
            (&json!("acme"), &declared),
            (&json!("made"), &automatic)
        ]
    );
}

#[test]
fn files_have_the_columns_and_words_of_the_policy() {
    let server = with_catalog();
    let policy = json!({
        "columns": [
            {"id": "when", "label": "Date and Time", "value": "{occurred_at}"},
            {"id": "action", "label": "Activity", "value": "{action_type} — {description}"},
            {"id": "entity", "label": "Entity", "value": "{targets.name} · {targets.type} · {product}"},
            {"id": "by", "label": "=Performed By", "value": "{actor.email|actor.name|actor.type}"},
            {"id": "security", "label": "Security action", "value": "{security}"},
        ],
        "labels": {
            "fields": {"area": "Entity"},
            "values": {
                "action_type": {"create": "Added"},
                "targets.type": {"user": "User"},
                "actor.type": {"anonymous": "Not signed in"},
                "security": {"true": "Security action", "false": ""},
            },
        },
        "filters": [{"field": "action_type", "values": ["approve"]}],
    });
    set(&server, ACME, &json!({"policy": policy}));
    let mut events = [made("acme", "user.made"), made("acme", "user.linked")];
    events[0]["occurred_at"] = json!("2026-11-20T09:00:00Z");
    events[1]["occurred_at"] = json!("2026-11-20T08:00:00Z");
    events[1]["actor"] = json!({"type": "anonymous"});
    assert_eq!(server.ingest(&json!({ "events": events })).status, 201);
    let file = |query: &str| {
        let answer = server.get(&format!("{ACME}/events.csv?{query}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(answer.body.as_slice());
        let rows = reader
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect());
        rows.collect::<Vec<Vec<String>>>()
    };
    assert_eq!(
        file("labels=true&time_zone=Asia/Kolkata"),
        [
            [
                "Date and Time",
                "Activity",
                "Entity",
                "'=Performed By",
                "Security action"
            ],
            [
                "2026-11-20T14:30:00.000+05:30",
                "Added — Made Bill Hart",
                "Bill Hart · User · —",
                "sarah@acme.example",
                "Security action"
            ],
            [
                "2026-11-20T13:30:00.000+05:30",
                "Invite by link — —",
                "Bill Hart · User · —",
                "Not signed in",
                ""
            ],
        ]
    );
    assert_eq!(
        file("labels=true&columns=action,area")[..2],
        [["Activity", "Entity"], ["Added — Made Bill Hart", "users"]]
    );
    assert_eq!(
        file("columns=action,when")[1],
        ["user.made", "2026-11-20T09:00:00.000Z"],
        "event paths first"
    );
    let facets = server
        .get(&format!("{ACME}/events/facets?field=action_type&field=security"))
        .json();
    let offered = |value: &str, label: &str, count: u64| json!({"value": value, "label": label, "count": count});
    assert_eq!(
        facets["facets"]["action_type"],
        json!([
            offered("create", "Added", 1),
            offered("invite_link", "Invite by link", 1),
            offered("approve", "Approve", 0),
            offered("delete", "Delete", 0),
        ])
    );
    assert_eq!(facets["facets"]["security"][1], offered("true", "Security action", 1));
}

#[test]
fn a_question_of_the_policy_that_nobody_could_answer_is_refused_with_its_place() {
    let server = Server::start();
    let query = |aggregate: &Value| json!({"policy": {"queries": [{"id": "q", "label": "Q", "aggregate": aggregate}]}});
    let right = json!({"filter": "action:login", "metrics": [{"name": "logins", "op": "count"}]});
    set(&server, ACME, &query(&right));
    for wrong in [
        json!({"filter": "action:(", "metrics": [{"name": "n", "op": "count"}]}),
        json!({"metrics": [{"name": "n", "op": "guess"}]}),
        json!({"metrics": [{"name": "n", "op": "count"}], "interval": "year"}),
    ] {
        let refused = server.put(ACME, &query(&wrong));
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (422, "invalid"),
            "{wrong}"
        );
        assert_eq!(
            refused.json()["errors"][0]["pointer"],
            "/policy/queries/0/aggregate",
            "{wrong}"
        );
    }
    assert_eq!(
        server.get(&format!("{ACME}/policy")).json()["queries"][0]["aggregate"],
        right
    );
}

#[test]
fn readers_learn_the_words_of_the_catalog_and_what_they_may_do() {
    let server = with_catalog();
    set(
        &server,
        ACME,
        &json!({"policy": {"labels": {"values": {"action": {"user.made": "Added a user"}}}}}),
    );
    let request = json!({"actor": {"id": "u_9", "role": "auditor"}});
    let token = server
        .post(&format!("{ACME}/viewer-tokens"), &[], request.to_string().as_bytes())
        .json()["token"]
        .clone();
    let authorization = format!("Bearer {}", token.as_str().unwrap());
    let answer = server.send(
        "GET",
        &format!("{ACME}/policy"),
        &[("Authorization", &authorization)],
        b"",
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    let policy = answer.json();
    assert_eq!(
        policy["rights"],
        json!({"view": true, "export": false, "administer": false})
    );
    assert_eq!(
        policy["areas"],
        json!([{"id": "users", "label": "Users", "why": "Whoever has an account can look."}])
    );
    let action = |at: usize, member: &str| policy["actions"][at][member].clone();
    assert_eq!(
        (action(0, "label"), action(0, "name")),
        (json!("Added a user"), json!("User made"))
    );
    assert_eq!(action(0, "why"), "Whoever has an account can look.", "as its area says");
    assert_eq!(action(1, "why"), "It cannot be undone.");
    assert_eq!(action(2, "units"), json!({"took": "ms"}));
    let types = policy["action_types"].as_array().unwrap();
    assert!(types.contains(&json!({"id": "read", "label": "View"})), "{types:?}");
    assert!(
        types.contains(&json!({"id": "invite_link", "label": "Invite by link"})),
        "{types:?}"
    );
}
