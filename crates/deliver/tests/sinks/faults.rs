//! What is wrong with a destination or its secrets is said when it is opened, with its place.

use serde_json::{Value, json};

use crate::kinds::{self, CANARY};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The fault of a destination.
fn fault((destination, secrets): (Value, Value)) -> (String, String) {
    let told = format!("{destination} {secrets}");
    match kinds::open_with("", destination, secrets) {
        Ok(_) => panic!("opened: {told}"),
        Err(fault) => {
            assert!(!format!("{fault:?} {fault}").contains(CANARY), "{fault}");
            assert!(fault.detail.ends_with('.'), "{fault}");
            (fault.pointer.as_str().to_owned(), fault.detail)
        }
    }
}

#[test]
fn every_kind_opens_and_without_its_secrets_it_does_not() {
    for (destination, secrets) in kinds::http("https://siem.example.com") {
        let told = destination.to_string();
        assert!(
            kinds::open_with("", destination.clone(), secrets.clone()).is_ok(),
            "{told}"
        );
        let optional = ["session_token", "header.Authorization", "header.X-Api-Key"];
        for name in secrets
            .as_object()
            .unwrap()
            .keys()
            .filter(|name| !optional.contains(&name.as_str()))
        {
            let mut fewer = secrets.clone();
            fewer.as_object_mut().unwrap().remove(name);
            let (pointer, detail) = fault((destination.clone(), fewer));
            assert!(pointer.starts_with("/secrets/"), "{told}: {pointer}");
            assert!(detail.starts_with("It is missing;"), "{told}: {detail}");
            let mut empty = secrets.clone();
            empty[name] = json!("");
            assert_eq!(fault((destination.clone(), empty)).0, format!("/secrets/{name}"));
        }
        let mut more = secrets.clone();
        more["tokken"] = json!(CANARY);
        let (pointer, detail) = fault((destination, more));
        assert_eq!(pointer, "/secrets/tokken", "{detail}");
    }
}

