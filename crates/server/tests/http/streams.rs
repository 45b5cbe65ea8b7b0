//! Streams over HTTP: what may be set up, what is shown of it, and a webhook that really comes.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use crate::server::{ROOT_KEY, Server};

const STREAMS: &str = "/v1/organizations/acme/streams";
const CANARY: &str = "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbmFyeS0=";

/// A receiver of webhooks that keeps their bodies.
struct Receiver {
    address: SocketAddr,
    bodies: Arc<Mutex<Vec<Value>>>,
}

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, bodies) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<Value>>>::default());
        let kept = bodies.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (mut text, mut chunk) = (Vec::new(), [0; 65_536]);
                let body = loop {
                    let read = stream.read(&mut chunk).unwrap_or(0);
                    text.extend_from_slice(&chunk[..read]);
                    let whole = String::from_utf8_lossy(&text).into_owned();
                    let Some((head, body)) = whole.split_once("\r\n\r\n") else {
                        continue;
                    };
                    let length = head
                        .to_lowercase()
                        .split("content-length: ")
                        .nth(1)
                        .unwrap_or("0")
                        .lines()
                        .next()
                        .unwrap_or("0")
                        .parse()
                        .unwrap_or(0);
                    if read == 0 || body.len() >= length {
                        break body.to_owned();
                    }
                };
                kept.lock()
                    .unwrap()
                    .push(serde_json::from_str(&body).unwrap_or_default());
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n");
            }
        });
        Self { address, bodies }
    }

    fn sequences(&self) -> Vec<u64> {
        let bodies = self.bodies.lock().unwrap();
        let events = bodies
            .iter()
            .flat_map(|body| body["events"].as_array().cloned().unwrap_or_default());
        events
            .filter(|event| event["epoch"] == 1)
            .map(|event| event["sequence"].as_u64().unwrap())
            .collect()
    }

    fn webhook(&self) -> Value {
        json!({"name": "hook", "destination": {"type": "webhook", "url": format!("http://{}/in", self.address)}, "start": "beginning", "interval_seconds": 1})
    }
}

fn server() -> Server {
    let environment = [
        ("TRAILBOOK_ROOT_KEY", ROOT_KEY),
        ("TRAILBOOK_PRIVATE_DESTINATIONS", "127.0.0.0/8"),
    ];
    Server::start_with(tempfile::tempdir().unwrap(), &environment)
}

