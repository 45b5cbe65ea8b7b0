//! Every kind of destination, ready to be opened at an address.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Value, json};
use trailbook_access::records::Destination;
use trailbook_deliver::{
    outbound::Outbound,
    sink::{self, Sink},
};
use trailbook_event::{Fault, Timestamp};
use trailbook_ledger::Clock;

use crate::batch::RECEIVED_AT;

/// Stands in every secret, and must not come out anywhere.
pub(crate) const CANARY: &str = "c4naryC4NARYc4naryC4NARY";

/// A clock that stands still.
pub(crate) struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(RECEIVED_AT)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(Still)
}

/// A door that is open to these networks and hosts, and has little patience.
pub(crate) fn outbound(allowed: &str) -> Arc<Outbound> {
    let outbound = Outbound::new(allowed.parse().unwrap());
    Arc::new(outbound.with_timeout(Duration::from_millis(700)))
}

pub(crate) fn destination(value: Value) -> Destination {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn secrets(value: Value) -> BTreeMap<String, String> {
    serde_json::from_value(value).unwrap()
}

/// A sink that may reach loopback.
pub(crate) fn open(destination: Value, secrets: Value) -> Box<dyn Sink> {
    open_with("127.0.0.0/8", destination, secrets).unwrap_or_else(|fault| panic!("{fault}"))
}

pub(crate) fn open_with(allowed: &str, destination: Value, secrets: Value) -> Result<Box<dyn Sink>, Fault> {
    sink::open(
        &self::destination(destination),
        &self::secrets(secrets),
        &outbound(allowed),
        &clock(),
    )
}

/// Every kind that speaks HTTP, at a base URL.
pub(crate) fn http(url: &str) -> Vec<(Value, Value)> {
    let key = json!({
        "type": "service_account", "private_key": CANARY, "private_key_id": "1", "client_email": "a@example.com",
        "disable_oauth": true,
    });
    vec![
        (
            json!({"type": "s3", "bucket": "audit", "region": "eu-central-1", "endpoint": url}),
            json!({"access_key_id": "AKIA", "secret_access_key": CANARY, "session_token": format!("session{CANARY}")}),
        ),
        (
            json!({"type": "gcs", "bucket": "audit", "endpoint": url}),
            json!({"service_account_key": key.to_string()}),
        ),
        (
            json!({"type": "azure_blob", "account": "acme", "container": "audit", "endpoint": url}),
            json!({"sas_token": format!("?sv=2024-11-04&sp=w&sig=a%2B{CANARY}%3D")}),
        ),
        (
            json!({"type": "webhook", "url": url, "headers": {"X-Team": "audit"}}),
            json!({"secret": format!("whsec_{CANARY}{CANARY}"), "header.Authorization": format!("Bearer {CANARY}")}),
        ),
        (json!({"type": "splunk_hec", "url": url}), json!({"token": CANARY})),
        (
            json!({"type": "datadog", "site": "datadoghq.eu", "url": url}),
            json!({"api_key": CANARY}),
        ),
        (
            json!({"type": "elasticsearch", "url": url, "index": "audit"}),
            json!({"username": "writer", "password": CANARY}),
        ),
        (
            json!({"type": "otlp", "url": format!("{url}/v1/logs")}),
            json!({"header.X-Api-Key": CANARY}),
        ),
    ]
}
