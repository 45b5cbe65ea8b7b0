//! OpenTelemetry logs over HTTP, in protobuf and gzip.
//!
//! Invariants
//! - An answer that does not speak the protocol is no delivery, whatever its status.
//! - A partial success must not be sent again as it is (OTLP, "Partial Success"), and does not say which records were rejected:
//!   it counts as a refusal, and halving finds the records. Those that were accepted come again with the same `audit.id`.
//!
//! See <https://opentelemetry.io/docs/specs/otlp/>.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use opentelemetry_proto::tonic::{
    collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse},
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber},
    resource::v1::Resource,
};
use prost::Message;
use serde::Deserialize;
use trailbook_event::{Event, Fault, Pointer, Timestamp};
use url::Url;

use super::{
    Batch, Failure, Record, Refused, Sink,
    client::{self, Answer, Client},
    compress,
    group::{Limits, group},
    secrets::Secrets,
};

/// Receivers take at least 4 MiB, before compression.
const LIMITS: Limits = Limits {
    entries: 10_000,
    bytes: 4_000_000,
};

/// A receiver.
pub(super) struct Otlp {
    client: Client,
    url: Url,
    headers: HeaderMap,
}

/// The answer of a receiver that speaks JSON though it was asked in protobuf.
#[derive(Deserialize)]
struct JsonResponse {
    #[serde(rename = "partialSuccess", default)]
    partial_success: Option<JsonPartialSuccess>,
}

#[derive(Deserialize)]
struct JsonPartialSuccess {
    /// Numbers of 64 bits are texts in protobuf's JSON; some write numbers.
    #[serde(rename = "rejectedLogRecords", default)]
    rejected_log_records: serde_json::Value,
    #[serde(rename = "errorMessage", default)]
    error_message: String,
}

impl Otlp {
    pub(super) fn new(
        (url, headers): (&str, &BTreeMap<String, String>),
        secrets: &Secrets<'_>,
        client: Client,
    ) -> Result<Self, Fault> {
        let at = Pointer::root().child("destination");
        let mut headers = secrets.headers(headers, &at.child("headers"))?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        Ok(Self {
            url: client::url(url, at.child("url"), client.outbound())?,
            client,
            headers,
        })
    }

    fn outcome(&self, answer: &Answer) -> Result<(), Failure> {
        if !answer.status.is_success() {
            return Err(self.client.failure(answer));
        }
        let (rejected, message) = rejected(answer).ok_or_else(|| self.client.later(answer))?;
        match rejected {
            0 => Ok(()),
            rejected => Err(Failure::Refused {
                reason: format!(
                    "The destination rejected {rejected} log records: {}",
                    self.client.quoted(&message)
                ),
            }),
        }
    }
}

#[async_trait]
impl Sink for Otlp {
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Refused>, Failure> {
        let mut refused = Vec::new();
        let mut logs = Vec::with_capacity(batch.records.len());
        for record in batch.records {
            match log_record(batch, record) {
                Some(log) => logs.push(log),
                None => refused.push(Refused::unreadable(record)),
            }
        }
        for range in group(logs.iter().map(Message::encoded_len), LIMITS) {
            let body = request(batch, logs[range].to_vec()).encode_to_vec();
            let body = Bytes::from(compress::gzip(body).await);
            let answer = self.client.post(&self.url, self.headers.clone(), body).await?;
            self.outcome(&answer)?;
        }
        Ok(refused)
    }
}

/// How many records were rejected, and why; `None` when the answer is not one of the protocol.
fn rejected(answer: &Answer) -> Option<(i64, String)> {
    if !answer.is_json {
        let partial = ExportLogsServiceResponse::decode(answer.body.as_slice())
            .ok()?
            .partial_success;
        return Some(partial.map_or((0, String::new()), |partial| {
            (partial.rejected_log_records, partial.error_message)
        }));
    }
    let response: JsonResponse = serde_json::from_slice(&answer.body).ok()?;
    let Some(partial) = response.partial_success else {
        return Some((0, String::new()));
    };
    let count = match &partial.rejected_log_records {
        serde_json::Value::Null => 0,
        serde_json::Value::String(text) => text.parse().ok()?,
        number => number.as_i64()?,
    };
    Some((count, partial.error_message))
}