fn made(server: &Server, path: &str, request: &Value) -> Value {
    let answer = server.post(path, &[], request.to_string().as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

#[test]
fn events_come_by_webhook_in_order_go_on_after_a_restart_and_come_again_when_asked() {
    let (server, receiver) = (server(), Receiver::start());
    server.fill("acme", 25);
    let stream = made(&server, STREAMS, &receiver.webhook());
    assert!(
        stream["secret"].as_str().unwrap().starts_with("whsec_"),
        "made, and shown once"
    );
    let path = format!("{STREAMS}/{}", stream["id"].as_str().unwrap());
    let caught_up = |server: &Server| server.get(&path).json()["health"]["lag_events"] == 0;
    server.until("all has come", caught_up);
    let shown = server.get(&path).json();
    assert_eq!(
        (&shown["secrets"], &shown["state"]),
        (&json!(["secret"]), &json!("active"))
    );
    let count = server.count("acme");
    assert_eq!(receiver.sequences(), (0..count).collect::<Vec<u64>>());

    let (_, directory) = server.stop();
    let environment = [
        ("TRAILBOOK_ROOT_KEY", ROOT_KEY),
        ("TRAILBOOK_PRIVATE_DESTINATIONS", "127.0.0.0/8"),
    ];
    let server = Server::start_with(directory, &environment);
    server.fill("acme", 3);
    server.until("the rest has come", caught_up);
    let count = server.count("acme");
    assert_eq!(
        receiver.sequences(),
        (0..count).collect::<Vec<u64>>(),
        "nothing twice, nothing left out"
    );

    let replayed = server.post(&format!("{path}/replay"), &[], b"{\"from_sequence\":20}");
    assert_eq!(replayed.status, 200, "{}", replayed.text());
    server.until("it came again", |_| {
        receiver.sequences().iter().filter(|sequence| **sequence == 20).count() == 2
    });
    let tested = server.post(&format!("{path}/test"), &[], b"").json();
    assert_eq!(tested["delivered"], true, "{tested}");
}

#[test]
fn what_cannot_be_carried_is_refused_at_its_place_and_nothing_is_connected_to() {
    let server = Server::start();
    server.fill("acme", 1);
    let (hook, keys) = (
        json!({"type": "webhook", "url": "https://receiver.example/in"}),
        json!({"access_key_id": "a", "secret_access_key": "b"}),
    );
    let s3 = json!({"type": "s3", "bucket": "b-b-b", "region": "eu-west-1"});
    let of = |destination: &Value, member: &str, value: Value| {
        let mut request = json!({"name": "n", "destination": destination});
        request[member] = value;
        request
    };
    for (request, pointer) in [
        (of(&hook, "name", json!(" ")), "/name"),
        (of(&hook, "mapping", json!("xml")), "/mapping"),
        (of(&hook, "mapping", json!("catalog:payloads")), "/mapping"),
        (of(&hook, "filter", json!("a:(")), "/filter"),
        (of(&hook, "start", json!("tomorrow")), "/start"),
        (of(&hook, "batch_events", json!(0)), "/batch_events"),
        (of(&hook, "interval_seconds", json!(4_000)), "/interval_seconds"),
        (of(&hook, "secrets", json!({"token": "x"})), "/secrets/token"),
        (of(&hook, "secrets", json!({"secret": "short"})), "/secrets/secret"),
        (of(&s3, "name", json!("n")), "/secrets/access_key_id"),
        (
            of(
                &json!({"type": "webhook", "url": "http://127.0.0.1:1/"}),
                "name",
                json!("n"),
            ),
            "/destination/url",
        ),
        (
            of(
                &json!({"type": "webhook", "url": "https://169.254.169.254/"}),
                "name",
                json!("n"),
            ),
            "/destination/url",
        ),
        (
            of(
                &json!({"type": "s3", "bucket": "b-b-b", "region": "r", "endpoint": "http://10.0.0.1/"}),
                "secrets",
                keys,
            ),
            "/destination/endpoint",
        ),
    ] {
        let answer = server.post(STREAMS, &[], request.to_string().as_bytes());
        assert_eq!(answer.status, 422, "{request} {}", answer.text());
        assert_eq!(
            answer.json()["errors"][0]["pointer"],
            pointer,
            "{request} {}",
            answer.text()
        );
    }
    assert_eq!(server.get(STREAMS).json(), json!({"streams": []}));
}

#[test]
fn secrets_are_never_shown_and_go_to_no_other_server() {
    let (server, receiver) = (server(), Receiver::start());
    server.fill("acme", 1);
    let mut request = receiver.webhook();
    request["secrets"] = json!({"secret": CANARY});
    let stream = made(&server, STREAMS, &request);
    assert_eq!(stream["secret"], Value::Null, "it was given, not made");
    let path = format!("{STREAMS}/{}", stream["id"].as_str().unwrap());
    let put = |request: &Value| server.put(&path, request);
    request.as_object_mut().unwrap().remove("secrets");
    request.as_object_mut().unwrap().remove("start");
    request["name"] = json!("another name");
    assert_eq!(put(&request).status, 200, "what is left out stays");
    let elsewhere = Receiver::start();
    request["destination"]["url"] = elsewhere.webhook()["destination"]["url"].clone();
    let moved = put(&request);
    assert_eq!(
        (moved.status, &moved.json()["errors"][0]["pointer"]),
        (422, &json!("/secrets/secret")),
        "{}",
        moved.text()
    );

    let seen = [
        server.get(STREAMS).text(),
        server.get(&path).text(),
        server.get("/v1/organizations/acme/events").text(),
        server.log(),
    ];
    assert!(seen.iter().all(|text| !text.contains("Y2FuYXJ5")), "{seen:?}");
    let (_, directory) = server.stop();
    for file in ["trailbook.db", "trailbook.db-wal"] {
        let bytes = std::fs::read(directory.path().join(file)).unwrap_or_default();
        assert!(!bytes.windows(8).any(|window| window == b"Y2FuYXJ5"), "{file}");
    }
}

#[test]
fn a_stream_changes_from_the_version_that_was_read_and_goes_with_its_project() {
    let server = server();
    server.fill("acme", 1);
    let request = json!({"name": "hook", "destination": {"type": "webhook", "url": "https://receiver.example/in"}});
    let stream = made(&server, STREAMS, &request);
    let path = format!("{STREAMS}/{}", stream["id"].as_str().unwrap());
    let version = server.get(&path).headers["etag"].clone();
    let authorization = format!("Bearer {ROOT_KEY}");
    let put = |version: &str, name: &str| {
        let headers = [
            ("Authorization", &*authorization),
            ("Content-Type", "application/json"),
            ("If-Match", version),
        ];
        let mut request = request.clone();
        request["name"] = json!(name);
        server
            .send("PUT", &path, &headers, request.to_string().as_bytes())
            .status
    };
    assert_eq!(put(&version, "one"), 200);
    assert_eq!(put(&version, "two"), 412);
    let paused = server.post(&format!("{path}/pause"), &[], b"").json();
    assert_eq!(paused["state"], "paused");
    assert_eq!(
        server.post(&format!("{path}/resume"), &[], b"").json()["state"],
        "active"
    );
    let of_project = made(&server, "/v1/streams", &request);
    assert_eq!(of_project["organization"], Value::Null);
    assert_eq!(
        server
            .get(&format!("{STREAMS}/{}", of_project["id"].as_str().unwrap()))
            .status,
        404
    );
    let removed = server.send("DELETE", &path, &[("Authorization", &*authorization)], b"");
    assert_eq!((removed.status, server.get(&path).status), (204, 404));
    let acts = server
        .get("/v1/organizations/acme/events?q=action:trailbook.stream.*&order=asc")
        .json();
    let acts: Vec<&str> = acts["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["action"].as_str().unwrap())
        .collect();
    let verbs: Vec<&str> = acts.iter().map(|action| action.rsplit('.').next().unwrap()).collect();
    assert_eq!(verbs, ["created", "changed", "paused", "resumed", "deleted"]);
}
