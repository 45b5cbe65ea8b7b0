//! Objects: their keys, what they hold, and what stores say.

use std::{collections::HashSet, io::Read as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use trailbook_deliver::sink::{Batch, Failure};

use crate::{
    batch::{batch, of, records},
    kinds,
    server::{Received, Server, says},
};

/// The three stores with these objects.
fn stores(url: &str, objects: &Value) -> Vec<(Value, Value)> {
    let mut stores = kinds::http(url);
    stores.truncate(3);
    for (destination, _) in &mut stores {
        destination["objects"] = objects.clone();
    }
    stores
}

/// What the three stores were sent.
async fn put(objects: Value, batch: &Batch<'_>) -> Vec<Received> {
    let mut sent = Vec::new();
    let server = Server::new([says(201, "")]).await;
    for (destination, secrets) in stores(&server.url(), &objects) {
        let told = destination.to_string();
        assert_eq!(
            kinds::open(destination, secrets).send(batch).await,
            Ok(Vec::new()),
            "{told}"
        );
    }
    sent.extend(server.received());
    assert_eq!(sent.len(), 3);
    sent
}

/// The key in a request's path: after the bucket, without the query, decoded as the store does it.
fn key(received: &Received) -> String {
    let path = received.path.split('?').next().unwrap();
    let key = path.strip_prefix("/audit/").expect("the bucket");
    let pair = format!("key={key}").replace('+', "%2B");
    let (_, decoded) = url::form_urlencoded::parse(pair.as_bytes()).next().unwrap();
    decoded.into_owned()
}

#[tokio::test]
async fn a_batch_is_one_object_whose_key_comes_from_what_it_is_about() {
    let records = records(40, 3);
    let batch = Batch {
        begin: 37,
        end: 57,
        epoch: 2,
        ..batch(&records)
    };
    for received in put(json!({"prefix": "trail/book-", "compression": "none"}), &batch).await {
        let expected =
            "trail/book-organization=acme/date=2026-11-20/hour=09/e2-00000000000000000037-00000000000000000056.jsonl";
        assert_eq!(key(&received), expected);
        assert_eq!(received.method, "PUT");
        let conditions = ["if-match", "if-none-match", "x-goog-if-generation-match"];
        assert!(conditions.iter().all(|name| !received.headers.contains_key(*name)));
    }
}

#[tokio::test]
async fn objects_hold_a_line_for_each_event() {
    let records = records(0, 3);
    let lines = "{\"sequence\":0,\"name\":\"Zoë \\\"Z\\\"\"}\n{\"sequence\":1,\"name\":\"Zoë \\\"Z\\\"\"}\n{\"sequence\":2,\"name\":\"Zoë \\\"Z\\\"\"}\n";
    for (compression, ending) in [("none", ".jsonl"), ("gzip", ".jsonl.gz"), ("zstd", ".jsonl.zst")] {
        let first = put(json!({"compression": compression}), &batch(&records)).await;
        let second = put(json!({"compression": compression}), &batch(&records)).await;
        for (received, again) in first.iter().zip(&second) {
            assert!(key(received).ends_with(ending));
            assert_eq!((&received.path, &received.body), (&again.path, &again.body));
            let mut text = Vec::new();
            match compression {
                "gzip" => drop(
                    flate2::read::GzDecoder::new(received.body.as_slice())
                        .read_to_end(&mut text)
                        .unwrap(),
                ),
                "zstd" => text = zstd::decode_all(received.body.as_slice()).unwrap(),
                _ => text.clone_from(&received.body),
            }
            assert_eq!(String::from_utf8(text).unwrap(), lines, "{compression}");
        }
        // Amazon's own header, which buckets with locked objects ask for.
        let checksum = STANDARD.encode(Sha256::digest(&first[0].body));
        assert_eq!(first[0].headers["x-amz-checksum-sha256"], checksum);
    }
}

#[tokio::test]
async fn no_name_of_an_organization_leaves_the_prefix_or_meets_another() {
    let names = [
        "acme",
        "..",
        ".",
        "../../other",
        "a/b",
        "a%2Fb",
        "a%252Fb",
        "a b",
        "a+b",
        "a?b",
        "a#b",
        "a\\b",
        "a\nb",
        "ä",
        "",
        "a=b/date=x",
        "A",
        "a:b",
        "a@b",
        "a~b",
        "%2e%2e",
        "a//b",
        "/a",
        "a/",
    ];
    let mut keys: [HashSet<String>; 3] = Default::default();
    let records = records(0, 1);
    for name in names {
        for (received, keys) in put(json!({"prefix": "p/"}), &of(name, &records))
            .await
            .iter()
            .zip(&mut keys)
        {
            let key = key(received);
            let parts: Vec<&str> = key.split('/').collect();
            assert_eq!((parts.len(), parts[0]), (5, "p"), "{name:?}: {key}");
            assert!(parts[1].starts_with("organization="), "{name:?}: {key}");
            let decoded = url::form_urlencoded::parse(parts[1].as_bytes()).next().unwrap();
            assert_eq!(decoded.1, name, "{key}");
            assert!(keys.insert(key), "{name:?}");
        }
    }
}

#[tokio::test]
async fn what_a_store_says_is_told_with_its_code() {
    let xml = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>The bucket does not exist</Message><Key>x</Key></Error>";
    let server = Server::new([says(404, xml)]).await;
    for (destination, secrets) in stores(&server.url(), &json!({})) {
        let sent = kinds::open(destination, secrets).send(&batch(&records(0, 1))).await;
        let reason = "The destination answered 404 Not Found: NoSuchBucket: The bucket does not exist";
        assert_eq!(sent, Err(Failure::later(reason)));
    }
}

#[tokio::test]
async fn only_an_object_that_is_too_large_is_refused() {
    let said = |code: &str| format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
    for (reply, is_refused) in [
        (says(413, said("RequestBodyTooLarge")), true),
        (says(400, said("EntityTooLarge")), true),
        (says(400, said("AuthorizationHeaderMalformed")), false),
        (says(400, said("ExpiredToken")), false),
        (says(412, said("ConditionNotMet")), false),
    ] {
        let server = Server::new([reply.clone()]).await;
        for (destination, secrets) in stores(&server.url(), &json!({})) {
            let sent = kinds::open(destination, secrets).send(&batch(&records(0, 1))).await;
            assert_eq!(
                matches!(sent, Err(Failure::Refused { .. })),
                is_refused,
                "{reply:?}: {sent:?}"
            );
            assert_eq!(
                matches!(sent, Err(Failure::Later { .. })),
                !is_refused,
                "{reply:?}: {sent:?}"
            );
        }
    }
}
