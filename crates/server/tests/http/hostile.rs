//! What must be refused: with a 4xx, nothing stored, the process healthy and its memory bounded.

use std::io::Write;

use serde_json::json;

use crate::server::{ROOT_KEY, Server, answer, event};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8], level: i32) -> Vec<u8> {
    zstd::encode_all(bytes, level).unwrap()
}

/// A body's head and tail around a text that stands in a string.
fn with_message(text: &[u8]) -> Vec<u8> {
    [
        br#"{"organization":"acme","action":"a","actor":{"id":"u"},"message":""#,
        text,
        br#""}"#,
    ]
    .concat()
}

#[test]
fn bodies_that_are_not_json_are_400() {
    let server = Server::start();
    let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
    let bodies: [&[u8]; 12] = [
        b"",
        b" ",
        b"{",
        b"nul",
        b"{\"a\":01}",
        b"{\"a\":NaN}",
        b"{'a':1}",
        b"{\"a\":1,}",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe",
        b"{} {}",
        &with_message(b"\xc0\xaf"),
    ];
    for body in bodies {
        let answer = server.post("/v1/events", &[], body);
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "malformed-json"),
            "{:?}",
            String::from_utf8_lossy(body)
        );
    }
    assert!((400..=422).contains(&server.post("/v1/events", &[], &deep).status));
    assert_eq!(server.count("acme"), 0);
}

#[test]
fn values_that_would_not_come_back_the_same_are_422_with_a_pointer() {
    let server = Server::start();
    let raw = |text: &str| {
        format!(r#"{{"organization":"acme","action":"a","actor":{{"id":"u"}},"metadata":{{"v":{text}}}}}"#)
    };
    for value in [
        "9007199254740992",
        "-9007199254740993",
        "1e400",
        r#""\ud800""#,
        r#""\u0000""#,
        r#"{"a":1,"a":2}"#,
    ] {
        let answer = server.post("/v1/events", &[], raw(value).as_bytes());
        assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid"), "{value}");
        let pointer = answer.json()["errors"][0]["pointer"].as_str().unwrap().to_owned();
        assert!(pointer.starts_with("/metadata/v"), "{value}: {pointer}");
    }
    for value in ["9007199254740991", "-0", "1e2", r#""\ud83d\ude00""#] {
        assert_eq!(
            server.post("/v1/events", &[], raw(value).as_bytes()).status,
            201,
            "{value}"
        );
    }
}

#[test]
fn decompression_bombs_are_413_and_cost_no_memory() {
    let server = Server::start();
    server.fill("acme", 1);
    let before = server.resident_bytes();
    let bomb = vec![b' '; 64 << 20];
    let (gzip_bomb, zstd_bomb) = (gzip(&bomb), zstd(&bomb, 19));
    let nested = zstd(&zstd(&bomb, 3), 3);
    for _ in 0..3 {
        for (encoding, body) in [("gzip", &gzip_bomb), ("zstd", &zstd_bomb)] {
            let answer = server.post("/v1/events", &[("Content-Encoding", encoding)], body);
            assert_eq!((answer.status, answer.problem().as_str()), (413, "body-too-large"));
        }
    }
    assert_eq!(
        server
            .post("/v1/events", &[("Content-Encoding", "zstd, zstd")], &nested)
            .problem(),
        "unsupported-media-type"
    );
    assert_eq!(
        server.post("/v1/events", &[("Content-Encoding", "br")], b"x").problem(),
        "unsupported-media-type"
    );
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < 64 << 20, "resident memory grew by {grown} bytes");
    assert_eq!(server.send("GET", "/readyz", &[], b"").status, 200);
    assert_eq!(server.count("acme"), 1);
}

#[test]
fn damaged_encodings_are_400_and_sound_ones_are_read() {
    let server = Server::start();
    let body = event("acme", 0).to_string().into_bytes();
    let halves = [gzip(&body[..20]), gzip(&body[20..])].concat();
    for (encoding, sent) in [
        ("gzip", gzip(&body)),
        ("gzip", halves),
        ("zstd", zstd(&body, 3)),
        ("identity", body.clone()),
    ] {
        assert_eq!(
            server
                .post("/v1/events", &[("Content-Encoding", encoding)], &sent)
                .status,
            201,
            "{encoding}"
        );
    }
    // A zstd frame header that asks for a window of 2 GiB.
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00];
    let cut = gzip(&body)[..40].to_vec();
    for (encoding, sent) in [
        ("gzip", body.clone()),
        ("zstd", body.clone()),
        ("gzip", cut),
        ("zstd", window.to_vec()),
    ] {
        let answer = server.post("/v1/events", &[("Content-Encoding", encoding)], &sent);
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "malformed-body"),
            "{encoding}"
        );
    }
    assert_eq!(server.count("acme"), 4);
}

