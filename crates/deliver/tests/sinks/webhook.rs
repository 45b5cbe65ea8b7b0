//! Webhooks, read as Standard Webhooks 1.0 tells receivers to.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use trailbook_deliver::sink::{
    Failure,
    webhook::{Webhook, new_secret, sign},
};
use trailbook_event::Pointer;
use trailbook_ledger::Random;

use crate::{
    batch::{RECEIVED_AT, batch, of, records},
    kinds,
    server::{Server, says},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PREVIOUS: &str = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=";

fn key(secret: &str) -> Vec<u8> {
    STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap()
}

#[test]
fn a_signature_is_that_of_the_public_example() {
    let signed = sign(
        &key(SECRET),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        b"{\"test\": 2432232314}",
    );
    assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[tokio::test]
async fn a_batch_is_one_signed_message_with_all_events_and_an_id_that_stays() {
    let server = Server::new([says(500, ""), says(204, "")]).await;
    let sink = kinds::open(
        json!({"type": "webhook", "url": format!("{}/hook?team=a", server.url()), "headers": {"X-Team": "audit"}}),
        json!({"secret": SECRET, "header.Authorization": "Bearer let-me-in"}),
    );
    let records = records(7, 3);
    assert!(sink.send(&batch(&records)).await.is_err());
    assert_eq!(sink.send(&batch(&records)).await, Ok(Vec::new()));
    let received = server.received();
    assert_eq!(received[0].body, received[1].body);
    let message = &received[1];
    assert_eq!(
        (message.method.as_str(), message.path.as_str()),
        ("POST", "/hook?team=a")
    );
    assert_eq!(message.headers["x-team"], "audit");
    assert_eq!(message.headers["authorization"], "Bearer let-me-in");
    assert_eq!(message.headers["content-type"], "application/json");
    assert_eq!(message.headers["webhook-id"], batch(&records).id());
    assert_eq!(received[0].headers["webhook-id"], message.headers["webhook-id"]);
    let seconds = RECEIVED_AT / 1000;
    assert_eq!(message.headers["webhook-timestamp"], seconds.to_string());
    let signature = sign(&key(SECRET), &batch(&records).id(), seconds, &message.body);
    assert_eq!(message.headers["webhook-signature"], signature);
    let body: Value = serde_json::from_slice(&message.body).unwrap();
    let event = |sequence| json!({"sequence": sequence, "name": "Zoë \"Z\""});
    let expected = json!({
        "type": "trailbook.events", "id": batch(&records).id(), "organization": "acme", "project": "default",
        "events": [event(7), event(8), event(9)],
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn while_secrets_change_both_sign() {
    let server = Server::new([says(200, "")]).await;
    let sink = kinds::open(
        json!({"type": "webhook", "url": server.url()}),
        json!({"secret": SECRET, "previous_secret": PREVIOUS}),
    );
    sink.send(&batch(&records(0, 1))).await.unwrap();
    let message = server.only();
    let signed = |secret| {
        sign(
            &key(secret),
            &message.headers["webhook-id"],
            RECEIVED_AT / 1000,
            &message.body,
        )
    };
    let both = format!("{} {}", signed(SECRET), signed(PREVIOUS));
    assert_eq!(message.headers["webhook-signature"], both);
}

#[tokio::test]
async fn messages_of_others_go_the_same_way() {
    let server = Server::new([says(200, "")]).await;
    let webhook = Webhook::new(
        (&server.url(), &kinds::secrets(json!({}))),
        &kinds::secrets(json!({"secret": SECRET})),
        &Pointer::root().child("webhook"),
        &kinds::outbound("127.0.0.1"),
        &kinds::clock(),
    );
    let body = b"{\"type\":\"trailbook.alert\"}".to_vec();
    webhook
        .unwrap_or_else(|fault| panic!("{fault}"))
        .send_json("msg_1", body.clone())
        .await
        .unwrap();
    let message = server.only();
    assert_eq!(
        (message.headers["webhook-id"].as_str(), &message.body),
        ("msg_1", &body)
    );
    assert_eq!(
        message.headers["webhook-signature"],
        sign(&key(SECRET), "msg_1", RECEIVED_AT / 1000, &body)
    );
}

#[tokio::test]
async fn a_body_that_is_not_wanted_is_refused() {
    for status in [400, 413, 415, 422] {
        let server = Server::new([says(status, "what is that?")]).await;
        let sink = kinds::open(
            json!({"type": "webhook", "url": server.url()}),
            json!({"secret": SECRET}),
        );
        let refused = sink.send(&batch(&records(0, 1))).await;
        assert!(matches!(refused, Err(Failure::Refused { .. })), "{status}: {refused:?}");
    }
}

#[test]
fn batches_of_different_organizations_have_different_ids() {
    let records = records(0, 1);
    assert_ne!(of("a", &records).id(), of("b", &records).id());
}

#[test]
fn a_new_secret_is_one_that_is_taken() {
    struct Ones;
    impl Random for Ones {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(1);
        }
    }
    let secret = new_secret(&Ones);
    assert_eq!(key(&secret), [1; 32]);
    let opened = kinds::open_with(
        "",
        json!({"type": "webhook", "url": "https://a.example/"}),
        json!({"secret": secret}),
    );
    assert!(opened.is_ok());
}
