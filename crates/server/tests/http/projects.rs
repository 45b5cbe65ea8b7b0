//! Projects, organizations and catalogs: set up, inherited, guarded, and recorded.

use serde_json::{Value, json};

use crate::server::{Answer, ROOT_KEY, Server, event};

fn send(server: &Server, method: &str, path: &str, more: &[(&str, &str)], body: &str) -> Answer {
    let authorization = format!("Bearer {ROOT_KEY}");
    let mut headers = vec![("Authorization", authorization.as_str())];
    headers.extend_from_slice(more);
    if !more.iter().any(|(name, _)| *name == "Content-Type") {
        headers.push(("Content-Type", "application/json"));
    }
    server.send(method, path, &headers, body.as_bytes())
}

fn set(server: &Server, path: &str, body: &Value) -> Value {
    let answer = server.put(path, body);
    assert!(matches!(answer.status, 200 | 201), "{path}: {}", answer.text());
    answer.json()
}

fn policy(server: &Server, organization: &str) -> Value {
    server.get(&format!("/v1/organizations/{organization}/policy")).json()
}

/// Actions in a ledger, oldest first.
fn actions(server: &Server, organization: &str) -> Vec<String> {
    let path = format!("/v1/organizations/{organization}/events?order=asc&limit=1000&-action=trailbook.log.viewed");
    let events = server.get(&path).json()["events"].clone();
    let action = |event: &Value| event["action"].as_str().unwrap().to_owned();
    events.as_array().unwrap().iter().map(action).collect()
}

#[test]
fn a_policy_is_inherited_field_by_field_from_organization_project_and_deployment() {
    let server = Server::start();
    server.fill("acme", 1);
    set(
        &server,
        "/v1/projects/default",
        &json!({"policy": {"time_zone": "Asia/Kolkata", "title": "Log", "max_range_days": 30}}),
    );
    set(
        &server,
        "/v1/organizations/acme",
        &json!({"policy": {"title": "Acme's log", "max_range_days": null}}),
    );
    let acme = policy(&server, "acme");
    assert_eq!(
        (&acme["time_zone"], &acme["title"], &acme["max_range_days"]),
        (&json!("Asia/Kolkata"), &json!("Acme's log"), &Value::Null),
        "null is said, absent is inherited"
    );
    server.fill("beta", 1);
    let beta = policy(&server, "beta");
    assert_eq!((&beta["title"], &beta["max_range_days"]), (&json!("Log"), &json!(30)));
    set(&server, "/v1/organizations/acme", &json!({"policy": {}}));
    assert_eq!(policy(&server, "acme")["title"], "Log", "PUT replaces");
    set(&server, "/v1/projects/default", &json!({}));
    assert_eq!(policy(&server, "acme")["time_zone"], "UTC");
}

#[test]
fn retention_is_inherited_and_a_shortening_waits_where_there_are_events() {
    let server = Server::start();
    set(&server, "/v1/projects/shop", &json!({"policy": {"retention_days": 90}}));
    let elsewhere = [("Trailbook-Project", "shop")];
    let sent = send(&server, "POST", "/v1/events", &elsewhere, &event("acme", 1).to_string());
    assert_eq!(sent.status, 201, "{}", sent.text());
    let kept =
        || send(&server, "GET", "/v1/organizations/acme/policy", &elsewhere, "").json()["retention_days"].clone();
    assert_eq!(kept(), 90, "at once, where nothing was stored");
    let shorter = set(&server, "/v1/projects/shop", &json!({"policy": {"retention_days": 30}}));
    assert_eq!(shorter["pending_retention"]["retention_days"], 30);
    assert_eq!(kept(), 90, "not for seven days");
    let own = json!({"policy": {"retention_days": 366, "legal_hold": true}}).to_string();
    let own = send(&server, "PUT", "/v1/organizations/acme", &elsewhere, &own);
    assert_eq!(own.status, 200, "{}", own.text());
    assert_eq!(kept(), 366);
}