#[test]
fn sizes_are_bounded_as_documented() {
    let server = Server::start();
    let large = with_message(&b"x".repeat((1 << 20) - 70));
    assert_eq!(
        server.post("/v1/events", &[], &large[..]).status,
        201,
        "an event of {} bytes",
        large.len()
    );
    let answer = server.post("/v1/events", &[], &with_message(&b"x".repeat(1 << 20)));
    assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid"));
    let answer = server.post("/v1/events", &[], &b" ".repeat((16 << 20) + 1));
    assert_eq!((answer.status, answer.problem().as_str()), (413, "body-too-large"));
    let many: Vec<_> = (0..10_001)
        .map(|_| json!({ "organization": "acme", "action": "a", "actor": { "id": "u" } }))
        .collect();
    assert_eq!(server.ingest(&json!({ "events": many })).problem(), "invalid");
    assert_eq!(server.count("acme"), 1);
}

#[test]
fn other_content_types_are_415() {
    let server = Server::start();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin1",
        "multipart/form-data",
    ] {
        assert_eq!(
            server.post("/v1/events", &[("Content-Type", kind)], b"{}").problem(),
            "unsupported-media-type",
            "{kind}"
        );
    }
    let kind = [("Content-Type", "application/json; charset=UTF-8")];
    assert_eq!(
        server
            .post("/v1/events", &kind, event("acme", 0).to_string().as_bytes())
            .status,
        201
    );
}

