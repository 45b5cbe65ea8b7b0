//! The server as its tests use it: objects, signatures, every fault, the control address.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, path::Path};
use tempfile::TempDir;
use trailbook_testkit_s3::{Faults, Server, Settings};

fn settings(directory: &TempDir) -> Settings {
    Settings {
        directory: directory.path().to_owned(),
        bucket: "log".to_owned(),
        access_key: "key".to_owned(),
        secret_key: "secret".to_owned(),
        port: 0,
    }
}

async fn put(store: &dyn ObjectStore, name: &str, bytes: &'static [u8]) -> object_store::Result<()> {
    store
        .put(&Path::from(name), PutPayload::from_static(bytes))
        .await
        .map(drop)
}

async fn get(store: &dyn ObjectStore, name: &str) -> object_store::Result<Vec<u8>> {
    Ok(store.get(&Path::from(name)).await?.bytes().await?.to_vec())
}

#[tokio::test]
async fn it_keeps_objects_and_checks_who_asks() {
    let directory = TempDir::new().unwrap();
    let server = Server::start(settings(&directory)).unwrap();
    let store = server.store().unwrap();
    put(&*store, "a/b", b"hello").await.unwrap();
    assert_eq!(get(&*store, "a/b").await.unwrap(), b"hello");
    let range = store.get_range(&Path::from("a/b"), 1..3).await.unwrap();
    assert_eq!(&range[..], b"el");
    let listed: Vec<_> = store.list(Some(&Path::from("a"))).try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(server.count()["PUT"], 1);

    drop(server);
    let stranger = Server::start(Settings {
        secret_key: "other".to_owned(),
        ..settings(&directory)
    })
    .unwrap();
    let port = stranger.endpoint().rsplit_once(':').unwrap().1.parse().unwrap();
    let known = stranger.store().unwrap();
    drop(stranger);
    let _server = Server::start(Settings {
        port,
        ..settings(&directory)
    })
    .unwrap();
    let refused = get(&*known, "a/b").await.unwrap_err();
    assert!(
        matches!(refused, object_store::Error::PermissionDenied { .. }),
        "{refused}"
    );
}

#[tokio::test]
async fn every_fault_does_what_it_says() {
    let directory = TempDir::new().unwrap();
    let server = Server::start(settings(&directory)).unwrap();
    let store = server.store().unwrap();
    put(&*store, "there", b"0123456789").await.unwrap();
    let always = Faults::default();
    for (fault, stored) in [
        (
            Faults {
                error_rate: 1.0,
                ..always.clone()
            },
            false,
        ),
        (
            Faults {
                error_rate: 1.0,
                status: 500,
                ..always.clone()
            },
            false,
        ),
        (
            Faults {
                cut_before: 1.0,
                ..always.clone()
            },
            false,
        ),
        (
            Faults {
                cut_after: 1.0,
                ..always.clone()
            },
            true,
        ),
        (
            Faults {
                hang: 1.0,
                containing: Some("new".to_owned()),
                ..always.clone()
            },
            false,
        ),
    ] {
        server.fail(Faults {
            only: Some("PUT".to_owned()),
            ..fault.clone()
        });
        assert!(put(&*store, "new", b"new").await.is_err(), "{fault:?}");
        assert_eq!(get(&*store, "there").await.unwrap(), b"0123456789");
        assert_eq!(get(&*store, "new").await.is_ok(), stored, "{fault:?}");
        server.fail(Faults::default());
        store.delete(&Path::from("new")).await.unwrap();
    }
    server.fail(Faults {
        truncate: 1.0,
        ..always.clone()
    });
    assert!(get(&*store, "there").await.is_err());
    server.fail(Faults { flip: 1.0, ..always });
    assert_ne!(get(&*store, "there").await.unwrap(), b"0123456789");
}

#[test]
fn other_programs_tell_it_by_http() {
    let directory = TempDir::new().unwrap();
    let server = Server::start(settings(&directory)).unwrap();
    let ask = |request: String| {
        let mut stream = TcpStream::connect(server.control().trim_start_matches("http://")).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let put = |body: &str| {
        let length = body.len();
        ask(format!(
            "PUT /faults HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    };
    assert!(put(r#"{"error_rate":1.0,"status":500}"#).contains("204"));
    assert!(put(r#"{"eror_rate":1.0}"#).contains("400"));
    let mut stream = TcpStream::connect(server.endpoint().trim_start_matches("http://")).unwrap();
    let request = b"GET /log/x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("500"), "{answer}");
    let bare = |line: &str| ask(format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
    assert!(bare("DELETE /faults").contains("204"));
    assert!(bare("GET /count").contains(r#"{"GET":1}"#));
}