#[test]
fn an_organization_that_is_set_up_is_there_and_empty_and_its_first_event_is_the_first_sent() {
    let server = Server::start();
    assert_eq!(server.get("/v1/organizations/acme/events").status, 404);
    let made = server.put(
        "/v1/organizations/acme",
        &json!({"name": "acme", "policy": {"title": "Log"}}),
    );
    assert_eq!(made.status, 201, "{}", made.text());
    for name in ["_acme", "-acme", "a%20b", "%C3%A4", "a%2Fb"] {
        assert_eq!(
            server.put(&format!("/v1/organizations/{name}"), &json!({})).status,
            422,
            "{name}"
        );
    }
    for (path, field, empty) in [
        ("events", "events", json!([])),
        ("events/count", "count", json!(0)),
        ("events/histogram", "buckets", json!([])),
    ] {
        let answer = server.get(&format!("/v1/organizations/acme/{path}"));
        assert_eq!((answer.status, &answer.json()[field]), (200, &empty), "{path}");
    }
    assert_eq!(server.get("/v1/organizations/acme/checkpoint").status, 200);
    assert_eq!(server.get("/v1/organizations/acme/events.csv").status, 200);
    let stored = server.store("acme", 0..1);
    assert_eq!(stored["events"][0]["sequence"], 0);
    assert_eq!(actions(&server, "acme"), ["user.role.updated"]);
    let of_system: Vec<String> = actions(&server, "_system");
    assert!(
        of_system.contains(&"trailbook.organization.created".to_owned()),
        "{of_system:?}"
    );
    let directory = server.stop_sound();
    let again = Server::start_with(directory, &[("TRAILBOOK_ROOT_KEY", ROOT_KEY)]);
    assert_eq!(policy(&again, "acme")["title"], "Log", "it is durable");
}

#[test]
fn what_changes_is_recorded_before_and_after_and_the_same_again_is_not() {
    let server = Server::start();
    server.fill("acme", 1);
    let policy = json!({"policy": {"title": "One", "retention_days": 365}});
    set(&server, "/v1/organizations/acme", &policy);
    set(&server, "/v1/organizations/acme", &policy);
    set(
        &server,
        "/v1/organizations/acme",
        &json!({"policy": {"title": "Two", "retention_days": 365, "legal_hold": true}}),
    );
    set(
        &server,
        "/v1/organizations/acme",
        &json!({"policy": {"title": "Two", "retention_days": 365}}),
    );
    let events = server
        .get("/v1/organizations/acme/events?order=asc&action=trailbook.*")
        .json();
    let recorded: Vec<(Value, Value)> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["action"].clone(), event["changes"].clone()))
        .collect();
    let one = |field: &str, before: Option<Value>, after: Option<Value>| {
        let mut change = json!({"field": field});
        before.into_iter().for_each(|before| change["before"] = before);
        after.into_iter().for_each(|after| change["after"] = after);
        json!([change])
    };
    assert_eq!(
        recorded,
        [
            (
                json!("trailbook.policy.changed"),
                one("title", None, Some(json!("One")))
            ),
            (
                json!("trailbook.retention.changed"),
                one("retention_days", None, Some(json!(365)))
            ),
            (
                json!("trailbook.policy.changed"),
                one("title", Some(json!("One")), Some(json!("Two")))
            ),
            (
                json!("trailbook.legal_hold.set"),
                one("legal_hold", None, Some(json!(true)))
            ),
            (
                json!("trailbook.legal_hold.lifted"),
                one("legal_hold", Some(json!(true)), None)
            ),
        ]
    );
}

#[test]
fn only_who_holds_a_right_gives_it_and_only_root_shortens_and_lifts() {
    let server = Server::start();
    server.fill("acme", 1);
    set(
        &server,
        "/v1/organizations/acme",
        &json!({"policy": {"retention_days": 365, "legal_hold": true}}),
    );
    let key = |scopes: &[&str]| {
        let request = json!({"name": "k", "scopes": scopes, "organization": "acme"});
        let made = server.post("/v1/keys", &[], request.to_string().as_bytes());
        format!("Bearer {}", made.json()["key"].as_str().unwrap())
    };
    let (administrator, owner) = (key(&["admin"]), key(&["admin", "events:read", "exports"]));
    let set = |key: &str, policy: Value| {
        let headers = [("Authorization", key), ("Content-Type", "application/json")];
        let body = json!({ "policy": policy }).to_string();
        server
            .send("PUT", "/v1/organizations/acme", &headers, body.as_bytes())
            .status
    };
    let kept = json!({"retention_days": 365, "legal_hold": true});
    let with = |field: &str, value: Value| {
        let mut policy = kept.clone();
        policy[field] = value;
        policy
    };
    assert_eq!(set(&administrator, with("title", json!("Log"))), 200);
    assert_eq!(set(&administrator, with("view_roles", json!(["member"]))), 403);
    assert_eq!(set(&administrator, with("view_permissions", json!(["x"]))), 403);
    assert_eq!(set(&administrator, with("export_roles", json!(["member"]))), 403);
    assert_eq!(set(&owner, with("view_roles", json!(["member"]))), 200);
    assert_eq!(set(&owner, with("retention_days", json!(400))), 200, "longer");
    assert_eq!(set(&owner, with("retention_days", json!(30))), 403, "shorter");
    assert_eq!(set(&owner, json!({"retention_days": 400})), 403, "lifts the hold");
}

