//! The viewer in pages of others, as browsers see it: who may frame the page, and whose scripts may read answers.

use serde_json::json;

use crate::server::{Answer, ROOT_KEY, Server};

const HOST: &str = "https://app.example";
const ALLOWED: &str = "access-control-allow-origin";

/// A server with `acme`, which may be embedded by `HOST`, and `beta`, which may not.
fn server() -> Server {
    let server = Server::start();
    server.fill("acme", 3);
    server.fill("beta", 1);
    lists(&server, "/v1/organizations/acme", &[HOST, "http://localhost:3000"]);
    server
}

fn lists(server: &Server, path: &str, origins: &[&str]) {
    let answer = server.put(path, &json!({"policy": {"embed_origins": origins}}));
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
}

fn framed_by(server: &Server, path: &str) -> String {
    let page = server.send("GET", path, &[], b"");
    assert_eq!(page.status, 200, "{path}");
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert!(!page.headers.contains_key("x-frame-options"), "{path}");
    assert_eq!(page.headers["cache-control"], "no-store", "{path}");
    let policy = &page.headers["content-security-policy"];
    assert!(policy.starts_with("default-src 'self'; base-uri 'none';"), "{policy}");
    policy.split_once("frame-ancestors ").unwrap().1.to_owned()
}

#[test]
fn the_page_is_framed_by_whom_the_organization_lists_and_every_other_page_by_nobody() {
    let server = server();
    assert_eq!(
        framed_by(&server, "/embed/acme?range=last_7_days"),
        format!("{HOST} http://localhost:3000")
    );
    assert_eq!(framed_by(&server, "/embed/beta"), "'none'");
    assert_eq!(framed_by(&server, "/embed/nobody"), "'none'");
    assert_eq!(framed_by(&server, "/embed/acme?project=nothing"), "'none'");
    for path in ["/", "/acme", "/docs/api"] {
        let page = server.send("GET", path, &[("Accept", "text/html")], b"");
        assert_eq!(page.headers["x-frame-options"], "DENY", "{path}");
        let policy = &page.headers["content-security-policy"];
        assert!(policy.ends_with("frame-ancestors 'none'"), "{path}: {policy}");
    }
    lists(&server, "/v1/organizations/acme", &[]);
    assert_eq!(framed_by(&server, "/embed/acme"), "'none'", "at once");
}

#[test]
fn the_page_does_not_tell_which_organizations_of_a_project_there_are() {
    let server = server();
    lists(&server, "/v1/projects/default", &["https://all.example"]);
    for name in ["beta", "nobody", "b%2Fc"] {
        assert_eq!(
            framed_by(&server, &format!("/embed/{name}")),
            "https://all.example",
            "{name}"
        );
    }
    assert_eq!(
        framed_by(&server, "/embed/_system"),
        "'none'",
        "it inherits nothing of the project"
    );
}

/// What a page's script is answered.
fn asked(server: &Server, origin: &str, headers: &[(&str, &str)], path: &str) -> Answer {
    let mut all = vec![("Origin", origin)];
    all.extend_from_slice(headers);
    server.send("GET", path, &all, b"")
}

const EVENTS: &str = "/v1/organizations/acme/events";

