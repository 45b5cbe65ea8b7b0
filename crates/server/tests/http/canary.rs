//! Canaries: every kind of secret is given to a server, faults are provoked with them, and then everything that the server said and wrote
//! is searched for them: log, answers, metrics, events, files, and every byte of its directory.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    thread,
};

use serde_json::{Value, json};

use crate::server::{Answer, Server, event};

const ROOT: &str = "canary-root-key-0123456789";
const SMTP: &str = "canary-smtp-password";
const PASSWORD: &str = "canary password of ann";
const NEW_PASSWORD: &str = "another canary password of ann";
const WRONG_PASSWORD: &str = "canary that is wrong";
const CLIENT_SECRET: &str = "canary-client-secret";
const ENCRYPTION_KEY: &str = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00";

/// A server, and everything that it has answered but where a secret is handed over.
struct Watched {
    server: Server,
    heard: Vec<u8>,
}

impl Watched {
    fn hand_over(&mut self, method: &str, path: &str, credential: &str, body: &Value) -> Answer {
        let authorization = format!("Bearer {credential}");
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
            ("Trailbook-Console", "1"),
        ];
        self.server.send(method, path, &headers, body.to_string().as_bytes())
    }

    fn ask(&mut self, method: &str, path: &str, credential: &str, body: &Value) -> Answer {
        let answer = self.hand_over(method, path, credential, body);
        self.heard.extend_from_slice(&answer.body);
        for (name, value) in &answer.headers {
            self.heard.extend_from_slice(format!("{name}: {value}\n").as_bytes());
        }
        answer
    }

    /// A secret that the server hands over once, and the answer's other members.
    fn made(&mut self, path: &str, body: &Value, secret: &str) -> String {
        let answer = self.hand_over("POST", path, ROOT, body);
        assert_eq!(answer.status, 201, "{path}: {}", answer.text());
        answer.json()[secret].as_str().unwrap().to_owned()
    }
}

/// An identity provider that describes itself, and nothing more; its address.
fn provider() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let at = issuer.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().unwrap().unwrap();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let body = if first.contains("jwks") {
                json!({"keys": []})
            } else {
                json!({"issuer": at, "authorization_endpoint": format!("{at}/auth"), "token_endpoint": format!("{at}/token"),
                    "userinfo_endpoint": format!("{at}/me"), "jwks_uri": format!("{at}/jwks"), "response_types_supported": ["code"],
                    "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
                    "code_challenge_methods_supported": ["S256"]})
            };
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).unwrap();
        }
    });
    issuer
}

