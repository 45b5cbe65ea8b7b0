//! Files on request: made in the background, downloaded by their owner or by link, gone when they should be.

use serde_json::{Value, json};

use crate::server::{ROOT_KEY, Server, event};

const EXPORTS: &str = "/v1/organizations/acme/exports";

/// Asks for an export and waits for it.
fn made(server: &Server, request: &Value) -> Value {
    let answer = server.post(EXPORTS, &[], request.to_string().as_bytes());
    assert_eq!(answer.status, 202, "{}", answer.text());
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let path = format!("{EXPORTS}/{id}");
    server.until("the export has ended", |server| {
        let state = server.get(&path).json()["state"].clone();
        state == "ready" || state == "failed"
    });
    server.get(&path).json()
}

fn downloaded(server: &Server, export: &Value) -> Vec<u8> {
    let path = format!("{EXPORTS}/{}/download", export["id"].as_str().unwrap());
    let answer = server.get(&path);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.body
}

#[test]
fn a_file_on_request_is_the_one_that_is_streamed_and_its_link_needs_no_other_credential() {
    let server = Server::start();
    server.fill("acme", 3_000);
    for (format, columns) in [("csv", true), ("jsonl", false)] {
        let mut request = json!({"format": format, "filter": "-action:trailbook.*"});
        let mut query = String::from("q=-action:trailbook.*");
        if columns {
            request["columns"] = json!(["sequence", "actor.email", "description"]);
            query += "&columns=sequence,actor.email,description";
        }
        let export = made(&server, &request);
        assert_eq!(
            (&export["state"], &export["progress"], &export["rows"]),
            (&json!("ready"), &json!(1.0), &json!(3_000))
        );
        let file = downloaded(&server, &export);
        assert_eq!(file.len() as u64, export["bytes"].as_u64().unwrap());
        let streamed = server.get(&format!("/v1/organizations/acme/events.{format}?{query}"));
        assert!(file == streamed.body, "{format}");

        let link = export["download_url"].as_str().unwrap();
        let linked = server.send("GET", link, &[], b"");
        assert_eq!((linked.status, &linked.body), (200, &file));
        let forged = link.replace(&link[link.len() - 6..], "AAAAAA");
        assert_eq!(server.send("GET", &forged, &[], b"").status, 404);
    }
    let actions: Vec<Value> = server
        .get("/v1/organizations/acme/events?q=action:trailbook.export.*")
        .json()["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["action"].clone())
        .collect();
    let count = |action: &str| actions.iter().filter(|known| *known == action).count();
    assert_eq!(count("trailbook.export.requested"), 2);
    assert_eq!(
        count("trailbook.export.downloaded"),
        2,
        "by link; what root reads is in the project's own log"
    );
}

#[test]
fn parts_of_a_file_are_served_as_they_are_asked_for() {
    let server = Server::start();
    server.fill("acme", 100);
    let export = made(&server, &json!({"format": "csv", "scope": "all"}));
    let whole = downloaded(&server, &export);
    let path = format!("{EXPORTS}/{}/download", export["id"].as_str().unwrap());
    let authorization = format!("Bearer {ROOT_KEY}");
    let part = |range: &str| {
        server.send(
            "GET",
            &path,
            &[("Authorization", &authorization), ("Range", range)],
            b"",
        )
    };
    let middle = part("bytes=100-199");
    assert_eq!((middle.status, middle.body.as_slice()), (206, &whole[100..200]));
    assert_eq!(
        middle.headers["content-range"],
        format!("bytes 100-199/{}", whole.len())
    );
    assert_eq!(part("bytes=-10").body, &whole[whole.len() - 10..]);
    assert_eq!(part(&format!("bytes={}-", whole.len())).status, 416);
}

#[test]
fn what_a_request_cannot_mean_is_refused_at_its_place() {
    let server = Server::start();
    server.fill("acme", 1);
    for (request, pointer) in [
        (json!({"format": "xlsx"}), "/format"),
        (json!({"format": "csv", "filter": "action:("}), "/filter"),
        (json!({"format": "csv", "columns": ["actor.nothing"]}), "/columns"),
        (json!({"format": "csv", "columns": []}), "/columns"),
        (json!({"format": "jsonl", "columns": ["action"]}), "/columns"),
        (json!({"format": "jsonl", "labels": true}), "/labels"),
        (json!({"format": "csv", "mapping": "payloads"}), "/mapping"),
        (json!({"format": "jsonl", "mapping": "payloads"}), "/mapping"),
        (json!({"format": "csv", "time_zone": "Mars/Olympus"}), "/time_zone"),
        (json!({"format": "csv", "from": "yesterday"}), "/from"),
        (json!({"format": "csv", "email": true}), "/email"),
        (json!({"format": "csv", "nonsense": 1}), "/nonsense"),
    ] {
        let answer = server.post(EXPORTS, &[], request.to_string().as_bytes());
        assert_eq!(answer.status, 422, "{request} {}", answer.text());
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{request}");
    }
    assert_eq!(server.get(EXPORTS).json()["exports"], json!([]));
}

#[test]
fn an_export_is_its_owners_alone_and_a_narrowed_view_stays_narrowed() {
    let server = Server::start();
    server.fill("acme", 20);
    let token = |id: &str, filter: Option<&str>| {
        let request = json!({"actor": {"id": id, "role": "owner"}, "filter": filter, "may_export": true});
        let answer = server.post(
            "/v1/organizations/acme/viewer-tokens",
            &[],
            request.to_string().as_bytes(),
        );
        format!("Bearer {}", answer.json()["token"].as_str().unwrap())
    };
    let (ann, narrowed, ben) = (
        token("ann", None),
        token("ann", Some("security:true")),
        token("ben", None),
    );
    let get = |token: &str, path: &str| server.send("GET", path, &[("Authorization", token)], b"");
    let post = |token: &str, request: Value| {
        let headers = [("Authorization", token), ("Content-Type", "application/json")];
        server.send("POST", EXPORTS, &headers, request.to_string().as_bytes())
    };
    let export = post(&ann, json!({"format": "csv"})).json();
    let path = format!("{EXPORTS}/{}", export["id"].as_str().unwrap());
    server.until("it is ready", |_| get(&ann, &path).json()["state"] == "ready");
    assert_eq!(get(&ben, &path).status, 404);
    assert_eq!(
        get(&narrowed, &path).status,
        404,
        "what is seen through a filter is not all"
    );
    assert_eq!(get(&ben, EXPORTS).json()["exports"], json!([]));
    assert_eq!(post(&narrowed, json!({"format": "evidence"})).status, 403);

    let own = post(&narrowed, json!({"format": "jsonl", "scope": "all"})).json();
    let path = format!("{EXPORTS}/{}", own["id"].as_str().unwrap());
    server.until("it is ready", |_| get(&narrowed, &path).json()["state"] == "ready");
    let file = get(&narrowed, &format!("{path}/download")).text();
    assert!(
        file.lines().all(|line| line.contains("\"security\":true")) && !file.is_empty(),
        "{file}"
    );
}

#[test]
fn a_link_is_of_no_use_once_its_owner_may_not_export() {
    let server = Server::start();
    server.fill("acme", 5);
    let user = json!({"email": "ann@acme.example", "role": "owner", "password": "a fine long password"});
    let user = server
        .post("/v1/organizations/acme/users", &[], user.to_string().as_bytes())
        .json();
    let request = json!({"organization": "acme", "email": "ann@acme.example", "password": "a fine long password"});
    let headers = [("Trailbook-Console", "1"), ("Content-Type", "application/json")];
    let signed_in = server.send("POST", "/auth/sign-in", &headers, request.to_string().as_bytes());
    let cookie = signed_in.headers["set-cookie"].split(';').next().unwrap().to_owned();
    let headers = [
        ("Cookie", &*cookie),
        ("Trailbook-Console", "1"),
        ("Content-Type", "application/json"),
    ];
    let export = server.send("POST", EXPORTS, &headers, b"{\"format\":\"csv\"}").json();
    let path = format!("{EXPORTS}/{}", export["id"].as_str().unwrap());
    server.until("it is ready", |server| server.get(&path).json()["state"] == "ready");
    let link = server.get(&path).json()["download_url"].as_str().unwrap().to_owned();
    assert_eq!(server.send("GET", &link, &[], b"").status, 200);

    let of_user = format!("/v1/organizations/acme/users/{}", user["id"].as_str().unwrap());
    let authorization = format!("Bearer {ROOT_KEY}");
    let headers = [("Authorization", &*authorization), ("Content-Type", "application/json")];
    let changed = server.send("PATCH", &of_user, &headers, b"{\"role\":\"member\"}");
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(server.send("GET", &link, &[], b"").status, 403);
}

#[test]
fn a_dropped_export_leaves_nothing_behind() {
    let server = Server::start();
    server.fill("acme", 50);
    let export = made(&server, &json!({"format": "jsonl"}));
    let id = export["id"].as_str().unwrap();
    let kept = || server.data().join("objects/exports").join(id).exists();
    assert!(kept());
    let authorization = format!("Bearer {ROOT_KEY}");
    let dropped = server.send(
        "DELETE",
        &format!("{EXPORTS}/{id}"),
        &[("Authorization", &authorization)],
        b"",
    );
    assert_eq!(dropped.status, 204);
    assert!(
        !kept()
            || std::fs::read_dir(server.data().join("objects/exports").join(id))
                .unwrap()
                .count()
                == 0
    );
    assert_eq!(server.get(&format!("{EXPORTS}/{id}")).status, 404);
    assert_eq!(
        server
            .send("GET", export["download_url"].as_str().unwrap(), &[], b"")
            .status,
        410
    );
    server.stop_sound();
}

#[test]
fn evidence_on_request_verifies() {
    let server = Server::start();
    let events: Vec<Value> = (0..40).map(|number| event("acme", number)).collect();
    server.ingest(&json!({"events": events}));
    let export = made(&server, &json!({"format": "evidence", "scope": "all"}));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("evidence.zip");
    std::fs::write(&path, downloaded(&server, &export)).unwrap();
    let key = server.verifier_key("acme");
    let (code, said) = server.command(&["verify", path.to_str().unwrap(), "--key", &key]);
    assert_eq!(code, Some(0), "{said}");
}
