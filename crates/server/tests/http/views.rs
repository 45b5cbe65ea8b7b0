//! Saved views over HTTP: whose they are, who sees and changes them, what is recorded, and how many there may be.

use serde_json::{Value, json};

use crate::server::{Answer, ROOT_KEY, Server};

const VIEWS: &str = "/v1/organizations/acme/views";
const PASSWORD: &str = "a fine long password";

/// Somebody, by the headers of their requests.
struct Somebody<'s> {
    server: &'s Server,
    headers: Vec<(&'static str, String)>,
}

impl Somebody<'_> {
    fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let mut headers: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (*name, &**value)).collect();
        headers.push(("Content-Type", "application/json"));
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.server.send(method, path, &headers, body.as_bytes())
    }

    fn save(&self, view: &Value) -> Value {
        let answer = self.ask("POST", VIEWS, view);
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    fn one(&self, method: &str, view: &Value, body: &Value) -> Answer {
        let id = view["id"].as_str().unwrap();
        self.ask(method, &format!("{VIEWS}/{id}"), body)
    }

    fn names(&self) -> Vec<String> {
        let views = self.ask("GET", VIEWS, &Value::Null).json();
        let views = views["views"].as_array().unwrap().iter();
        views.map(|view| view["name"].as_str().unwrap().to_owned()).collect()
    }
}

fn server() -> Server {
    let environment = [
        ("TRAILBOOK_ROOT_KEY", ROOT_KEY),
        ("TRAILBOOK_CALLER_REQUESTS_PER_SECOND", "0"),
    ];
    let server = Server::start_with(tempfile::tempdir().unwrap(), &environment);
    server.fill("acme", 3);
    server
}

fn bearer<'s>(server: &'s Server, credential: &str) -> Somebody<'s> {
    let headers = vec![("Authorization", format!("Bearer {credential}"))];
    Somebody { server, headers }
}

fn root(server: &Server) -> Somebody<'_> {
    bearer(server, ROOT_KEY)
}

fn made(server: &Server, path: &str, body: &Value) -> Value {
    let answer = server.post(path, &[], body.to_string().as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

/// Somebody who looks at the embedded viewer.
fn viewer<'s>(server: &'s Server, id: &str, role: &str) -> Somebody<'s> {
    let request = json!({"actor": {"id": id, "name": format!("Name of {id}"), "role": role}});
    let token = made(server, "/v1/organizations/acme/viewer-tokens", &request);
    bearer(server, token["token"].as_str().unwrap())
}

