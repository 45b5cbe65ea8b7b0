//! Alerts over HTTP: what may be set up, what is shown of it, and letters and signed requests that really come.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
};

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    postman::Postman,
    server::{Answer, ROOT_KEY, Server},
};

const ALERTS: &str = "/v1/organizations/acme/alerts";
const PASSWORD: &str = "a fine long password";
const CANARY: &str = "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbmFyeS0=";

/// A request as it came.
#[derive(Clone)]
struct Came {
    head: String,
    body: String,
}

impl Came {
    fn header(&self, name: &str) -> String {
        let line = self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then(|| value.to_owned())
        });
        line.unwrap_or_default()
    }

    /// Whether a secret signed it as Standard Webhooks says.
    fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let signed = format!(
            "{}.{}.{}",
            self.header("webhook-id"),
            self.header("webhook-timestamp"),
            self.body
        );
        mac.update(signed.as_bytes());
        let expected = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature").split(' ').any(|one| one == expected)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A receiver of requests that answers with a status and keeps what it took.
struct Receiver {
    address: SocketAddr,
    status: Arc<AtomicU16>,
    came: Arc<Mutex<Vec<Came>>>,
}

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            status: Arc::new(AtomicU16::new(204)),
            came: Arc::default(),
        };
        let (status, came) = (receiver.status.clone(), receiver.came.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(request) = read(&mut stream) else { continue };
                let status = status.load(Ordering::SeqCst);
                if status < 300 {
                    came.lock().unwrap().push(request);
                }
                let _ = stream.write_all(format!("HTTP/1.1 {status} Said\r\nContent-Length: 0\r\n\r\n").as_bytes());
            }
        });
        receiver
    }

    fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    fn url(&self) -> String {
        format!("http://{}/hook/T0P-SECRET-PATH", self.address)
    }
}

fn read(stream: &mut impl Read) -> Option<Came> {
    let (mut text, mut chunk) = (Vec::new(), [0; 65_536]);
    loop {
        let read = stream.read(&mut chunk).unwrap_or(0);
        text.extend_from_slice(&chunk[..read]);
        let whole = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = whole.split_once("\r\n\r\n") {
            let (head, body) = (head.to_owned(), body.to_owned());
            let came = Came { head, body };
            if came.body.len() >= came.header("content-length").parse().unwrap_or(0) {
                return Some(came);
            }
        }
        if read == 0 {
            return None;
        }
    }
}

/// A server that may send to this machine, and letters to a postman.
fn server(directory: tempfile::TempDir, postman: Option<&Postman>) -> Server {
    let settings = postman.map(Postman::settings);
    let mut environment = vec![
        ("TRAILBOOK_ROOT_KEY", ROOT_KEY),
        ("TRAILBOOK_PRIVATE_DESTINATIONS", "127.0.0.0/8"),
        ("TRAILBOOK_CALLER_REQUESTS_PER_SECOND", "0"),
    ];
    let settings = settings.iter().flatten();
    environment.extend(settings.map(|(name, value)| (*name, value.as_str())));
    let server = Server::start_with(directory, &environment);
    if server.count("acme") == 0 {
        server.fill("acme", 3);
    }
    server
}

fn fresh(postman: Option<&Postman>) -> Server {
    server(tempfile::tempdir().unwrap(), postman)
}