#[test]
fn a_version_guards_against_overwriting_what_somebody_else_set() {
    let server = Server::start();
    server.fill("acme", 1);
    let path = "/v1/organizations/acme";
    let tag = |answer: &Answer| answer.headers["etag"].clone();
    let before = tag(&server.get(path));
    let first = send(
        &server,
        "PUT",
        path,
        &[("If-Match", &before)],
        &json!({"policy": {"title": "One"}}).to_string(),
    );
    assert_eq!(first.status, 200, "{}", first.text());
    let late = send(
        &server,
        "PUT",
        path,
        &[("If-Match", &before)],
        &json!({"policy": {"title": "Two"}}).to_string(),
    );
    assert_eq!((late.status, late.problem().as_str()), (412, "precondition-failed"));
    let again = send(
        &server,
        "PUT",
        path,
        &[("If-Match", &tag(&first))],
        &json!({"policy": {"title": "Two"}}).to_string(),
    );
    assert_eq!(again.status, 200);
    assert_eq!(policy(&server, "acme")["title"], "Two");
}

#[test]
fn a_project_is_made_used_and_deleted_unless_it_has_events() {
    let server = Server::start();
    assert_eq!(server.get("/v1/projects/shop").status, 404);
    let in_shop = [("Trailbook-Project", "shop")];
    assert_eq!(
        send(&server, "POST", "/v1/events", &in_shop, &event("acme", 1).to_string()).status,
        404
    );
    assert_eq!(server.put("/v1/projects/shop", &json!({})).status, 201);
    assert_eq!(
        server.get("/v1/projects").json()["projects"],
        json!(["default", "shop"])
    );
    assert_eq!(send(&server, "DELETE", "/v1/projects/shop", &[], "").status, 204);
    assert_eq!(server.get("/v1/projects/shop").status, 404);
    assert_eq!(server.put("/v1/projects/shop", &json!({})).status, 201);
    assert_eq!(
        send(&server, "POST", "/v1/events", &in_shop, &event("acme", 1).to_string()).status,
        201
    );
    let refused = send(&server, "DELETE", "/v1/projects/shop", &[], "");
    assert_eq!((refused.status, refused.problem().as_str()), (409, "in-use"));
    assert_eq!(send(&server, "DELETE", "/v1/projects/default", &[], "").status, 409);
    assert_eq!(
        server.get("/v1/organizations/acme/events").status,
        404,
        "the same name in another project"
    );
    for (name, body, pointer) in [
        ("Shop", json!({}), ""),
        ("_shop", json!({}), ""),
        ("other", json!({"name": "another"}), "/name"),
        ("other", json!({"organizations": "some"}), "/organizations"),
        (
            "other",
            json!({"policy": {"retention_days": 0, "time_zone": "Mars"}}),
            "/policy/retention_days",
        ),
    ] {
        let answer = server.put(&format!("/v1/projects/{name}"), &body);
        assert_eq!(
            (answer.status, &answer.json()["errors"][0]["pointer"]),
            (422, &json!(pointer)),
            "{}",
            answer.text()
        );
    }
}

#[test]
fn a_catalog_is_set_whole_or_refused_with_every_fault_and_is_in_force_at_once() {
    let server = Server::start();
    let path = "/v1/projects/default/catalog";
    assert_eq!(server.get(path).status, 404);
    let toml = [("Content-Type", "application/toml")];
    let bad = "areas = [{ id = 'a', name = 'A' }]\n[[actions]]\nid = 'x'\nname = 'X'\narea = 'b'\n[[actions]]\nid = 'x'\nname = 'Y'\nkind = 1\n";
    let refused = send(&server, "PUT", path, &toml, bad);
    assert_eq!(refused.status, 422);
    let pointers: Vec<Value> = refused.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].clone())
        .collect();
    assert_eq!(pointers.len(), 3, "{}", refused.text());
    assert!(
        pointers.contains(&json!("/actions/0/area")) && pointers.contains(&json!("/actions/1/kind")),
        "{pointers:?}"
    );
    let good = "areas = [{ id = 'people', name = 'People' }]\n[[actions]]\nid = 'user.role.updated'\nname = 'Role'\narea = 'people'\naction_type = 'update'\n";
    let set = send(&server, "PUT", path, &toml, good);
    assert_eq!(
        (set.status, set.json()),
        (200, json!({"revision": 1, "actions": 1})),
        "{}",
        set.text()
    );
    let stored = server.ingest(&json!({"organization": "acme", "action": "user.role.updated", "actor": {"id": "u"}}));
    let id = stored.json()["events"][0]["id"].as_str().unwrap().to_owned();
    let read = server.get(&format!("/v1/organizations/acme/events/{id}")).json();
    assert_eq!(
        (&read["area"], &read["action_type"]),
        (&json!("people"), &json!("update"))
    );
    let got = server.get(path);
    assert_eq!(
        (got.text().as_str(), got.headers["content-type"].as_str()),
        (good, "application/toml")
    );
    let late = send(
        &server,
        "PUT",
        path,
        &[("Content-Type", "application/toml"), ("If-Match", "\"0\"")],
        good,
    );
    assert_eq!(late.status, 412);
    let again = Server::start_with(server.stop_sound(), &[("TRAILBOOK_ROOT_KEY", ROOT_KEY)]);
    assert_eq!(again.get(path).text(), good);
    assert!(actions(&again, "_system").contains(&"trailbook.catalog.changed".to_owned()));
}

