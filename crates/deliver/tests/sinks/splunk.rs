//! Splunk's collector.

use serde_json::{Value, json};
use trailbook_deliver::sink::{Failure, Refused, Sink};

use crate::{
    batch::{batch, large, records},
    kinds,
    server::{Reply, Server, says},
};

fn good() -> Reply {
    says(200, "{\"text\":\"Success\",\"code\":0}")
}

fn splunk(server: &Server) -> Box<dyn Sink> {
    kinds::open(
        json!({"type": "splunk_hec", "url": format!("{}/", server.url()), "index": "audit", "source_type": "acme:audit"}),
        json!({"token": "11111111-2222"}),
    )
}

#[tokio::test]
async fn a_batch_is_events_one_after_the_other() {
    let server = Server::new([good()]).await;
    assert_eq!(splunk(&server).send(&batch(&records(7, 2))).await, Ok(Vec::new()));
    let received = server.only();
    assert_eq!(received.path, "/services/collector/event");
    assert_eq!(received.headers["authorization"], "Splunk 11111111-2222");
    let events: Vec<Value> = serde_json::Deserializer::from_slice(&received.body)
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let event = |sequence| {
        json!({
            "time": 1_795_166_046.0, "host": "trailbook", "source": "trailbook", "sourcetype": "acme:audit", "index": "audit",
            "event": {"sequence": sequence, "name": "Zoë \"Z\""}, "fields": {"organization": "acme"},
        })
    };
    assert_eq!(events, [event(7), event(8)]);
}

#[tokio::test]
async fn requests_stay_below_a_megabyte_and_come_in_order() {
    let server = Server::new([good()]).await;
    let records: Vec<_> = (0..5).map(|sequence| large(sequence, 400_000)).collect();
    assert_eq!(splunk(&server).send(&batch(&records)).await, Ok(Vec::new()));
    let sizes: Vec<usize> = server
        .received()
        .iter()
        .map(|received| received.body.len() / 400_000)
        .collect();
    assert_eq!(sizes, [2, 2, 1]);
}

#[tokio::test]
async fn only_what_lies_in_the_events_is_refused() {
    for (status, body, is_refused) in [
        (
            400,
            "{\"text\":\"Invalid data format\",\"code\":6,\"invalid-event-number\":1}",
            true,
        ),
        (
            400,
            "{\"text\":\"Event field cannot be blank\",\"code\":13,\"invalid-event-number\":0}",
            true,
        ),
        (413, "", true),
        (
            400,
            "{\"text\":\"Incorrect index\",\"code\":7,\"invalid-event-number\":0}",
            false,
        ),
        (400, "{\"text\":\"Data channel is missing\",\"code\":10}", false),
        (503, "{\"text\":\"Server is busy\",\"code\":9}", false),
        (200, "{\"text\":\"Server is busy\",\"code\":9}", false),
        (200, "<html>Welcome</html>", false),
        (200, "", false),
    ] {
        let server = Server::new([says(status, body)]).await;
        let sent: Result<Vec<Refused>, Failure> = splunk(&server).send(&batch(&records(0, 2))).await;
        let refused = matches!(sent, Err(Failure::Refused { .. }));
        let later = matches!(sent, Err(Failure::Later { .. }));
        assert_eq!((refused, later), (is_refused, !is_refused), "{status} {body}: {sent:?}");
    }
}