#[test]
fn faults_name_their_place() {
    let s3 = |field: &str, value: Value| {
        let mut destination = json!({"type": "s3", "bucket": "audit", "region": "eu-central-1"});
        destination[field] = value;
        (
            destination,
            json!({"access_key_id": "AKIA", "secret_access_key": CANARY}),
        )
    };
    let prefix = |prefix: &str| s3("objects", json!({"prefix": prefix}));
    let webhook = |headers: Value, secrets: Value| {
        let mut all = json!({"secret": SECRET});
        all.as_object_mut()
            .unwrap()
            .extend(secrets.as_object().unwrap().clone());
        (
            json!({"type": "webhook", "url": "https://a.example", "headers": headers}),
            all,
        )
    };
    let url = |url: &str| (json!({"type": "splunk_hec", "url": url}), json!({"token": CANARY}));
    let azure = |secrets: Value| {
        (
            json!({"type": "azure_blob", "account": "acme", "container": "audit"}),
            secrets,
        )
    };
    let gcs = |key: &str| {
        (
            json!({"type": "gcs", "bucket": "audit"}),
            json!({"service_account_key": key}),
        )
    };
    let elasticsearch = |index: &str, secrets: Value| {
        (
            json!({"type": "elasticsearch", "url": "https://a.example", "index": index}),
            secrets,
        )
    };
    let syslog = |host: &str, tls: bool, ca: Value| {
        (
            json!({"type": "syslog", "host": host, "port": 6514, "tls": tls, "ca": ca}),
            json!({}),
        )
    };
    let datadog = |site: &str, tag: &str| {
        (
            json!({"type": "datadog", "site": site, "tags": [tag]}),
            json!({"api_key": CANARY}),
        )
    };
    for (pointer, broken) in [
        ("/destination/region", s3("region", json!("eu/x.evil.example#"))),
        ("/destination/region", s3("region", json!(""))),
        ("/destination/bucket", s3("bucket", json!("../other"))),
        ("/destination/endpoint", s3("endpoint", json!("ftp://a.example"))),
        ("/destination/endpoint", s3("endpoint", json!("https://a.example?x=1"))),
        ("/destination/objects/prefix", prefix("/a")),
        ("/destination/objects/prefix", prefix("a//b")),
        ("/destination/objects/prefix", prefix("a/../b")),
        ("/destination/objects/prefix", prefix("..")),
        ("/destination/objects/prefix", prefix("a b")),
        ("/destination/objects/prefix", prefix(&"a".repeat(201))),
        ("/secrets/service_account_key", gcs(CANARY)),
        (
            "/secrets/service_account_key",
            gcs(&json!({"type": "authorized_user", "refresh_token": CANARY}).to_string()),
        ),
        (
            "/secrets/service_account_key",
            gcs(
                &json!({"type": "service_account", "private_key": CANARY, "private_key_id": "1", "client_email": "a"})
                    .to_string(),
            ),
        ),
        ("/secrets/access_key", azure(json!({"access_key": "not Base64!"}))),
        ("/secrets/access_key", azure(json!({}))),
        ("/secrets/sas_token", azure(json!({"sas_token": CANARY}))),
        (
            "/secrets/sas_token",
            azure(json!({"sas_token": "sig=a", "access_key": "QUJD"})),
        ),
        ("/destination/url", url("nothing")),
        ("/destination/url", url("https://user:password@a.example")),
        ("/destination/url", url("https://a.example?token=1")),
        ("/destination/url", url("http://a.example")),
        (
            "/secrets/token",
            (
                json!({"type": "splunk_hec", "url": "https://a.example"}),
                json!({"token": format!("{CANARY}\r\nHost: x")}),
            ),
        ),
        ("/destination/headers/Host", webhook(json!({"Host": "a"}), json!({}))),
        (
            "/destination/headers/Webhook-Id",
            webhook(json!({"Webhook-Id": "a"}), json!({})),
        ),
        ("/destination/headers/a b", webhook(json!({"a b": "a"}), json!({}))),
        ("/destination/headers/X", webhook(json!({"X": "a\nb"}), json!({}))),
        (
            "/destination/headers/Authorization",
            webhook(json!({"Authorization": CANARY}), json!({})),
        ),
        (
            "/secrets/header.X",
            webhook(json!({"x": "a"}), json!({"header.X": CANARY})),
        ),
        (
            "/secrets/header.Content-Length",
            webhook(json!({}), json!({"header.Content-Length": "1"})),
        ),
        (
            "/secrets/header.X",
            webhook(json!({}), json!({"header.X": format!("{CANARY}\n")})),
        ),
        ("/secrets/secret", webhook(json!({}), json!({"secret": CANARY}))),
        ("/secrets/secret", webhook(json!({}), json!({"secret": "whsec_QUJD"}))),
        (
            "/secrets/previous_secret",
            webhook(json!({}), json!({"previous_secret": "whsec_%%"})),
        ),
        ("/destination/site", datadog("evil.example/x#", "a:b")),
        ("/destination/site", datadog("", "a:b")),
        ("/destination/tags/0", datadog("datadoghq.eu", "a,b")),
        ("/destination/index", elasticsearch("Audit", json!({"api_key": CANARY}))),
        (
            "/destination/index",
            elasticsearch("a/_doc", json!({"api_key": CANARY})),
        ),
        ("/destination/index", elasticsearch("_all", json!({"api_key": CANARY}))),
        (
            "/secrets/api_key",
            elasticsearch("a", json!({"api_key": CANARY, "username": "a", "password": "b"})),
        ),
        ("/secrets/password", elasticsearch("a", json!({"username": "a"}))),
        (
            "/secrets/username",
            elasticsearch("a", json!({"username": "a:b", "password": "c"})),
        ),
        ("/destination/host", syslog("", true, Value::Null)),
        ("/destination/host", syslog("a.example.", true, Value::Null)),
        ("/destination/host", syslog("a.example/x", true, Value::Null)),
        ("/destination/ca", syslog("a.example", true, json!("no certificate"))),
    ] {
        let told = format!("{} {}", broken.0, broken.1);
        let (found, detail) = fault(broken);
        assert_eq!(found, pointer, "{told}: {detail}");
    }
    let plain = json!({"type": "syslog", "host": "127.0.0.1", "port": 514, "tls": false, "ca": "x"});
    let fault = kinds::open_with("127.0.0.1", plain, json!({})).err().unwrap();
    assert_eq!(fault.pointer.as_str(), "/destination/ca");
}

#[test]
fn headers_have_a_bound() {
    let headers = |count: usize| {
        (0..count)
            .map(|index| (format!("X-{index}"), json!("a")))
            .collect::<serde_json::Map<_, _>>()
    };
    let destination = |count| json!({"type": "webhook", "url": "https://a.example", "headers": headers(count)});
    assert!(kinds::open_with("", destination(20), json!({"secret": SECRET})).is_ok());
    assert_eq!(
        fault((destination(21), json!({"secret": SECRET}))).0,
        "/destination/headers"
    );
}
