//! OpenTelemetry logs, read with the protocol's own messages.

use std::io::Read as _;

use opentelemetry_proto::tonic::{
    collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse},
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message;
use serde_json::json;
use trailbook_deliver::sink::{Failure, Sink};

use crate::{
    batch::{RECEIVED_AT, batch, large, record, records},
    kinds,
    server::{Received, Reply, Server, says},
};

fn otlp(server: &Server) -> Box<dyn Sink> {
    kinds::open(
        json!({"type": "otlp", "url": format!("{}/v1/logs", server.url()), "headers": {"X-Scope-OrgID": "acme"}}),
        json!({"header.Authorization": "Bearer token"}),
    )
}

fn decoded(received: &Received) -> ExportLogsServiceRequest {
    assert_eq!(received.headers["content-type"], "application/x-protobuf");
    assert_eq!(received.headers["content-encoding"], "gzip");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(received.body.as_slice())
        .read_to_end(&mut bytes)
        .unwrap();
    ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap()
}

fn value(attributes: &[KeyValue], key: &str) -> Option<Value> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    found.value.as_ref()?.value.clone()
}

fn text(text: &str) -> Option<Value> {
    Some(Value::StringValue(text.into()))
}

fn partial(rejected: i64, message: &str) -> Reply {
    let partial = ExportLogsPartialSuccess {
        rejected_log_records: rejected,
        error_message: message.into(),
    };
    let response = ExportLogsServiceResponse {
        partial_success: Some(partial),
    };
    says(200, response.encode_to_vec())
}

#[tokio::test]
async fn a_batch_is_log_records_of_one_resource() {
    let server = Server::new([says(200, "")]).await;
    assert_eq!(otlp(&server).send(&batch(&records(7, 2))).await, Ok(Vec::new()));
    let received = server.only();
    assert_eq!(received.path, "/v1/logs");
    assert_eq!(received.headers["x-scope-orgid"], "acme");
    assert_eq!(received.headers["authorization"], "Bearer token");
    let request = decoded(&received);
    assert_eq!(request.resource_logs.len(), 1);
    let resource = request.resource_logs[0].resource.as_ref().unwrap();
    assert_eq!(value(&resource.attributes, "service.name"), text("trailbook"));
    assert_eq!(value(&resource.attributes, "trailbook.organization"), text("acme"));
    let logs = &request.resource_logs[0].scope_logs[0].log_records;
    assert_eq!(logs.len(), 2);
    let log = &logs[1];
    assert_eq!(log.time_unix_nano, 1_795_166_046_000_000_000);
    assert_eq!(log.observed_time_unix_nano, (RECEIVED_AT as u64 + 8) * 1_000_000);
    assert_eq!((log.severity_number, log.severity_text.as_str()), (13, "WARN"));
    assert_eq!(log.event_name, "user.role.updated");
    assert_eq!(
        log.trace_id,
        0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes()
    );
    assert_eq!(
        log.body.clone().unwrap().value,
        text("{\"sequence\":8,\"name\":\"Zoë \\\"Z\\\"\"}")
    );
    for (key, expected) in [
        ("audit.id", text(&record(8).row.id.to_string())),
        ("audit.action", text("user.role.updated")),
        ("audit.actor.id", text("u_81")),
        ("audit.organization", text("acme")),
        ("audit.sequence", Some(Value::IntValue(8))),
        ("client.address", text("203.0.113.24")),
        ("audit.actor.email", None),
    ] {
        assert_eq!(value(&log.attributes, key), expected, "{key}");
    }
}

#[tokio::test]
async fn many_bytes_are_several_requests() {
    let server = Server::new([says(200, "")]).await;
    let records: Vec<_> = (0..5).map(|sequence| large(sequence, 1_500_000)).collect();
    otlp(&server).send(&batch(&records)).await.unwrap();
    let counts: Vec<usize> = server
        .received()
        .iter()
        .map(|received| decoded(received).resource_logs[0].scope_logs[0].log_records.len())
        .collect();
    assert_eq!(counts, [2, 2, 1]);
}

#[tokio::test]
async fn a_partial_success_is_a_refusal_and_a_warning_is_none() {
    let json = |body: &str| Reply::Answer(200, vec![("Content-Type", "application/json".into())], body.into());
    for (reply, refused) in [
        (partial(1, "too old"), true),
        (partial(0, "deprecated"), false),
        (
            json("{\"partialSuccess\":{\"rejectedLogRecords\":\"1\",\"errorMessage\":\"too old\"}}"),
            true,
        ),
        (json("{\"partialSuccess\":{}}"), false),
        (json("{}"), false),
    ] {
        let server = Server::new([reply.clone()]).await;
        let sent = otlp(&server).send(&batch(&records(0, 2))).await;
        let expected = Failure::Refused {
            reason: "The destination rejected 1 log records: too old".into(),
        };
        assert_eq!(sent, if refused { Err(expected) } else { Ok(Vec::new()) }, "{reply:?}");
    }
}

#[tokio::test]
async fn an_answer_in_another_protocol_is_no_delivery() {
    let server = Server::new([says(200, "<html>Welcome</html>")]).await;
    let sent = otlp(&server).send(&batch(&records(0, 2))).await;
    assert!(matches!(sent, Err(Failure::Later { .. })), "{sent:?}");
}
