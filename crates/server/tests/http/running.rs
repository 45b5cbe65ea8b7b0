//! Starting, stopping, and what the log may say.

use std::{
    fs,
    io::{Read, Write},
    process::Command,
};

use crate::server::{ROOT_KEY, Server, answer, event};

const SIGTERM: u32 = 15;

/// What tells a client that its body is waited for.
const CONTINUE: &[u8; 25] = b"HTTP/1.1 100 Continue\r\n\r\n";

#[test]
fn a_made_root_key_is_shown_once_works_and_stays() {
    let server = Server::start_with(tempfile::tempdir().unwrap(), &[]);
    let log = server.log();
    let key = log
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("tb_root_"))
        .expect("shown")
        .to_owned();
    let works = |server: &Server| {
        let authorization = format!("Bearer {key}");
        let headers = [("Authorization", authorization.as_str())];
        server
            .send("POST", "/v1/events", &headers, event("acme", 0).to_string().as_bytes())
            .status
    };
    assert_eq!(works(&server), 201);
    let (_, directory) = server.stop();
    let again = Server::start_with(directory, &[]);
    assert_eq!(works(&again), 201);
    assert_eq!(again.log().matches("tb_root_").count(), 1);
}

#[test]
fn keys_queries_and_events_are_never_logged() {
    let server = Server::start_with(
        tempfile::tempdir().unwrap(),
        &[("TRAILBOOK_ROOT_KEY", ROOT_KEY), ("TRAILBOOK_LOG", "trace")],
    );
    let mut canary = event("acme", 0);
    canary["description"] = serde_json::json!("canary-in-the-event");
    server.ingest(&canary);
    server.get("/v1/organizations/acme/events?q=canary-in-the-query");
    server.send(
        "GET",
        "/v1/events",
        &[("Authorization", "Bearer canary-wrong-key")],
        b"",
    );
    server.post(
        "/v1/events",
        &[("Idempotency-Key", "canary-in-the-header")],
        b"{\"canary-in-the-body\":1}",
    );
    let log = server.log();
    assert!(log.contains("request_id"), "requests are logged");
    assert!(!log.contains("canary") && !log.contains(ROOT_KEY));
}

#[test]
fn who_has_the_address_can_stop_the_server_in_order() {
    for _ in 0..5 {
        let server = Server::start();
        assert!(server.catches(SIGTERM), "a signal now would kill it");
        assert_eq!(server.stop().0, Some(0));
    }
}

#[test]
fn a_stop_finishes_what_is_in_flight() {
    let server = Server::start();
    let body = event("acme", 0).to_string();
    let mut stream = server.connect();
    let (head, tail) = body.split_at(20);
    write!(
        stream,
        "POST /v1/events HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {ROOT_KEY}\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n{head}",
        body.len()
    )
    .unwrap();
    // Says that the request is being worked on: a connection of which nothing was read yet is closed by a stop.
    let mut goes_on = [0; CONTINUE.len()];
    stream.read_exact(&mut goes_on).unwrap();
    assert_eq!(goes_on, *CONTINUE);
    server.terminate();
    server.until("the signal is noticed", |server| server.log().contains("stopping"));
    stream.write_all(tail.as_bytes()).unwrap();
    assert_eq!(answer(stream).status, 201);
    let directory = stopped_without_cutting_off(server);
    let again = Server::start_with(directory, &[("TRAILBOOK_ROOT_KEY", ROOT_KEY)]);
    assert_eq!(again.count("acme"), 1);
}

#[test]
fn a_stop_ends_live_feeds() {
    let server = Server::start();
    server.fill("acme", 1);
    let mut stream = server.connect();
    write!(
        stream,
        "GET /v1/organizations/acme/events/live HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {ROOT_KEY}\r\n\r\n"
    )
    .unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    stopped_without_cutting_off(server);
}

/// Stops a server that nothing holds up until it cuts that off; the directory for a further start.
fn stopped_without_cutting_off(server: Server) -> tempfile::TempDir {
    let (code, directory) = server.stop();
    assert_eq!(code, Some(0));
    let log = fs::read_to_string(directory.path().join("log")).unwrap();
    assert!(log.contains("stopped") && !log.contains("cut off"), "{log}");
    directory
}

#[test]
fn a_second_process_on_the_same_directory_is_refused_clearly() {
    let server = Server::start();
    let second = Command::new(env!("CARGO_BIN_EXE_trailbook"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(server.data())
        .env("TRAILBOOK_ROOT_KEY", ROOT_KEY)
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use"), "{second:?}");
    assert!(second.stdout.is_empty());
}

#[test]
fn a_bad_configuration_exits_with_78_and_names_every_fault() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("t.toml");
    fs::write(&file, "lisen = '127.0.0.1:0'\nbatch_events_max = 'many'\n").unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trailbook"));
        let output = command
            .arg("serve")
            .args(arguments)
            .env("TRAILBOOK_ROOT_KEY", "short")
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = run(&["--config", file.to_str().unwrap()]);
    assert_eq!(code, Some(78));
    assert!(
        text.contains("t.toml, line 1: unknown key \"lisen\"; did you mean \"listen\"?"),
        "{text}"
    );
    let (code, text) = run(&["--listen", "nowhere"]);
    assert_eq!(code, Some(78));
    assert!(
        text.contains("--listen") && text.contains("root_key") && !text.contains("short"),
        "{text}"
    );
}

#[test]
fn fsck_finds_a_used_directory_clean_and_refuses_another() {
    let server = Server::start();
    server.fill("acme", 300);
    let (_, directory) = server.stop();
    let fsck = |path: std::path::PathBuf| {
        Command::new(env!("CARGO_BIN_EXE_trailbook"))
            .args(["fsck", "--data"])
            .arg(path)
            .output()
            .unwrap()
    };
    let clean = fsck(directory.path().join("data"));
    assert_eq!(clean.status.code(), Some(0), "{clean:?}");
    assert!(
        String::from_utf8_lossy(&clean.stdout).contains("301 events"),
        "{clean:?}"
    );
    let elsewhere = directory.path().join("elsewhere");
    assert_eq!(fsck(elsewhere.clone()).status.code(), Some(2));
    assert!(!elsewhere.exists(), "looking makes nothing");
}