fn made(server: &Server, request: &Value) -> Value {
    let answer = server.post(ALERTS, &[], request.to_string().as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

fn path(alert: &Value) -> String {
    format!("{ALERTS}/{}", alert["id"].as_str().unwrap())
}

fn sign_in(actor: &str, name: &str) -> Value {
    json!({"organization": "acme", "action": "user.login", "action_type": "login", "result": "failure",
        "actor": {"id": actor, "name": name, "email": format!("{actor}@acme.example")}, "context": {"ip": "203.0.113.7"}})
}

fn happens(server: &Server, event: &Value) -> Value {
    let answer = server.ingest(event);
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["events"][0]["id"].clone()
}

fn fault(answer: &Answer) -> String {
    assert_eq!(answer.status, 422, "{}", answer.text());
    answer.json()["errors"][0]["pointer"].as_str().unwrap().to_owned()
}

/// A person who is signed in: the headers of their requests.
fn person(server: &Server, email: &str, role: &str) -> Vec<(&'static str, String)> {
    let user = json!({"email": email, "role": role, "password": PASSWORD}).to_string();
    let answer = server.post("/v1/organizations/acme/users", &[], user.as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    let credentials = json!({"organization": "acme", "email": email, "password": PASSWORD}).to_string();
    let headers = [("Trailbook-Console", "1"), ("Content-Type", "application/json")];
    let answer = server.send("POST", "/auth/sign-in", &headers, credentials.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let cookie = answer.headers["set-cookie"].split(';').next().unwrap().to_owned();
    vec![
        ("Cookie", cookie),
        ("Trailbook-Console", "1".into()),
        ("Content-Type", "application/json".into()),
    ]
}

fn ask(server: &Server, who: &[(&'static str, String)], method: &str, path: &str, body: &Value) -> Answer {
    let headers: Vec<(&str, &str)> = who.iter().map(|(name, value)| (*name, &**value)).collect();
    server.send(method, path, &headers, body.to_string().as_bytes())
}

#[test]
fn an_alert_tells_by_letter_and_by_signed_request_with_a_link_and_is_recorded() {
    let (postman, receiver) = (Postman::start(), Receiver::start());
    let server = fresh(Some(&postman));
    let alert = made(
        &server,
        &json!({"name": "Failed <sign-ins>", "filter": "type:login result:failure",
            "condition": {"type": "threshold", "count": 2, "window_seconds": 600, "by": "actor"},
            "emails": ["Ann@Elsewhere.example"], "webhook": {"url": receiver.url()}, "secrets": {"secret": CANARY}}),
    );
    assert_eq!(
        (&alert["emails"], &alert["secrets"], &alert["secret"], &alert["fired"]),
        (
            &json!(["ann@elsewhere.example"]),
            &json!(["secret"]),
            &Value::Null,
            &json!(0)
        )
    );
    assert_eq!(
        (&alert["quiet_seconds"], &alert["enabled"]),
        (&json!(3600), &json!(true))
    );
    happens(&server, &sign_in("ben", "Ben"));
    let first = happens(
        &server,
        &sign_in("eve", "Eve\u{2028}<script>alert(1)</script>\r\nBcc: x@y.example"),
    );
    let last = happens(&server, &sign_in("eve", "Eve"));
    server.until("a request has come", |_| !receiver.came().is_empty());

    let request = receiver.came().remove(0);
    assert!(request.is_signed_with(CANARY), "{}", request.head);
    let body = request.json();
    assert_eq!(
        (&body["type"], &body["group"], &body["count"]),
        (&json!("trailbook.alert"), &json!("eve"), &json!(2))
    );
    assert_eq!((&body["first"]["id"], &body["last"]["id"]), (&first, &last));
    let link = body["link"].as_str().unwrap();
    assert!(
        link.starts_with("https://log.trailbook.example/?organization=acme&q="),
        "{link}"
    );

    let letter = postman.letter();
    assert_eq!(letter["to"], json!(["ann@elsewhere.example"]));
    assert_eq!(
        letter["subject"],
        "Failed <sign-ins>: 2 events in the audit log of acme"
    );
    let headers: Vec<&str> = letter["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert_eq!(
        headers,
        [
            "From",
            "To",
            "Subject",
            "Message-ID",
            "MIME-Version",
            "Date",
            "Content-Type"
        ]
    );
    let (text, html) = (letter["text"].as_str().unwrap(), letter["html"].as_str().unwrap());
    assert!(
        text.contains("2 events of the actor eve within 10 minutes") && text.contains(link),
        "{text}"
    );
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"), "{html}");
    assert!(html.contains(&link.replace('&', "&amp;")) && text.lines().all(|line| !line.starts_with("Bcc")));

    let shown = server.get(&path(&alert)).json();
    assert_eq!((&shown["fired"], &shown["last_error"]), (&json!(1), &Value::Null));
    let acts = server
        .get("/v1/organizations/acme/events?q=action:trailbook.alert.*&order=asc")
        .json();
    let actions: Vec<&Value> = acts["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["action"])
        .collect();
    assert_eq!(actions, ["trailbook.alert.created", "trailbook.alert.fired"]);
    let fired = &acts["events"][1];
    assert_eq!(
        (&fired["targets"][0]["id"], &fired["metadata"]["first"]),
        (&alert["id"], &first)
    );
    assert!(!server.log().contains("elsewhere.example"), "{}", server.log());
}

#[test]
fn what_could_not_be_told_is_told_by_the_next_process() {
    let receiver = Receiver::start();
    let started = fresh(None);
    receiver.status.store(503, Ordering::SeqCst);
    let alert = made(
        &started,
        &json!({"name": "x", "condition": {"type": "any"}, "webhook": {"url": receiver.url()}, "filter": "type:login"}),
    );
    let secret = alert["secret"].as_str().unwrap().to_owned();
    happens(&started, &sign_in("eve", "Eve"));
    started.until("the reason is shown", |server| {
        !server.get(&path(&alert)).json()["last_error"].is_null()
    });
    let error = started.get(&path(&alert)).json()["last_error"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(error.contains("503") && !error.contains("T0P-SECRET"), "{error}");
    let mut started = started;
    started.process.kill().unwrap();
    let (_, directory) = started.stop();
    receiver.status.store(204, Ordering::SeqCst);
    let again = server(directory, None);
    again.until("it has come", |_| !receiver.came().is_empty());
    assert!(receiver.came()[0].is_signed_with(&secret), "the secret is kept");
    again.until("nothing is left to tell", |server| {
        server.get(&path(&alert)).json()["last_error"].is_null()
    });
    assert_eq!(again.get(&path(&alert)).json()["fired"], 1);
    assert_eq!(receiver.came().len(), 1);
}

#[test]
fn a_test_reaches_everybody_says_who_it_did_not_reach_and_is_no_firing() {
    let (postman, receiver) = (Postman::start(), Receiver::start());
    let server = fresh(Some(&postman));
    let any = made(
        &server,
        &json!({"name": "x", "condition": {"type": "any"}, "filter": "type:login",
            "emails": ["ann@acme.example", "rejected@acme.example"], "webhook": {"url": receiver.url()}}),
    );
    let tested = server.post(&format!("{}/test", path(&any)), &[], b"{}").json();
    let detail = tested["detail"].as_str().unwrap();
    assert_eq!(tested["delivered"], false);
    assert!(
        detail.starts_with("rejected@acme.example: ") && !detail.contains("ann@"),
        "{detail}"
    );
    assert_eq!(
        postman.letter()["subject"],
        "Test: x: an event in the audit log of acme"
    );
    assert_eq!(
        (&receiver.came()[0].json()["test"], receiver.came().len()),
        (&json!(true), 1)
    );

    happens(&server, &sign_in("eve", "Eve"));
    let digest = made(
        &server,
        &json!({"name": "Every day", "condition": {"type": "digest", "every": "day"}, "emails": ["ann@acme.example"]}),
    );
    happens(
        &server,
        &json!({"organization": "acme", "action": "role.changed", "action_type": "update", "area": "users",
        "security": true, "description": "Made Bill <owner>", "actor": {"id": "ann", "name": "Ann"}}),
    );
    happens(&server, &sign_in("eve", "Eve"));
    // The letter of what the first alert found comes first.
    assert_eq!(postman.letter()["subject"], "x: an event in the audit log of acme");
    let tested = server.post(&format!("{}/test", path(&digest)), &[], b"").json();
    assert_eq!(tested, json!({"delivered": true, "detail": "It reached everybody."}));
    let letter = postman.letter();
    assert_eq!(
        letter["subject"],
        "Test: Every day: What happened in the audit log of acme"
    );
    let text = letter["text"].as_str().unwrap();
    for said in [
        "- Login · 2",
        "- Update · ",
        "Sign-ins that failed: 2",
        "Made Bill <owner>",
        "(UTC)",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(letter["html"].as_str().unwrap().contains("Made Bill &lt;owner&gt;"));
    let shown = server.get(&path(&digest)).json();
    assert_eq!((&shown["fired"], &shown["last_fired_at"]), (&json!(0), &Value::Null));
}

#[test]
fn a_person_names_users_who_may_look_and_root_names_anybody() {
    let postman = Postman::start();
    let server = fresh(Some(&postman));
    let owner = person(&server, "olivia@acme.example", "owner");
    let member = person(&server, "mia@acme.example", "member");
    let request = |email: &str| json!({"name": "x", "condition": {"type": "any"}, "emails": [email]});
    assert_eq!(ask(&server, &member, "GET", ALERTS, &Value::Null).status, 403);
    let mut named = request("mia@acme.example");
    named["emails"] = json!(["Olivia@acme.example", "mia@acme.example"]);
    assert_eq!(fault(&ask(&server, &owner, "POST", ALERTS, &named)), "/emails/1");
    assert_eq!(
        fault(&ask(&server, &owner, "POST", ALERTS, &request("x@elsewhere.example"))),
        "/emails/0"
    );
    assert_eq!(
        ask(&server, &owner, "POST", ALERTS, &request("olivia@acme.example")).status,
        201
    );

    // What root vouched for stays when a person changes something else, and only then.
    let alert = made(&server, &request("x@elsewhere.example"));
    let mut renamed = request("x@elsewhere.example");
    renamed["name"] = "y".into();
    let changed = ask(&server, &owner, "PUT", &path(&alert), &renamed);
    assert_eq!(
        (changed.status, &changed.json()["name"]),
        (200, &json!("y")),
        "{}",
        changed.text()
    );
    renamed["emails"] = json!(["z@elsewhere.example"]);
    assert_eq!(
        fault(&ask(&server, &owner, "PUT", &path(&alert), &renamed)),
        "/emails/0"
    );

    // Whoever may not look any more is not told any more.
    let watch =
        json!({"name": "w", "condition": {"type": "any"}, "filter": "type:login", "emails": ["olivia@acme.example"]});
    let answer = ask(&server, &owner, "POST", ALERTS, &watch);
    assert_eq!(answer.status, 201, "{}", answer.text());
    let users = server.get("/v1/organizations/acme/users").json();
    let olivia = users["users"]
        .as_array()
        .unwrap()
        .iter()
        .find(|user| user["email"] == "olivia@acme.example");
    let id = olivia.unwrap()["id"].as_str().unwrap().to_owned();
    let authorization = format!("Bearer {ROOT_KEY}");
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
    ];
    let demoted = server.send(
        "PATCH",
        &format!("/v1/organizations/acme/users/{id}"),
        &headers,
        b"{\"role\":\"member\"}",
    );
    assert_eq!(demoted.status, 200, "{}", demoted.text());
    happens(&server, &sign_in("eve", "Eve"));
    let shown = path(&answer.json());
    server.until("it was skipped", |server| {
        !server.get(&shown).json()["last_error"].is_null()
    });
    let error = server.get(&shown).json()["last_error"].as_str().unwrap().to_owned();
    assert!(error.starts_with("olivia@acme.example: It was skipped"), "{error}");
    while postman.waiting() > 0 {}
}

#[test]
fn secrets_are_made_once_shown_once_and_go_to_no_other_server() {
    let server = fresh(None);
    let hook = |url: &str| json!({"name": "x", "condition": {"type": "any"}, "webhook": {"url": url}});
    let alert = made(&server, &hook("https://receiver.example/in"));
    let made_secret = alert["secret"].as_str().unwrap().to_owned();
    assert!(made_secret.starts_with("whsec_"));
    let mut given = hook("https://receiver.example/other");
    given["secrets"] = json!({"secret": CANARY, "header.X-Token": "canary-token"});
    let answer = server.put(&path(&alert), &given).json();
    assert_eq!(
        (&answer["secret"], &answer["secrets"]),
        (&Value::Null, &json!(["header.X-Token", "secret"]))
    );

    let mut kept = hook("https://receiver.example/third");
    kept["secrets"] = json!({"header.X-Token": null});
    let answer = server.put(&path(&alert), &kept).json();
    assert_eq!(
        (&answer["secret"], &answer["secrets"]),
        (&Value::Null, &json!(["secret"]))
    );
    let moved = server.put(&path(&alert), &hook("https://elsewhere.example/in")).json();
    let new = moved["secret"]
        .as_str()
        .expect("another server has a secret of its own");
    assert!(new.starts_with("whsec_") && new != CANARY && new != made_secret);

    let said = [
        ALERTS,
        &path(&alert),
        "/v1/organizations/acme/events?limit=1000",
        "/metrics",
    ]
    .map(|path| server.get(path).text());
    let stored = std::fs::read_dir(server.data())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let stored: Vec<Vec<u8>> = stored.filter_map(|path| std::fs::read(path).ok()).collect();
    assert!(
        stored.iter().map(Vec::len).sum::<usize>() > 10_000,
        "the database is among them"
    );
    let holds = |secret: &str| {
        stored
            .iter()
            .any(|bytes| bytes.windows(secret.len()).any(|at| at == secret.as_bytes()))
    };
    for secret in [CANARY, "canary-token", &made_secret, new] {
        assert!(said.iter().all(|text| !text.contains(secret)) && !server.log().contains(secret));
        assert!(!holds(secret));
    }
    assert!(!said[2].contains("/third"), "of a webhook only its server is recorded");
}

#[test]
fn what_breaks_a_rule_is_refused_at_its_place() {
    let postman = Postman::start();
    let server = fresh(Some(&postman));
    let good = json!({"name": "x", "condition": {"type": "any"}, "emails": ["ann@acme.example"]});
    let threshold = |count: u32, window: u32| json!({"type": "threshold", "count": count, "window_seconds": window});
    let many: Vec<String> = (0..21).map(|number| format!("a{number}@acme.example")).collect();
    for (change, pointer) in [
        (json!({"name": ""}), "/name"),
        (json!({"name": "a\nb"}), "/name"),
        (json!({"filter": "nofield:(x"}), "/filter"),
        (json!({"filter": "a\u{1}"}), "/filter"),
        (json!({"condition": threshold(1, 60)}), "/condition/count"),
        (json!({"condition": threshold(1_001, 60)}), "/condition/count"),
        (json!({"condition": threshold(2, 59)}), "/condition/window_seconds"),
        (json!({"condition": threshold(2, 86_401)}), "/condition/window_seconds"),
        (json!({"condition": {"type": "any", "count": 3}}), "/condition"),
        (
            json!({"condition": {"type": "first_seen", "field": "no.such"}}),
            "/condition/field",
        ),
        (
            json!({"condition": {"type": "first_seen", "field": "trace_id"}}),
            "/condition/field",
        ),
        (json!({"condition": {"type": "digest", "every": "hour"}}), "/condition"),
        (json!({"quiet_seconds": 86_401}), "/quiet_seconds"),
        (json!({"emails": ["no address"]}), "/emails/0"),
        (json!({"emails": many}), "/emails"),
        (json!({"emails": []}), "/emails"),
        (json!({"secrets": {"secret": CANARY}}), "/secrets"),
        (json!({"webhook": {"url": "ftp://receiver.example/"}}), "/webhook/url"),
        (json!({"webhook": {"url": "http://10.0.0.1/"}}), "/webhook/url"),
        (
            json!({"webhook": {"url": "https://receiver.example/", "headers": {"Host": "x"}}}),
            "/webhook/headers/Host",
        ),
        (
            json!({"webhook": {"url": "https://receiver.example/"}, "secrets": {"secret": "short"}}),
            "/secrets/secret",
        ),
        (
            json!({"webhook": {"url": "https://receiver.example/"}, "secrets": {"token": "x"}}),
            "/secrets/token",
        ),
        (
            json!({"webhook": {"url": "https://receiver.example/", "surprise": 1}}),
            "/webhook/surprise",
        ),
        (json!({"surprise": 1}), "/surprise"),
    ] {
        let mut request = good.clone();
        request
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let answer = server.post(ALERTS, &[], request.to_string().as_bytes());
        assert_eq!(fault(&answer), pointer, "{change}");
    }
    assert_eq!(server.get(ALERTS).json(), json!({"alerts": []}));
    for _ in 0..100 {
        made(&server, &good);
    }
    assert_eq!(
        server.post(ALERTS, &[], good.to_string().as_bytes()).status,
        422,
        "there are a hundred"
    );

    let without_mail = fresh(None);
    let answer = without_mail.post(ALERTS, &[], good.to_string().as_bytes());
    assert_eq!(fault(&answer), "/emails");
}

#[test]
fn a_change_is_made_to_the_version_that_was_read_and_an_alert_that_is_off_tells_nothing() {
    let receiver = Receiver::start();
    let server = fresh(None);
    let request = json!({"name": "x", "condition": {"type": "any"}, "filter": "type:login", "quiet_seconds": 0,
        "webhook": {"url": receiver.url()}});
    let alert = made(&server, &request);
    let shown = server.get(&path(&alert));
    let tag = shown.headers["etag"].clone();
    let put = |tag: &str, body: &Value| {
        let authorization = format!("Bearer {ROOT_KEY}");
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
            ("If-Match", tag),
        ];
        server.send("PUT", &path(&alert), &headers, body.to_string().as_bytes())
    };
    let same = put(&tag, &request);
    assert_eq!((same.status, &same.headers["etag"]), (200, &tag), "nothing changed");
    let mut off = request.clone();
    off["enabled"] = false.into();
    let changed = put(&tag, &off);
    assert_eq!((changed.status, &changed.json()["enabled"]), (200, &json!(false)));
    assert_eq!(put(&tag, &request).status, 412, "it was changed since");
    happens(&server, &sign_in("eve", "Eve"));

    let on = put(&changed.headers["etag"], &request);
    assert_eq!(on.status, 200, "{}", on.text());
    let second = happens(&server, &sign_in("eve", "Eve"));
    server.until("it has come", |_| !receiver.came().is_empty());
    assert_eq!(
        receiver.came()[0].json()["first"]["id"],
        second,
        "what came while it was off is not told"
    );

    let removed = server.send(
        "DELETE",
        &path(&alert),
        &[("Authorization", &format!("Bearer {ROOT_KEY}"))],
        b"",
    );
    assert_eq!((removed.status, server.get(&path(&alert)).status), (204, 404));
    let acts = server
        .get("/v1/organizations/acme/events?q=action:trailbook.alert.changed&order=asc")
        .json();
    let changes: Vec<&Value> = acts["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["changes"][0])
        .collect();
    assert_eq!(
        changes,
        [
            &json!({"field": "enabled", "before": true, "after": false}),
            &json!({"field": "enabled", "before": false, "after": true})
        ]
    );
}