#[test]
fn organizations_are_listed_by_name_a_page_at_a_time() {
    let server = Server::start();
    for name in ["beta", "acme", "gamma"] {
        server.fill(name, 2);
    }
    let page = server.get("/v1/organizations?limit=2").json();
    let names = |page: &Value| -> Vec<String> {
        let listed = page["organizations"].as_array().unwrap().iter();
        listed
            .map(|listed| listed["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        (names(&page), &page["next"]),
        (vec!["acme".to_owned(), "beta".to_owned()], &json!("beta"))
    );
    let rest = server.get("/v1/organizations?limit=2&after=beta").json();
    assert_eq!((names(&rest), &rest["next"]), (vec!["gamma".to_owned()], &Value::Null));
}

#[test]
fn a_customers_administrator_neither_stops_what_is_taken_in_nor_evades_a_hold_to_come() {
    let server = Server::start();
    server.fill("acme", 1);
    let request = json!({"name": "k", "scopes": ["admin", "events:read", "exports"], "organization": "acme"});
    let made = server.post("/v1/keys", &[], request.to_string().as_bytes());
    let key = format!("Bearer {}", made.json()["key"].as_str().unwrap());
    let headers = [("Authorization", key.as_str()), ("Content-Type", "application/json")];
    for policy in [
        json!({"backfill": "refuse"}),
        json!({"recorded_since": "2020-01-01T00:00:00Z"}),
        json!({"unknown_actions": "refuse"}),
        json!({"legal_hold": false}),
    ] {
        let body = json!({ "policy": policy }).to_string();
        let answer = server.send("PUT", "/v1/organizations/acme", &headers, body.as_bytes());
        assert_eq!(answer.status, 403, "{body}: {}", answer.text());
    }
}

#[test]
fn a_project_that_is_made_again_is_another_one() {
    let server = Server::start();
    let toml = [("Content-Type", "application/toml")];
    let catalog = |name: &str| format!("[[actions]]\nid = 'a'\nname = '{name}'\ndescription = '{name}'\n");
    let in_shop = [("Trailbook-Project", "shop")];
    let made = |name: &str| {
        let project = json!({"organizations": "declared", "policy": {"retention_days": 30}});
        assert_eq!(server.put("/v1/projects/shop", &project).status, 201);
        let set = send(&server, "PUT", "/v1/projects/shop/catalog", &toml, &catalog(name));
        assert_eq!(set.status, 200, "{}", set.text());
        set.headers["etag"].clone()
    };
    let before = made("Before");
    assert_eq!(
        send(&server, "PUT", "/v1/organizations/acme", &in_shop, "{}").status,
        201
    );
    assert_eq!(send(&server, "DELETE", "/v1/projects/shop", &[], "").status, 204);
    assert_ne!(made("After"), before);
    assert_eq!(
        send(&server, "GET", "/v1/organizations/acme", &in_shop, "").status,
        404,
        "its organizations went with it"
    );
    set(&server, "/v1/projects/shop", &json!({}));
    let sent = json!({"organization": "acme", "action": "a", "actor": {"id": "u"}}).to_string();
    let stored = send(&server, "POST", "/v1/events", &in_shop, &sent);
    assert_eq!(stored.status, 201, "{}", stored.text());
    let events = send(&server, "GET", "/v1/organizations/acme/events", &in_shop, "").json();
    assert_eq!(events["events"][0]["description"], "After");
    assert!(
        events["events"][0]["expires_at"].is_null(),
        "nothing of the retention is left"
    );
}
