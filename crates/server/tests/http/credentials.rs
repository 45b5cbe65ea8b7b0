//! API keys and viewer tokens: what each opens, what it does not, and that revoking acts at once.

use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::server::{Answer, Server, event};

/// A request with a bearer credential and a JSON body.
fn call(server: &Server, credential: &str, method: &str, path: &str, body: &Value) -> Answer {
    let authorization = format!("Bearer {credential}");
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
    ];
    let bytes = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    server.send(method, path, &headers, bytes.as_bytes())
}

fn get(server: &Server, credential: &str, path: &str) -> Answer {
    call(server, credential, "GET", path, &Value::Null)
}

fn made(server: &Server, path: &str, body: &Value) -> Value {
    let answer = server.post(path, &[], body.to_string().as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

fn key(server: &Server, scopes: &[&str], organization: Option<&str>) -> String {
    let made = made(
        server,
        "/v1/keys",
        &json!({"name": "a key", "scopes": scopes, "organization": organization}),
    );
    made["key"].as_str().unwrap().to_owned()
}

fn token(server: &Server, request: &Value) -> Value {
    made(server, "/v1/organizations/acme/viewer-tokens", request)
}

fn actor(role: &str) -> Value {
    json!({"id": "u_81", "name": "Sarah", "email": "sarah@acme.example", "role": role})
}

/// The actions of an organization's own log that are Trailbook's, oldest first.
fn acts(server: &Server, organization: &str) -> Vec<Value> {
    let answer = server.get(&format!(
        "/v1/organizations/{organization}/events?action=trailbook.*&order=asc&limit=1000"
    ));
    if answer.status == 404 {
        return Vec::new();
    }
    answer.json()["events"].as_array().unwrap().clone()
}

#[test]
fn a_key_is_shown_once_does_what_its_scopes_say_and_nothing_once_it_is_revoked() {
    let server = Server::start();
    server.fill("acme", 3);
    let request = json!({"name": "reader", "scopes": ["events:read"], "organization": "acme"});
    let made = made(&server, "/v1/keys", &request);
    let secret = made["key"].as_str().unwrap();
    assert!(secret.starts_with("tb_key_"), "scanners can tell it");
    let listed = server.get("/v1/keys");
    assert!(
        listed.status == 200 && !listed.text().contains(secret),
        "{}",
        listed.text()
    );
    assert_eq!(listed.json()["keys"][0]["id"], made["id"]);
    assert!(listed.json()["keys"][0]["last_used_at"].is_null());
    assert_eq!(get(&server, secret, "/v1/organizations/acme/events").status, 200);
    assert!(server.get("/v1/keys").json()["keys"][0]["last_used_at"].is_string());
    assert_eq!(get(&server, secret, "/v1/organizations/acme/events.csv").status, 403);
    assert_eq!(get(&server, secret, "/v1/keys").status, 403);
    let sent = call(&server, secret, "POST", "/v1/events", &event("acme", 9));
    assert_eq!(sent.status, 403);
    let revoked = server.send(
        "DELETE",
        &format!("/v1/keys/{}", made["id"].as_str().unwrap()),
        &[("Authorization", &format!("Bearer {}", crate::server::ROOT_KEY))],
        b"",
    );
    assert_eq!(revoked.status, 204);
    assert_eq!(get(&server, secret, "/v1/organizations/acme/events").status, 401);
    let actions: Vec<Value> = acts(&server, "acme")
        .iter()
        .map(|event| event["action"].clone())
        .collect();
    assert_eq!(actions, ["trailbook.key.created", "trailbook.key.revoked"]);
    assert!(
        !server
            .get("/v1/organizations/acme/events.jsonl")
            .text()
            .contains(secret)
    );
}

#[test]
fn a_key_is_bound_to_its_organization_and_its_project() {
    let server = Server::start();
    server.fill("acme", 2);
    server.fill("beta", 2);
    let bound = key(
        &server,
        &["events:write", "events:read", "exports", "admin"],
        Some("acme"),
    );
    assert_eq!(get(&server, &bound, "/v1/organizations/acme/events").status, 200);
    for path in [
        "/v1/organizations/beta/events",
        "/v1/organizations/nobody/events",
        "/v1/organizations/_system/events",
    ] {
        assert_eq!(get(&server, &bound, path).status, 403, "{path}");
    }
    let both = json!({"events": [event("acme", 10), event("beta", 11)]});
    assert_eq!(call(&server, &bound, "POST", "/v1/events", &both).status, 403);
    assert_eq!(
        (server.count("acme"), server.count("beta")),
        (3, 2),
        "its creation is the third of acme"
    );
    let free = key(&server, &["events:read"], None);
    assert_eq!(get(&server, &free, "/v1/organizations/beta/events").status, 200);
    assert_eq!(get(&server, &free, "/v1/organizations/nobody/events").status, 404);
    assert_eq!(get(&server, &free, "/v1/organizations/_system/events").status, 404);
    let authorization = format!("Bearer {free}");
    let elsewhere = [
        ("Authorization", authorization.as_str()),
        ("Trailbook-Project", "other"),
    ];
    assert_eq!(
        server
            .send("GET", "/v1/organizations/acme/events", &elsewhere, b"")
            .status,
        403
    );
}

#[test]
fn nobody_makes_or_revokes_a_key_that_allows_more_than_they_may() {
    let server = Server::start();
    server.fill("acme", 1);
    let administrator = key(&server, &["admin"], Some("acme"));
    let asked = |scopes: &[&str], organization: Option<&str>| {
        let request = json!({"name": "k", "scopes": scopes, "organization": organization});
        call(&server, &administrator, "POST", "/v1/keys", &request).status
    };
    assert_eq!(asked(&["admin"], Some("acme")), 201);
    assert_eq!(asked(&["admin"], None), 201, "narrowed to its own organization");
    for scope in ["events:write", "events:read", "exports", "streams"] {
        assert_eq!(asked(&[scope], Some("acme")), 403, "{scope}");
    }
    assert_eq!(asked(&["admin"], Some("beta")), 403);
    let ingest = made(
        &server,
        "/v1/keys",
        &json!({"name": "ingest", "scopes": ["events:write"], "organization": "acme"}),
    );
    let path = format!("/v1/keys/{}", ingest["id"].as_str().unwrap());
    assert_eq!(call(&server, &administrator, "DELETE", &path, &Value::Null).status, 403);
    let elsewhere = made(
        &server,
        "/v1/keys",
        &json!({"name": "other", "scopes": ["admin"], "organization": "beta"}),
    );
    let path = format!("/v1/keys/{}", elsewhere["id"].as_str().unwrap());
    assert_eq!(call(&server, &administrator, "DELETE", &path, &Value::Null).status, 404);
    let listed = get(&server, &administrator, "/v1/keys").json();
    assert!(
        listed["keys"]
            .as_array()
            .unwrap()
            .iter()
            .all(|key| key["organization"] == "acme")
    );
    assert_eq!(
        call(
            &server,
            &administrator,
            "POST",
            "/v1/organizations/acme/viewer-tokens",
            &json!({"actor": actor("owner")})
        )
        .status,
        403,
        "who may not look makes no token"
    );
}

#[test]
fn a_bad_request_for_a_key_names_the_place() {
    let server = Server::start();
    for (request, pointer) in [
        (json!({"name": " ", "scopes": ["admin"]}), "/name"),
        (json!({"name": "k", "scopes": []}), "/scopes"),
        (json!({"name": "k", "scopes": ["events:delete"]}), "/scopes/0"),
        (
            json!({"name": "k", "scopes": ["admin"], "expires_at": "2020-01-01T00:00:00Z"}),
            "/expires_at",
        ),
        (json!({"name": "k", "scopes": ["admin"], "owner": true}), "/owner"),
    ] {
        let answer = server.post("/v1/keys", &[], request.to_string().as_bytes());
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (422, "invalid"),
            "{request}"
        );
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{}", answer.text());
    }
}

#[test]
fn a_viewer_token_shows_one_organization_to_a_role_that_may_look() {
    let server = Server::start();
    server.fill("acme", 3);
    server.fill("beta", 3);
    let made = token(&server, &json!({"actor": actor("administrator"), "ttl_seconds": 60}));
    let secret = made["token"].as_str().unwrap();
    assert!(
        made["url"]
            .as_str()
            .unwrap()
            .contains(&format!("#organization=acme&token={secret}"))
    );
    let page = get(&server, secret, "/v1/organizations/acme/events");
    assert_eq!(page.status, 200);
    assert_eq!(get(&server, secret, "/v1/organizations/beta/events").status, 404);
    assert_eq!(get(&server, secret, "/v1/organizations/_system/events").status, 404);
    assert_eq!(
        get(&server, secret, "/v1/organizations/acme/events.csv").status,
        403,
        "no right to export"
    );
    assert_eq!(get(&server, secret, "/v1/keys").status, 403);
    assert_eq!(get(&server, secret, "/v1/organizations/acme/viewer-tokens").status, 403);
    assert_eq!(
        call(&server, secret, "POST", "/v1/events", &event("acme", 5)).status,
        403
    );
    let member = token(&server, &json!({"actor": actor("member"), "may_export": true}));
    let member = member["token"].as_str().unwrap();
    for path in [
        "events",
        "events/count",
        "events/live",
        "events.csv",
        "checkpoint",
        "policy",
    ] {
        assert_eq!(
            get(&server, member, &format!("/v1/organizations/acme/{path}")).status,
            403,
            "{path}"
        );
    }
    let viewed: Vec<Value> = acts(&server, "acme");
    let viewed: Vec<&Value> = viewed
        .iter()
        .filter(|event| event["action"] == "trailbook.log.viewed")
        .collect();
    assert_eq!(viewed.len(), 1, "once an hour");
    assert_eq!(viewed[0]["actor"]["id"], "u_81");
}

#[test]
fn exporting_takes_the_tokens_leave_and_the_policys() {
    let server = Server::start();
    server.fill("acme", 3);
    let exporting = |role: &str, may_export: bool| {
        let made = token(&server, &json!({"actor": actor(role), "may_export": may_export}));
        get(
            &server,
            made["token"].as_str().unwrap(),
            "/v1/organizations/acme/events.csv",
        )
        .status
    };
    assert_eq!(exporting("auditor", true), 200);
    assert_eq!(exporting("auditor", false), 403);
    assert_eq!(exporting("member", true), 403);
    let actions: Vec<Value> = acts(&server, "acme")
        .iter()
        .map(|event| event["action"].clone())
        .collect();
    let downloads = actions
        .iter()
        .filter(|action| **action == "trailbook.export.downloaded");
    assert_eq!(downloads.count(), 1);
}

/// Events 0 to 9 of acme: the even ones are of the area `users`.
#[test]
fn a_filtered_token_reaches_nothing_past_its_filter() {
    let server = Server::start();
    let stored = server.fill("acme", 10);
    let id = |number: usize| stored["events"][number]["id"].as_str().unwrap().to_owned();
    let made = token(
        &server,
        &json!({"actor": actor("owner"), "filter": "area:users", "may_export": true}),
    );
    let secret = made["token"].as_str().unwrap();
    let read = |path: &str| get(&server, secret, &format!("/v1/organizations/acme/{path}"));
    assert_eq!(read("events/count").json()["count"], 5);
    assert_eq!(read("events/count?area=billing").json()["count"], 0);
    assert_eq!(read("events/count?q=area:billing%20OR%20area:users").json()["count"], 5);
    let page = read("events?limit=100").json();
    assert!(
        page["events"]
            .as_array()
            .unwrap()
            .iter()
            .all(|event| event["area"] == "users")
    );
    assert_eq!(read(&format!("events/{}", id(0))).status, 200);
    assert_eq!(read(&format!("events/{}", id(1))).status, 404);
    assert_eq!(read(&format!("events/{}/proof", id(0))).status, 200);
    assert_eq!(read(&format!("events/{}/proof", id(1))).status, 404);
    let facets = read("events/facets?field=area").json();
    assert_eq!(
        facets["facets"]["area"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|value| value["count"] != 0)
            .count(),
        1
    );
    let trace = read("traces/trace-0").json();
    assert_eq!(trace["events"].as_array().unwrap().len(), 5);
    let buckets = read("events/histogram").json();
    let total: u64 = buckets["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bucket| bucket["count"].as_u64().unwrap())
        .sum();
    assert_eq!(total, 5);
    let metrics = json!({"filter": "", "metrics": [{"name": "n", "op": "count"}]});
    let aggregate = call(
        &server,
        secret,
        "POST",
        "/v1/organizations/acme/events/aggregate",
        &metrics,
    );
    assert_eq!(aggregate.json()["rows"][0]["metrics"]["n"], 5);
    assert_eq!(read("events.csv").text().lines().count(), 6);
    assert_eq!(read("events.jsonl").text().lines().count(), 5);
    for path in [
        "tlog/tile/0/000.p/10",
        "tlog/tile/entries/000.p/10",
        "consistency?from=1&to=10",
        "events.evidence",
    ] {
        assert_eq!(read(path).status, 403, "{path}");
    }
    let elsewhere = get(
        &server,
        crate::server::ROOT_KEY,
        "/v1/organizations/acme/events?limit=1",
    )
    .json();
    let cursor = elsewhere["next"].as_str().unwrap();
    assert_eq!(
        read(&format!("events?limit=1&cursor={cursor}")).status,
        400,
        "another caller's cursor"
    );
}

#[test]
fn a_live_feed_ends_when_its_token_is_revoked_and_shows_only_its_filter() {
    let server = Server::start();
    server.fill("acme", 1);
    let made = token(&server, &json!({"actor": actor("owner"), "filter": "area:users"}));
    let secret = made["token"].as_str().unwrap();
    let mut stream = server.connect();
    let request = format!(
        "GET /v1/organizations/acme/events/live HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAuthorization: Bearer {secret}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut seen = Vec::new();
    let mut chunk = [0; 4096];
    while !String::from_utf8_lossy(&seen).contains("retry: 2000") {
        let read = stream.read(&mut chunk).unwrap();
        seen.extend_from_slice(&chunk[..read]);
    }
    server.store("acme", 3..5);
    while !String::from_utf8_lossy(&seen).contains("changed role number 4") {
        let read = stream.read(&mut chunk).unwrap();
        seen.extend_from_slice(&chunk[..read]);
    }
    assert!(!String::from_utf8_lossy(&seen).contains("changed role number 3"));
    let authorization = format!("Bearer {}", crate::server::ROOT_KEY);
    let path = "/v1/organizations/acme/viewer-tokens?actor=u_81";
    assert_eq!(
        server
            .send("DELETE", path, &[("Authorization", &authorization)], b"")
            .status,
        204
    );
    // The end of the connection, without another event.
    server.store("acme", 6..7);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(!String::from_utf8_lossy(&rest).contains("changed role"));
    assert_eq!(get(&server, secret, "/v1/organizations/acme/events").status, 401);
}

#[test]
fn a_credential_is_of_no_use_where_another_kind_belongs() {
    let server = Server::start();
    server.fill("acme", 1);
    let made = token(&server, &json!({"actor": actor("owner")}));
    let secret = made["token"].as_str().unwrap();
    let key = key(&server, &["events:read"], None);
    for credential in [secret, &key, crate::server::ROOT_KEY] {
        let cookie = format!("__Host-trailbook={credential}");
        let headers = [("Cookie", cookie.as_str()), ("Trailbook-Console", "1")];
        assert_eq!(
            server
                .send("GET", "/v1/organizations/acme/events", &headers, b"")
                .status,
            401
        );
    }
    for wrong in [
        made["id"].as_str().unwrap(),
        &secret[..secret.len() - 1],
        &format!("{secret}0"),
        &format!("{secret} {secret}"),
        "",
        "null",
    ] {
        let answer = get(&server, wrong, "/v1/organizations/acme/events?limit=1");
        assert_eq!(answer.status, 401, "{wrong}");
    }
}

#[test]
fn a_bad_request_for_a_token_names_the_place() {
    let server = Server::start();
    server.fill("acme", 1);
    for (request, pointer) in [
        (json!({"actor": {"name": "x"}}), "/actor"),
        (json!({"actor": {"id": ""}}), "/actor/id"),
        (json!({"actor": actor("owner"), "ttl_seconds": 86_401}), "/ttl_seconds"),
        (json!({"actor": actor("owner"), "ttl_seconds": 0}), "/ttl_seconds"),
        (json!({"actor": actor("owner"), "filter": "area:("}), "/filter"),
        (json!({"actor": {"id": "u", "admin": true}}), "/actor/admin"),
    ] {
        let path = "/v1/organizations/acme/viewer-tokens";
        let answer = server.post(path, &[], request.to_string().as_bytes());
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (422, "invalid"),
            "{request}"
        );
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{}", answer.text());
    }
}

#[test]
fn a_caller_who_asks_too_much_is_told_when_to_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let environment = [
        ("TRAILBOOK_ROOT_KEY", crate::server::ROOT_KEY),
        ("TRAILBOOK_CALLER_REQUESTS_PER_SECOND", "5"),
        ("TRAILBOOK_BATCH_EVENTS_MAX", "10"),
        ("TRAILBOOK_ORGANIZATION_EVENTS_PER_SECOND", "1"),
    ];
    let server = Server::start_with(directory, &environment);
    server.fill("acme", 1);
    let reader = key(&server, &["events:read"], None);
    let other = key(&server, &["events:read"], None);
    let refused = (0..200).map(|_| get(&server, &reader, "/v1/organizations/acme/events/count"));
    let refused = refused
        .into_iter()
        .find(|answer| answer.status != 200)
        .expect("a limit");
    assert_eq!((refused.status, refused.problem().as_str()), (429, "too-many-requests"));
    assert!(refused.headers["retry-after"].parse::<u32>().unwrap() >= 1);
    assert_eq!(
        get(&server, &other, "/v1/organizations/acme/events/count").status,
        200,
        "each has its own"
    );
    let writer = key(&server, &["events:write"], None);
    let batch =
        |organization: &str| json!({"events": (0..10).map(|number| event(organization, number)).collect::<Vec<_>>()});
    assert_eq!(call(&server, &writer, "POST", "/v1/events", &batch("beta")).status, 201);
    assert_eq!(call(&server, &writer, "POST", "/v1/events", &batch("beta")).status, 429);
    assert_eq!(
        call(&server, &writer, "POST", "/v1/events", &batch("gamma")).status,
        201,
        "each has its own"
    );
    assert_eq!(server.count("beta"), 10, "nothing of what was refused is stored");
}

#[test]
fn a_look_is_recorded_although_a_request_before_it_failed() {
    let server = Server::start();
    server.fill("acme", 1);
    let made = token(&server, &json!({"actor": actor("owner")}));
    let secret = made["token"].as_str().unwrap();
    assert_eq!(
        get(&server, secret, "/v1/organizations/acme/events?limit=0").status,
        400
    );
    assert_eq!(get(&server, secret, "/v1/organizations/acme/events").status, 200);
    assert_eq!(get(&server, secret, "/v1/organizations/acme/events").status, 200);
    let actions: Vec<Value> = acts(&server, "acme")
        .iter()
        .map(|event| event["action"].clone())
        .collect();
    let looks = actions.iter().filter(|action| **action == "trailbook.log.viewed");
    assert_eq!(looks.count(), 1);
}

#[test]
fn what_a_key_made_is_over_when_the_key_is() {
    let server = Server::start();
    server.fill("acme", 1);
    let end = "2099-01-01T00:00:00Z";
    let request = json!({"name": "k", "scopes": ["admin", "events:read"], "expires_at": end});
    let maker = made(&server, "/v1/keys", &request);
    let secret = maker["key"].as_str().unwrap();
    let further = |expires_at: Value| {
        let request = json!({"name": "k", "scopes": ["events:read"], "expires_at": expires_at});
        call(&server, secret, "POST", "/v1/keys", &request).status
    };
    assert_eq!(further(Value::Null), 403);
    assert_eq!(further(json!("2099-01-01T00:00:01Z")), 403);
    assert_eq!(further(json!(end)), 201);
    let path = "/v1/organizations/acme/viewer-tokens";
    let viewer = call(&server, secret, "POST", path, &json!({"actor": actor("owner")})).json();
    let viewer = viewer["token"].as_str().unwrap();
    assert_eq!(get(&server, viewer, "/v1/organizations/acme/events").status, 200);
    let exporting = json!({"actor": actor("member"), "may_export": true});
    assert_eq!(
        call(&server, secret, "POST", path, &exporting).status,
        403,
        "it may not export itself"
    );
    let revoked = call(
        &server,
        crate::server::ROOT_KEY,
        "DELETE",
        &format!("/v1/keys/{}", maker["id"].as_str().unwrap()),
        &Value::Null,
    );
    assert_eq!(revoked.status, 204);
    assert_eq!(get(&server, viewer, "/v1/organizations/acme/events").status, 401);
}

/// A request whose last byte comes after its sender has lost the right.
#[test]
fn a_right_that_is_lost_while_the_body_arrives_is_lost() {
    let server = Server::start();
    server.fill("acme", 1);
    let maker = made(
        &server,
        "/v1/keys",
        &json!({"name": "k", "scopes": ["admin", "events:read"]}),
    );
    let secret = maker["key"].as_str().unwrap();
    let key = json!({"name": "late", "scopes": ["admin"]}).to_string();
    let token = json!({"actor": actor("owner")}).to_string();
    let policy = json!({"policy": {"title": "late"}}).to_string();
    let requests = [
        ("POST", "/v1/keys", key),
        ("POST", "/v1/organizations/acme/viewer-tokens", token),
        ("PUT", "/v1/organizations/acme", policy.clone()),
        ("PUT", "/v1/projects/default", policy),
    ];
    let begun = requests.map(|(method, path, body)| {
        let mut stream = server.connect();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAuthorization: Bearer {secret}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body.as_bytes()[..body.len() - 1]).unwrap();
        stream
    });
    // The handlers have begun once a later request on a connection of its own is answered.
    assert_eq!(get(&server, secret, "/v1/keys").status, 200);
    let path = format!("/v1/keys/{}", maker["id"].as_str().unwrap());
    assert_eq!(
        call(&server, crate::server::ROOT_KEY, "DELETE", &path, &Value::Null).status,
        204
    );
    for mut stream in begun {
        stream.write_all(b"}").unwrap();
        assert_eq!(crate::server::answer(stream).status, 401);
    }
    assert_eq!(server.get("/v1/keys").json()["keys"], json!([]));
}