fn request(batch: &Batch<'_>, log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    let resource = Resource {
        attributes: vec![
            attribute("service.name", text("trailbook")),
            attribute("trailbook.project", text(batch.project)),
            attribute("trailbook.organization", text(batch.organization)),
        ],
        ..Resource::default()
    };
    let scope = InstrumentationScope {
        name: "trailbook".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        ..InstrumentationScope::default()
    };
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(resource),
            scope_logs: vec![ScopeLogs {
                scope: Some(scope),
                log_records,
                schema_url: String::new(),
            }],
            schema_url: String::new(),
        }],
    }
}

/// `None` when the stored parts are not what admission writes.
fn log_record(batch: &Batch<'_>, record: &Record) -> Option<LogRecord> {
    let event = Event::parse(&record.row.parts).ok()?;
    let (severity, severity_text) = match event.security {
        true => (SeverityNumber::Warn, "WARN"),
        false => (SeverityNumber::Info, "INFO"),
    };
    Some(LogRecord {
        time_unix_nano: nanoseconds(record.row.occurred_at),
        observed_time_unix_nano: nanoseconds(record.row.received_at),
        severity_number: severity.into(),
        severity_text: severity_text.into(),
        body: Some(text(&String::from_utf8_lossy(&record.payload))),
        attributes: attributes(batch, record, &event),
        trace_id: event.trace_id.as_deref().and_then(trace_id).unwrap_or_default(),
        event_name: event.action.as_ref().to_owned(),
        ..LogRecord::default()
    })
}

fn attributes(batch: &Batch<'_>, record: &Record, event: &Event<'_>) -> Vec<KeyValue> {
    let integer = |number: u64| Value::IntValue(i64::try_from(number).unwrap_or(i64::MAX));
    let mut attributes = vec![
        attribute("audit.id", text(&record.row.id.to_string())),
        attribute("audit.organization", text(batch.organization)),
        attribute(
            "audit.sequence",
            AnyValue {
                value: Some(integer(record.row.sequence)),
            },
        ),
        attribute(
            "audit.epoch",
            AnyValue {
                value: Some(integer(record.row.epoch.into())),
            },
        ),
        attribute("audit.action", text(&event.action)),
        attribute("audit.action_type", text(&event.action_type)),
        attribute("audit.result", text(&event.result)),
        attribute(
            "audit.security",
            AnyValue {
                value: Some(Value::BoolValue(event.security)),
            },
        ),
        attribute("audit.actor.type", text(&event.actor.kind)),
    ];
    for (key, value) in [
        ("audit.actor.id", &event.actor.id),
        ("audit.actor.name", &event.actor.name),
        ("audit.actor.email", &event.actor.email),
        ("audit.area", &event.area),
        ("audit.product", &event.product),
        ("client.address", &event.context.ip),
        ("user_agent.original", &event.context.user_agent),
    ] {
        attributes.extend(value.as_deref().map(|value| attribute(key, text(value))));
    }
    attributes
}

fn attribute(key: &str, value: AnyValue) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(value),
        ..KeyValue::default()
    }
}

fn text(text: &str) -> AnyValue {
    AnyValue {
        value: Some(Value::StringValue(text.into())),
    }
}

fn nanoseconds(at: Timestamp) -> u64 {
    u64::try_from(at.millis()).unwrap_or(0).saturating_mul(1_000_000)
}

/// 32 hexadecimal digits that are not all zero; other ids are in the body.
fn trace_id(text: &str) -> Option<Vec<u8>> {
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let id = u128::from_str_radix(text, 16).ok()?;
    (id != 0).then(|| id.to_be_bytes().to_vec())
}