#[test]
fn framing_that_could_smuggle_is_refused_and_closed() {
    let server = Server::start();
    let body = event("acme", 0).to_string();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {ROOT_KEY}\r\nContent-Type: application/json\r\n"
    );
    let length = body.len();
    let attempts = [
        format!(
            "{head}Content-Length: {length}\r\nContent-Length: {}\r\n\r\n{body}",
            length - 1
        ),
        format!("{head}Content-Length: -1\r\n\r\n{body}"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\nZZ\r\n{body}\r\n0\r\n\r\n"),
        format!("{head}Transfer-Encoding: gzip\r\n\r\n{body}"),
        format!("GET /healthz HTTP/1.1\r\nHost: t\r\nX: {}\r\n\r\n", "x".repeat(1 << 20)),
        format!(
            "GET /healthz HTTP/1.1\r\nHost: t\r\n{}\r\n",
            "X-Header: 1\r\n".repeat(1_000)
        ),
        "GET /healthz HTTP/9.9\r\n\r\n".to_owned(),
        "\0\0\0\0 nonsense\r\n\r\n".to_owned(),
    ];
    for attempt in attempts {
        let mut stream = server.connect();
        let _ = stream.write_all(attempt.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut text = String::new();
        let _ = std::io::Read::read_to_string(&mut stream, &mut text);
        let status = text.split(' ').nth(1).unwrap_or_default();
        assert!(
            text.is_empty() || status.starts_with('4') || status == "501",
            "{:?} got {text}",
            &attempt[..60]
        );
    }
    assert_eq!(server.count("acme"), 0);
}

#[test]
fn a_body_shorter_than_announced_stores_nothing() {
    let server = Server::start();
    let body = event("acme", 0).to_string();
    let mut stream = server.connect();
    let length = body.len() + 10;
    write!(stream, "POST /v1/events HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {ROOT_KEY}\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut text = String::new();
    let _ = std::io::Read::read_to_string(&mut stream, &mut text);
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 400"), "{text}");
    assert_eq!(server.count("acme"), 0);
}

#[test]
fn a_chunked_body_is_bounded_while_it_arrives() {
    let server = Server::start();
    let mut stream = server.connect();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: t\r\nConnection: close\r\nAuthorization: Bearer {ROOT_KEY}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = [
        format!("{:x}\r\n", 1 << 20).into_bytes(),
        vec![b' '; 1 << 20],
        b"\r\n".to_vec(),
    ]
    .concat();
    for _ in 0..17 {
        if stream.write_all(&chunk).is_err() {
            break;
        }
    }
    assert_eq!(answer(stream).status, 413);
}

#[test]
fn strange_texts_are_kept_as_they_are_in_one_record() {
    let server = Server::start();
    let strange = "a\r\nb\u{1b}[31m\u{202e}\u{2028}\u{200b}а".to_owned() + &"\u{301}".repeat(300);
    let mut event = event("acme", 0);
    event["description"] = json!(strange);
    assert_eq!(server.ingest(&event).status, 201);
    assert_eq!(
        server.get("/v1/organizations/acme/events").json()["events"][0]["description"],
        json!(strange)
    );
    assert_eq!(
        server.get("/v1/organizations/acme/events.jsonl").text().lines().count(),
        1
    );
}

#[test]
fn strange_names_in_paths_find_nothing_and_touch_nothing() {
    let server = Server::start();
    server.fill("acme", 1);
    let long = "x".repeat(10 << 10);
    for name in [
        "..",
        "%2e%2e",
        "..%2f..%2fetc",
        "acme%00",
        "%ff",
        "ACME",
        "acme%20",
        "%61cme%2f",
        &long,
        "%0d%0aSet-Cookie:x",
    ] {
        let status = server.get(&format!("/v1/organizations/{name}/events")).status;
        assert!([400, 404, 414].contains(&status), "{name} got {status}");
    }
    for id in ["..", "%2e%2e%2f", "1%27%20OR%201=1", "01936f3a", &long] {
        assert_eq!(
            server.get(&format!("/v1/organizations/acme/events/{id}")).status,
            404,
            "{id}"
        );
    }
    for path in [
        "/../../etc/passwd",
        "/assets/../../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "//etc/passwd",
    ] {
        assert_eq!(server.send("GET", path, &[], b"").status, 404, "{path}");
    }
}

#[test]
fn impossible_times_are_refused() {
    let server = Server::start();
    for time in [
        "2026-11-20T09:14:07",
        "2026-W47-5",
        "2026-11-20T09:14:61Z",
        "2026-02-30T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "now",
        "",
    ] {
        let mut event = event("acme", 0);
        event["occurred_at"] = json!(time);
        let answer = server.ingest(&event);
        assert_eq!(answer.status, 422, "{time}");
        assert_eq!(answer.json()["errors"][0]["pointer"], "/occurred_at", "{time}");
    }
    let mut old = event("acme", 0);
    old["occurred_at"] = json!("1970-01-01T01:00:00+01:00");
    assert_eq!(server.ingest(&old).status, 201);
    assert_eq!(
        server.get("/v1/organizations/acme/events").json()["events"][0]["occurred_at"],
        "1970-01-01T00:00:00.000Z"
    );
}

#[test]
fn parameters_are_strict_on_every_route() {
    let server = Server::start();
    let id = server.fill("acme", 3)["events"][0]["id"].as_str().unwrap().to_owned();
    let single = format!("events/{id}");
    for route in [
        "events",
        "events/count",
        "events/facets?field=area",
        "events/histogram",
        "events/live",
        "traces/trace-0",
        "policy",
        "events.csv",
        "events.jsonl",
        "events.evidence",
        "checkpoint",
        "checkpoint-key",
        "consistency?from=1&to=2",
        "tlog/checkpoint",
        &single,
    ] {
        let separator = if route.contains('?') { '&' } else { '?' };
        let answer = server.get(&format!("/v1/organizations/acme/{route}{separator}surprise=1"));
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "invalid-parameter"),
            "{route}"
        );
    }
    assert_eq!(server.post("/v1/events?surprise=1", &[], b"{}").status, 400);
    assert_eq!(server.post("/v1/events?mapping=none", &[], b"{}").status, 400);
    for query in [
        "limit=0",
        "limit=1001",
        "order=up",
        "q=a&q=b",
        "from=2026-11-20T00:00:00",
        "ip=999.1.1.1",
        "metadata.raw=x",
        "actor=",
    ] {
        assert_eq!(
            server.get(&format!("/v1/organizations/acme/events?{query}")).status,
            400,
            "{query}"
        );
    }
    let bad = server.get("/v1/organizations/acme/events?q=actor:(");
    assert_eq!(
        (bad.problem().as_str(), bad.json()["column"].is_u64()),
        ("invalid-query", true)
    );
}

#[test]
fn names_of_trailbooks_own_are_refused() {
    let server = Server::start();
    for (member, value) in [("organization", "_system"), ("action", "trailbook.login")] {
        let mut event = event("acme", 0);
        event[member] = json!(value);
        let answer = server.ingest(&event);
        assert_eq!(
            (answer.status, &answer.json()["errors"][0]["pointer"]),
            (422, &json!(format!("/{member}")))
        );
    }
}
