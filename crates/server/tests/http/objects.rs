//! A server whose objects are in S3: it seals there, forgets its copies, and answers the same.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::json;
use trailbook_testkit_s3::{Faults, Server as Store, Settings};

use crate::server::{ROOT_KEY, Server, event};

const PATIENCE: Duration = Duration::from_secs(30);

fn store(directory: &tempfile::TempDir) -> Store {
    let settings = Settings {
        directory: directory.path().to_owned(),
        bucket: "log".to_owned(),
        access_key: "AK".to_owned(),
        secret_key: "hunter2-hunter2".to_owned(),
        port: 0,
    };
    Store::start(settings).unwrap()
}

fn start(store: &Store, directory: tempfile::TempDir) -> Server {
    let endpoint = store.endpoint();
    let environment = [
        ("TRAILBOOK_ROOT_KEY", ROOT_KEY),
        ("TRAILBOOK_OBJECTS", "s3://log/audit"),
        ("TRAILBOOK_OBJECTS_ENDPOINT", endpoint.as_str()),
        ("TRAILBOOK_OBJECTS_ACCESS_KEY", "AK"),
        ("TRAILBOOK_OBJECTS_SECRET_KEY", "hunter2-hunter2"),
        ("TRAILBOOK_SEAL_AGE_MS", "1000"),
    ];
    Server::start_with(directory, &environment)
}

/// The value of a measure without labels.
fn measure(server: &Server, name: &str) -> f64 {
    let text = server.get("/metrics").text();
    let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
    line.map_or(0.0, |line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
}

#[test]
fn sealed_events_are_in_the_bucket_and_are_read_from_there() {
    let bucket = tempfile::tempdir().unwrap();
    let store = store(&bucket);
    let server = start(&store, tempfile::tempdir().unwrap());
    let events: Vec<_> = (0..50).map(|number| event("acme", number)).collect();
    server.ingest(&json!({"events": events}));
    let sealed = Instant::now() + PATIENCE;
    while measure(&server, "trailbook_tail_events") > 0.0 {
        assert!(Instant::now() < sealed, "{}", server.log());
    }
    let listed = server.get("/v1/organizations/acme/events?limit=50").json();
    assert_eq!(listed["events"].as_array().unwrap().len(), 50, "{listed}");
    let (code, directory) = server.stop();
    assert_eq!(code, Some(0));
    assert!(fs::read_dir(bucket.path().join("log/audit/segments")).unwrap().count() >= 2);
    assert!(!directory.path().join("data/objects").exists());

    fs::remove_dir_all(directory.path().join("data/cache")).unwrap();
    store.fail(Faults {
        error_rate: 0.2,
        ..Faults::default()
    });
    let server = start(&store, directory);
    assert_eq!(
        server.get("/v1/organizations/acme/events?limit=50").json()["events"],
        listed["events"]
    );
    assert!(measure(&server, "trailbook_object_cache_misses_total") > 0.0);
    assert!(measure(&server, "trailbook_object_cache_bytes") > 0.0);
    assert!(!server.log().contains("hunter2-hunter2"));
    store.fail(Faults::default());
    assert_eq!(server.stop().0, Some(0));
}