#[test]
fn scripts_of_listed_origins_read_answers_and_refusals_and_no_others_do() {
    let server = server();
    let key = format!("Bearer {ROOT_KEY}");
    let key = ("Authorization", key.as_str());
    let readable = |answer: &Answer| {
        assert_eq!(answer.headers["vary"], "Origin");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
        answer.headers.get(ALLOWED).cloned()
    };
    for (path, status) in [
        (EVENTS, 200),
        ("/v1/organizations/acme/events.csv", 200),
        ("/v1/organizations/acme/events/nothing", 404),
        ("/v1/organizations/acme/events?q=(", 400),
    ] {
        let answer = asked(&server, HOST, &[key], path);
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(readable(&answer).as_deref(), Some(HOST), "{path}");
        assert_eq!(
            answer.headers["access-control-expose-headers"],
            "Retry-After, Trailbook-Warning, Content-Disposition"
        );
    }
    let expired = asked(&server, HOST, &[("Authorization", "Bearer tb_view_over")], EVENTS);
    assert_eq!((expired.status, readable(&expired).as_deref()), (401, Some(HOST)));

    for origin in [
        "https://evil.example",
        "https://app.example.evil",
        "http://app.example",
        "null",
        "*",
    ] {
        assert_eq!(readable(&asked(&server, origin, &[key], EVENTS)), None, "{origin}");
    }
    let another = asked(&server, HOST, &[key], "/v1/organizations/beta/events");
    assert_eq!((another.status, readable(&another)), (200, None));
    assert_eq!(readable(&server.send("GET", EVENTS, &[key], b"")), None, "no page");
    let itself = asked(&server, HOST, &[key], "/v1/organizations/acme");
    assert!(itself.status == 200 && !itself.headers.contains_key(ALLOWED));
}

#[test]
fn a_preflight_needs_no_credential_and_tells_only_listed_origins_something() {
    let server = server();
    let preflight = |origin: &str, path: &str| {
        let headers = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "GET"),
            ("Access-Control-Request-Headers", "authorization"),
        ];
        server.send("OPTIONS", path, &headers, b"")
    };
    let leave = preflight(HOST, EVENTS);
    assert_eq!((leave.status, leave.body.len()), (204, 0));
    assert_eq!(leave.headers[ALLOWED], HOST);
    assert_eq!(leave.headers["access-control-allow-methods"], "GET, POST, PUT, DELETE");
    assert_eq!(
        leave.headers["access-control-allow-headers"],
        "Authorization, Content-Type, Trailbook-Project, Last-Event-ID, If-Match"
    );
    assert_eq!(leave.headers["access-control-max-age"], "600");
    for (origin, path) in [
        ("https://evil.example", EVENTS),
        (HOST, "/v1/organizations/beta/events"),
        (HOST, "/v1/organizations/nobody/events"),
        (HOST, "/v1/organizations/acme"),
        (HOST, "/v1/keys"),
    ] {
        let refused = preflight(origin, path);
        assert_eq!(refused.status, 401, "{origin} {path}");
        assert!(!refused.headers.contains_key(ALLOWED), "{origin} {path}");
    }
    let plain = server.send("OPTIONS", EVENTS, &[("Origin", HOST)], b"");
    assert_eq!(plain.status, 401, "without the method it asks for, it is no preflight");
}

#[test]
fn a_preflight_counts_every_project_and_the_request_its_own() {
    let server = server();
    let made = server.put("/v1/projects/other", &json!({"organizations": "auto"}));
    assert_eq!(made.status, 201, "{}", made.text());
    lists(&server, "/v1/projects/other", &["https://other.example"]);
    let stored = server.post(
        "/v1/events",
        &[("Trailbook-Project", "other")],
        json!({"organization": "shop:one", "action": "a.b", "actor": {"id": "u"}})
            .to_string()
            .as_bytes(),
    );
    assert_eq!(stored.status, 201, "{}", stored.text());
    let path = "/v1/organizations/shop%3Aone/events";
    let origin = "https://other.example";
    let headers = [("Origin", origin), ("Access-Control-Request-Method", "GET")];
    assert_eq!(server.send("OPTIONS", path, &headers, b"").status, 204);

    let key = format!("Bearer {ROOT_KEY}");
    let headers = [("Authorization", key.as_str()), ("Trailbook-Project", "other")];
    let answer = asked(&server, origin, &headers, path);
    assert_eq!((answer.status, &*answer.headers[ALLOWED]), (200, origin));
    let answer = asked(&server, origin, &headers[..1], path);
    assert!(
        answer.status == 404 && !answer.headers.contains_key(ALLOWED),
        "the default project's"
    );
}
