//! Datadog's intake.

use serde_json::{Value, json};
use trailbook_deliver::sink::{Failure, Sink};

use crate::{
    batch::{batch, large, record, records},
    kinds,
    server::{Server, says},
};

fn datadog(server: &Server) -> Box<dyn Sink> {
    kinds::open(
        json!({"type": "datadog", "site": "datadoghq.eu", "url": server.url(), "service": "audit", "tags": ["env:test", "team:a"]}),
        json!({"api_key": "0123456789abcdef"}),
    )
}

#[tokio::test]
async fn a_batch_is_an_array_of_logs() {
    let server = Server::new([says(202, "{}")]).await;
    assert_eq!(datadog(&server).send(&batch(&records(7, 2))).await, Ok(Vec::new()));
    let received = server.only();
    assert_eq!(received.path, "/api/v2/logs");
    assert_eq!(received.headers["dd-api-key"], "0123456789abcdef");
    let logs: Value = serde_json::from_slice(&received.body).unwrap();
    let log = |sequence: u64| {
        json!({
            "ddsource": "trailbook", "ddtags": "env:test,team:a", "service": "audit",
            "message": format!("{{\"sequence\":{sequence},\"name\":\"Zoë \\\"Z\\\"\"}}"),
            "trailbook": {
                "id": record(sequence).row.id.to_string(), "organization": "acme", "project": "default", "sequence": sequence,
            },
        })
    };
    assert_eq!(logs, json!([log(7), log(8)]));
}

#[tokio::test]
async fn requests_keep_to_a_thousand_logs_and_five_megabytes() {
    let server = Server::new([says(202, "{}")]).await;
    datadog(&server).send(&batch(&records(0, 2_001))).await.unwrap();
    let large: Vec<_> = (0..11).map(|sequence| large(sequence, 900_000)).collect();
    datadog(&server).send(&batch(&large)).await.unwrap();
    let counts: Vec<usize> = server
        .received()
        .iter()
        .map(|received| {
            assert!(received.body.len() <= 5_000_000);
            serde_json::from_slice::<Vec<Value>>(&received.body).unwrap().len()
        })
        .collect();
    assert_eq!(counts, [1_000, 1_000, 1, 5, 5, 1]);
}

#[tokio::test]
async fn an_event_that_would_be_cut_off_is_refused_and_the_others_are_sent() {
    let server = Server::new([says(202, "{}")]).await;
    let records = [record(0), large(1, 1_000_000), record(2)];
    let refused = datadog(&server).send(&batch(&records)).await.unwrap();
    assert_eq!(refused.iter().map(|refused| refused.sequence).collect::<Vec<_>>(), [1]);
    let logs: Vec<Value> = serde_json::from_slice(&server.only().body).unwrap();
    assert_eq!(logs.len(), 2);
}

#[tokio::test]
async fn what_is_too_large_or_malformed_is_refused() {
    for status in [400, 413] {
        let server = Server::new([says(202, "{}"), says(status, "{\"errors\":[{\"detail\":\"no\"}]}")]).await;
        let sent = datadog(&server).send(&batch(&records(0, 1_500))).await;
        assert!(matches!(sent, Err(Failure::Refused { .. })), "{sent:?}");
    }
}