fn bytes_below(directory: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes_below(&path, found);
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn no_secret_is_in_anything_that_the_server_says_or_writes() {
    let directory = tempfile::tempdir().unwrap();
    let smtp = format!("smtp://post:{SMTP}@127.0.0.1:9");
    let environment = [
        ("TRAILBOOK_ROOT_KEY", ROOT),
        ("TRAILBOOK_SMTP_URL", smtp.as_str()),
        ("TRAILBOOK_MAIL_FROM", "log@example.com"),
        ("TRAILBOOK_PUBLIC_URL", "http://127.0.0.1:1"),
        ("TRAILBOOK_ENCRYPTION_KEY", ENCRYPTION_KEY),
        ("TRAILBOOK_LOG", "debug"),
        ("TRAILBOOK_PRIVATE_DESTINATIONS", "127.0.0.1"),
    ];
    let mut watched = Watched {
        server: Server::start_with(directory, &environment),
        heard: Vec::new(),
    };
    let acme = "/v1/organizations/acme";
    assert_eq!(watched.ask("POST", "/v1/events", ROOT, &event("acme", 1)).status, 201);
    let key = watched.made(
        "/v1/keys",
        &json!({"name": "k", "scopes": ["admin", "events:read"]}),
        "key",
    );
    let actor = json!({"id": "u_1", "role": "owner"});
    let token = watched.made(&format!("{acme}/viewer-tokens"), &json!({ "actor": actor }), "token");
    let ann = json!({"email": "ann@acme.example", "role": "owner", "password": PASSWORD});
    assert_eq!(watched.ask("POST", &format!("{acme}/users"), ROOT, &ann).status, 201);
    let sign_in = json!({"email": "ann@acme.example", "password": PASSWORD, "organization": "acme"});
    let signed_in = watched.hand_over("POST", "/auth/sign-in", "", &sign_in);
    assert_eq!(signed_in.status, 200, "{}", signed_in.text());
    let cookie = signed_in.headers["set-cookie"].split(';').next().unwrap().to_owned();
    let session = cookie.split_once('=').unwrap().1.to_owned();
    let eve = json!({"email": "eve@acme.example", "role": "member", "deliver": "answer"});
    let invitation = watched.made(&format!("{acme}/users"), &eve, "link");
    let link = invitation.split_once('#').unwrap().1;
    assert!(link.starts_with("tb_link_"));
    let provider = json!({"issuer": provider(), "client_id": "trailbook", "client_secret": CLIENT_SECRET,
        "roles": {"staff": "auditor"}});
    let set = watched.ask("PUT", &format!("{acme}/single-sign-on"), ROOT, &provider);
    assert_eq!(set.status, 200, "{}", set.text());
    // Faults with secrets in them.
    let wrong = json!({"email": "ann@acme.example", "password": WRONG_PASSWORD, "organization": "acme"});
    assert_eq!(watched.ask("POST", "/auth/sign-in", "", &wrong).status, 401);
    let faults = [
        (
            "GET",
            format!("{acme}/events?q={key}:("),
            key.as_str(),
            Value::Null,
            400,
        ),
        ("GET", format!("{acme}/events?unknown=1"), &token, Value::Null, 400),
        ("GET", format!("/v1/nothing/{}", &token[..8]), &token, Value::Null, 404),
        (
            "POST",
            format!("{acme}/users"),
            ROOT,
            json!({"email": 1, "password": PASSWORD}),
            422,
        ),
        (
            "PUT",
            format!("{acme}/single-sign-on"),
            ROOT,
            json!({"client_secret": CLIENT_SECRET, "issuer": 1}),
            422,
        ),
        (
            "POST",
            "/auth/password".into(),
            "",
            json!({"token": session, "password": NEW_PASSWORD}),
            422,
        ),
        (
            "POST",
            "/auth/password".into(),
            "",
            json!({"token": link, "password": "short"}),
            422,
        ),
        // The mail server does not answer, which nobody is told.
        (
            "POST",
            "/auth/password-reset".into(),
            "",
            json!({"email": "ann@acme.example", "organization": "acme"}),
            202,
        ),
    ];
    for (method, path, credential, body, status) in faults {
        let answer = watched.ask(method, &path, credential, &body);
        assert_eq!(answer.status, status, "{method} {}", path.split('?').next().unwrap());
    }
    let headers = [
        ("Cookie", cookie.as_str()),
        ("Trailbook-Console", "1"),
        ("Content-Type", "application/json"),
    ];
    let change = json!({"current": PASSWORD, "new": NEW_PASSWORD}).to_string();
    let changed = watched
        .server
        .send("POST", "/auth/password-change", &headers, change.as_bytes());
    assert!(matches!(changed.status, 200 | 204), "{}", changed.text());
    watched.heard.extend_from_slice(&changed.body);
    // Everything that can be read.
    for path in [
        "/v1/keys",
        "/v1/projects/default",
        "/metrics",
        "/openapi.json",
        "/v1/stats",
    ] {
        watched.ask("GET", path, ROOT, &Value::Null);
    }
    for organization in ["acme", "_system"] {
        for path in [
            "",
            "/events?limit=1000",
            "/events.csv",
            "/events.jsonl",
            "/events.evidence",
            "/viewer-tokens",
            "/users",
            "/policy",
        ] {
            watched.ask(
                "GET",
                &format!("/v1/organizations/{organization}{path}"),
                ROOT,
                &Value::Null,
            );
        }
    }
    watched.ask("GET", &format!("{acme}/single-sign-on"), ROOT, &Value::Null);
    let log = watched.server.log();
    assert!(log.contains("request"), "the log speaks of requests");
    let (code, directory) = watched.server.stop();
    assert_eq!(code, Some(0));
    let mut said = vec![("answers".to_owned(), watched.heard)];
    bytes_below(directory.path(), &mut said);
    assert!(said.iter().any(|(name, _)| name.ends_with("trailbook.db")));
    let secrets = [
        ROOT,
        SMTP,
        PASSWORD,
        NEW_PASSWORD,
        WRONG_PASSWORD,
        CLIENT_SECRET,
        ENCRYPTION_KEY,
        &key[..20],
        &token[..20],
        &session[..20],
        &link[..20],
    ];
    for secret in secrets {
        for (name, bytes) in &said {
            assert!(!contains(bytes, secret), "{secret} is in {name}");
        }
    }
}