/// A person of the console: their id, and they themselves.
fn person<'s>(server: &'s Server, email: &str, role: &str) -> (String, Somebody<'s>) {
    let request = json!({"email": email, "role": role, "password": PASSWORD});
    let user = made(server, "/v1/organizations/acme/users", &request);
    let credentials = json!({"organization": "acme", "email": email, "password": PASSWORD}).to_string();
    let headers = [("Trailbook-Console", "1"), ("Content-Type", "application/json")];
    let answer = server.send("POST", "/auth/sign-in", &headers, credentials.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let cookie = answer.headers["set-cookie"].split(';').next().unwrap().to_owned();
    let headers = vec![("Cookie", cookie), ("Trailbook-Console", "1".to_owned())];
    (user["id"].as_str().unwrap().to_owned(), Somebody { server, headers })
}

fn acts(server: &Server, organization: &str) -> Vec<Value> {
    let path = format!("/v1/organizations/{organization}/events?action=trailbook.view.*&order=asc&limit=1000");
    server.get(&path).json()["events"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

#[test]
fn a_view_is_saved_replaced_and_removed() {
    let server = server();
    let (_, ann) = person(&server, "ann@acme.example", "auditor");
    let least = ann.save(&json!({"name": " Everything "}));
    assert_eq!(
        [
            &least["name"],
            &least["shared"],
            &least["filter"],
            &least["range"],
            &least["columns"]
        ],
        [
            &json!("Everything"),
            &json!(false),
            &json!(""),
            &Value::Null,
            &Value::Null
        ]
    );
    assert_eq!(
        (&least["is_own"], &least["owner"]["name"]),
        (&json!(true), &json!("ann@acme.example"))
    );
    assert!(least["id"].as_str().unwrap().starts_with("view_"));
    assert_eq!(least["created_at"], least["updated_at"]);

    let full = json!({"name": "billing", "shared": true, "filter": "area:billing -actor:u_1", "range": "last_7_days",
        "columns": ["occurred_at", "metadata.n"]});
    let view = ann.save(&full);
    for (field, value) in full.as_object().unwrap() {
        assert_eq!(&view[field], value, "{field}");
    }
    assert_eq!(ann.names(), ["billing", "Everything"], "by name, without case");
    assert_eq!(ann.one("GET", &view, &Value::Null).json(), view);

    let replaced = ann.one("PUT", &view, &json!({"name": "billing"}));
    assert_eq!(replaced.status, 200);
    let replaced = replaced.json();
    assert_eq!(
        (&replaced["shared"], &replaced["filter"], &replaced["columns"]),
        (&json!(false), &json!(""), &Value::Null),
        "what is left out is not there any more"
    );
    assert_eq!(
        (&replaced["id"], &replaced["created_at"]),
        (&view["id"], &view["created_at"])
    );
    assert_eq!(ann.one("DELETE", &view, &Value::Null).status, 204);
    assert_eq!(ann.one("GET", &view, &Value::Null).status, 404);
    assert_eq!(ann.names(), ["Everything"]);
}

#[test]
fn a_private_view_is_there_for_its_owner_only_and_ids_of_different_kinds_are_different_owners() {
    let server = server();
    let (ann_id, ann) = person(&server, "ann@acme.example", "owner");
    let (_, bob) = person(&server, "bob@acme.example", "owner");
    let key = json!({"name": "k", "scopes": ["events:read", "admin"]});
    let key = made(&server, "/v1/keys", &key);
    let key = bearer(&server, key["key"].as_str().unwrap());
    // The product has a user whose id is that of ours.
    let namesake = viewer(&server, &ann_id, "owner");
    let rooted = viewer(&server, "root", "owner");
    let everybody = [&ann, &bob, &key, &namesake, &rooted, &root(&server)];
    let mut views = Vec::new();
    for (number, somebody) in everybody.iter().enumerate() {
        views.push(somebody.save(&json!({"name": format!("of {number}"), "filter": "area:users"})));
    }
    for (number, somebody) in everybody.iter().enumerate() {
        assert_eq!(somebody.names(), [format!("of {number}")]);
        for (other, view) in views.iter().enumerate().filter(|(other, _)| *other != number) {
            for (method, body) in [
                ("GET", Value::Null),
                ("PUT", json!({"name": "mine"})),
                ("DELETE", Value::Null),
            ] {
                let answer = somebody.one(method, view, &body);
                assert_eq!(answer.problem(), "not-found", "{number} {method} {other}");
            }
        }
    }
    let again = viewer(&server, "root", "owner");
    assert_eq!(again.names(), ["of 4"], "the same person with the next token");
}

#[test]
fn a_shared_view_is_there_for_all_and_changed_by_its_owner_or_an_administrator() {
    let server = server();
    let (_, ann) = person(&server, "ann@acme.example", "auditor");
    let (_, bob) = person(&server, "bob@acme.example", "auditor");
    let (_, carol) = person(&server, "carol@acme.example", "administrator");
    let shared = json!({"name": "failed sign-ins", "shared": true, "filter": "result:failure"});
    let view = ann.save(&shared);
    for somebody in [&bob, &carol, &viewer(&server, "u_1", "auditor"), &root(&server)] {
        let seen = somebody.one("GET", &view, &Value::Null).json();
        assert_eq!(
            (&seen["name"], &seen["is_own"]),
            (&json!("failed sign-ins"), &json!(false))
        );
        assert_eq!(seen["owner"]["name"], "ann@acme.example");
    }
    for somebody in [&bob, &viewer(&server, "u_1", "owner")] {
        assert_eq!(somebody.one("PUT", &view, &shared).problem(), "forbidden");
        assert_eq!(somebody.one("DELETE", &view, &Value::Null).problem(), "forbidden");
    }
    let changed = carol.one("PUT", &view, &json!({"name": "failures", "shared": true}));
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(changed.json()["owner"], view["owner"], "it stays its owner's");
    let unshared = carol.one("PUT", &view, &json!({"name": "failures"}));
    assert_eq!(unshared.status, 200);
    assert_eq!(
        (bob.names(), carol.names(), ann.names()),
        (vec![], vec![], vec!["failures".to_owned()])
    );
    assert_eq!(ann.one("PUT", &view, &shared).status, 200);
    assert_eq!(carol.one("DELETE", &view, &Value::Null).status, 204);
}

#[test]
fn a_view_belongs_to_its_organization_and_goes_with_its_owner_unless_others_use_it() {
    let server = server();
    server.fill("beta", 1);
    let (id, ann) = person(&server, "ann@acme.example", "auditor");
    let private = ann.save(&json!({"name": "private"}));
    let shared = ann.save(&json!({"name": "shared", "shared": true}));
    let elsewhere = format!("/v1/organizations/beta/views/{}", shared["id"].as_str().unwrap());
    assert_eq!(
        root(&server).ask("GET", &elsewhere, &Value::Null).problem(),
        "not-found"
    );
    let key = made(&server, "/v1/keys", &json!({"name": "k", "scopes": ["events:read"]}));
    bearer(&server, key["key"].as_str().unwrap()).save(&json!({"name": "of the key"}));

    let user = format!("/v1/organizations/acme/users/{id}");
    assert_eq!(root(&server).ask("DELETE", &user, &Value::Null).status, 204);
    let revoked = format!("/v1/keys/{}", key["id"].as_str().unwrap());
    assert_eq!(root(&server).ask("DELETE", &revoked, &Value::Null).status, 204);
    assert_eq!(root(&server).names(), ["shared"]);
    let (_, directory) = server.stop();
    let server = Server::start_with(directory, &[("TRAILBOOK_ROOT_KEY", ROOT_KEY)]);
    assert_eq!(root(&server).names(), ["shared"], "after a restart too");
    assert_eq!(root(&server).one("GET", &private, &Value::Null).status, 404);
}

#[test]
fn a_project_that_is_deleted_takes_its_views_along() {
    let server = server();
    let mut other = root(&server);
    let make = || {
        let policy = json!({"policy": {"title": "Other"}});
        assert_eq!(server.put("/v1/projects/other", &policy).status, 201);
    };
    make();
    other.headers.push(("Trailbook-Project", "other".to_owned()));
    let views = "/v1/organizations/_system/views";
    assert_eq!(other.ask("POST", views, &json!({"name": "a"})).status, 201);
    assert_eq!(
        root(&server).ask("DELETE", "/v1/projects/other", &Value::Null).status,
        204
    );
    make();
    assert_eq!(other.ask("GET", views, &Value::Null).json(), json!({"views": []}));
}

#[test]
fn what_is_recorded_of_a_private_view_does_not_say_what_is_in_it() {
    let server = server();
    let (_, ann) = person(&server, "ann@acme.example", "auditor");
    let view = ann.save(&json!({"name": "canary-name", "filter": "canary-filter"}));
    ann.one("PUT", &view, &json!({"name": "canary-name", "filter": "canary-other"}));
    let shown = json!({"name": "seen by all", "shared": true, "filter": "area:users"});
    for _ in 0..2 {
        assert_eq!(ann.one("PUT", &view, &shown).status, 200, "the second changes nothing");
    }
    let mut changed = shown.clone();
    changed["filter"] = json!("area:billing");
    ann.one("PUT", &view, &changed);
    for _ in 0..3 {
        assert_eq!(ann.one("GET", &view, &Value::Null).status, 200);
        root(&server).one("GET", &view, &Value::Null);
    }
    ann.one("DELETE", &view, &Value::Null);

    let acts = acts(&server, "acme");
    let actions: Vec<&str> = acts.iter().map(|act| act["action"].as_str().unwrap()).collect();
    let expected = ["created", "changed", "changed", "changed", "opened", "deleted"];
    assert_eq!(actions, expected.map(|act| format!("trailbook.view.{act}")));
    assert!(!json!(acts).to_string().contains("canary"), "{acts:?}");
    let target = |act: &Value| (act["targets"][0]["type"].clone(), act["targets"][0]["id"].clone());
    assert!(
        acts.iter()
            .all(|act| target(act) == (json!("view"), view["id"].clone()))
    );
    assert!(acts.iter().all(|act| act["actor"]["email"] == "ann@acme.example"));
    assert_eq!(acts[3]["description"], "Changed the view seen by all");
    assert_eq!(
        acts[3]["changes"],
        json!([{"field": "filter", "before": "area:users", "after": "area:billing"}])
    );
    assert_eq!(acts[4]["description"], "Opened the view seen by all of acme");
    let of_programs = self::acts(&server, "_system");
    assert_eq!(of_programs.len(), 1, "what root reads, once");
    assert_eq!(of_programs[0]["action"], "trailbook.view.opened");
}

#[test]
fn what_no_screen_could_show_is_refused_at_its_place() {
    let server = server();
    let root = root(&server);
    let places = |view: &Value| -> Vec<String> {
        let answer = root.ask("POST", VIEWS, view);
        assert_eq!(answer.problem(), "invalid", "{view}");
        let errors = answer.json()["errors"].as_array().unwrap().clone();
        errors
            .iter()
            .map(|error| error["pointer"].as_str().unwrap().to_owned())
            .collect()
    };
    let long = |count| "x".repeat(count);
    assert_eq!(places(&json!({"name": " "})), ["/name"]);
    assert_eq!(places(&json!({"name": long(201)})), ["/name"]);
    assert_eq!(
        places(&json!({"name": "a\nb", "range": long(101), "filter": "a\u{0}"})),
        ["/name", "/range", "/filter"]
    );
    assert_eq!(places(&json!({"name": "a", "columns": vec!["id"; 101]})), ["/columns"]);
    assert_eq!(
        places(&json!({"name": "a", "columns": ["id", "", long(257)]})),
        ["/columns/1", "/columns/2"]
    );
    assert_eq!(places(&json!({"name": "a", "columns": "id"})), ["/columns"]);
    assert_eq!(
        root.ask("POST", VIEWS, &json!({"name": "a", "owner": "me"})).status,
        422
    );
    let faulty = root
        .ask("POST", VIEWS, &json!({"name": "a", "filter": "area:users AND ("}))
        .json();
    assert_eq!(
        (&faulty["status"], &faulty["errors"][0]["pointer"], &faulty["column"]),
        (&json!(422), &json!("/filter"), &json!(17))
    );
    assert!(root.names().is_empty());
    let largest = json!({"name": long(200), "shared": true, "filter": long(8_000), "range": long(100),
        "columns": vec![long(256); 100]});
    let view = root.save(&largest);
    assert_eq!(
        root.one("PUT", &view, &json!({"name": "b", "shared": true})).status,
        200
    );
}

#[test]
fn nobody_has_more_than_two_hundred_views() {
    let server = server();
    let root = root(&server);
    let ann = viewer(&server, "u_1", "auditor");
    for number in 0..200 {
        root.save(&json!({"name": format!("{number}"), "shared": number % 2 == 0}));
    }
    let refused = root.ask("POST", VIEWS, &json!({"name": "one more"}));
    assert_eq!(refused.problem(), "invalid");
    assert!(refused.text().contains("at most 200 views"), "{}", refused.text());
    let view = ann.save(&json!({"name": "another's"}));
    assert_eq!(ann.names().len(), 101);
    assert_eq!(ann.one("PUT", &view, &json!({"name": "as before"})).status, 200);
}
