//! The bulk interface.

use serde_json::{Value, json};
use trailbook_deliver::sink::{Failure, Refused, Sink};

use crate::{
    batch::{batch, record, records},
    kinds,
    server::{Reply, Server, says},
};

fn elasticsearch(server: &Server) -> Box<dyn Sink> {
    kinds::open(
        json!({"type": "elasticsearch", "url": format!("{}/search", server.url()), "index": "audit-events"}),
        json!({"api_key": "aWQ6a2V5"}),
    )
}

/// An answer with these statuses, and what was wrong.
fn answered(items: &[(u16, &str)]) -> Reply {
    let items: Vec<Value> = items
        .iter()
        .map(|(status, reason)| match *reason {
            "" => json!({"create": {"status": status}}),
            reason => {
                json!({"create": {"status": status, "error": {"type": "document_parsing_exception", "reason": reason}}})
            }
        })
        .collect();
    says(200, json!({"errors": true, "items": items}).to_string())
}

#[tokio::test]
async fn a_batch_is_documents_that_are_made_once() {
    let server = Server::new([says(200, "{\"errors\":false,\"items\":[]}")]).await;
    assert_eq!(
        elasticsearch(&server).send(&batch(&records(7, 2))).await,
        Ok(Vec::new())
    );
    let received = server.only();
    let wanted = "filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason";
    assert_eq!(received.path, format!("/search/_bulk?{wanted}"));
    assert_eq!(received.headers["authorization"], "ApiKey aWQ6a2V5");
    assert_eq!(received.headers["content-type"], "application/x-ndjson");
    let text = String::from_utf8(received.body).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let create = |sequence| json!({"create": {"_index": "audit-events", "_id": record(sequence).row.id.to_string()}});
    let document = |sequence| json!({"sequence": sequence, "name": "Zoë \"Z\""});
    assert_eq!(lines, [create(7), document(7), create(8), document(8)]);
    assert!(text.ends_with('\n'));
}

#[tokio::test]
async fn what_is_there_already_has_arrived_and_what_is_refused_is_named() {
    let server = Server::new([answered(&[
        (201, ""),
        (409, "exists"),
        (400, "failed to parse field [a]"),
    ])])
    .await;
    let refused = elasticsearch(&server).send(&batch(&records(7, 3))).await;
    let expected = Refused {
        sequence: 9,
        reason: "The destination answered 400 for an event: document_parsing_exception: failed to parse field [a]"
            .into(),
    };
    assert_eq!(refused, Ok(vec![expected]));
}

#[tokio::test]
async fn what_the_cluster_cannot_do_now_is_sent_again() {
    for status in [429, 500, 503, 403, 404] {
        let server = Server::new([answered(&[(201, ""), (400, "broken"), (status, "not now")])]).await;
        let sent = elasticsearch(&server).send(&batch(&records(0, 3))).await;
        assert!(matches!(sent, Err(Failure::Later { .. })), "{status}: {sent:?}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_the_request_is_no_delivery() {
    for reply in [
        answered(&[(201, "")]),
        says(200, "<html>Welcome</html>"),
        says(200, "{}"),
        says(201, "{\"errors\":false}"),
    ] {
        let server = Server::new([reply.clone()]).await;
        let sent = elasticsearch(&server).send(&batch(&records(0, 2))).await;
        assert!(matches!(sent, Err(Failure::Later { .. })), "{reply:?}: {sent:?}");
    }
}

#[tokio::test]
async fn many_events_are_several_requests_and_too_long_an_answer_halves_them() {
    let server = Server::new([
        says(200, "{\"errors\":false}"),
        answered(&vec![(400, "r".repeat(2_000).as_str()); 500]),
    ])
    .await;
    let sent = elasticsearch(&server).send(&batch(&records(0, 1_500))).await;
    assert!(matches!(sent, Ok(ref refused) if refused.len() == 500), "{sent:?}");
    let server = Server::new([answered(&vec![(400, "r".repeat(3_000).as_str()); 500])]).await;
    let sent = elasticsearch(&server).send(&batch(&records(0, 500))).await;
    assert!(matches!(sent, Err(Failure::Refused { .. })), "{sent:?}");
}

#[tokio::test]
async fn a_request_that_is_malformed_or_too_large_is_refused() {
    for status in [400, 413] {
        let server = Server::new([says(status, "")]).await;
        let sent = elasticsearch(&server).send(&batch(&records(0, 2))).await;
        assert!(matches!(sent, Err(Failure::Refused { .. })), "{sent:?}");
    }
}
