//! What goes wrong the same way at every destination that speaks HTTP.

use serde_json::Value;
use trailbook_deliver::sink::Failure;

use crate::{
    batch::{batch, records},
    kinds::{self, CANARY},
    server::{Reply, Server, says},
};

async fn failure(kind: (Value, Value)) -> Failure {
    let name = kind.0.to_string();
    let sink = kinds::open(kind.0, kind.1);
    match sink.send(&batch(&records(0, 3))).await {
        Ok(refused) => panic!("{name}: delivered but for {refused:?}"),
        Err(failure) => failure,
    }
}

#[tokio::test]
async fn whatever_goes_wrong_on_the_way_the_batch_is_sent_again() {
    let elsewhere = Server::new([says(200, "")]).await;
    let redirect = |status| Reply::Answer(status, vec![("Location", elsewhere.url())], Vec::new());
    for reply in [
        says(500, "stored, but"),
        says(502, ""),
        says(503, "{\"text\":\"Server is busy\",\"code\":9}"),
        says(429, ""),
        says(401, ""),
        says(403, ""),
        says(404, ""),
        says(405, ""),
        says(408, ""),
        says(409, ""),
        says(410, ""),
        redirect(301),
        redirect(302),
        redirect(307),
        redirect(308),
        Reply::Silence,
        Reply::Half,
        Reply::HangUp,
        Reply::Reset,
        Reply::Garbage,
    ] {
        for kind in 0..kinds::http("").len() {
            let server = Server::new([reply.clone()]).await;
            let kind = kinds::http(&server.url()).swap_remove(kind);
            let told = format!("{reply:?} {}", kind.0);
            let failure = failure(kind).await;
            assert!(matches!(failure, Failure::Later { .. }), "{told}: {failure:?}");
            assert_eq!(server.connections(), 1, "{told}");
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_passed_on_up_to_an_hour() {
    for (asked, wait) in [
        ("120", Some(120)),
        ("999999", Some(3600)),
        // The clock of these tests stands at 09:14:07.482.
        ("Fri, 20 Nov 2026 09:15:37 GMT", Some(89)),
        ("Fri, 20 Nov 2026 09:00:00 GMT", Some(0)),
        ("soon", None),
    ] {
        for kind in 0..kinds::http("").len() {
            let reply = Reply::Answer(503, vec![("Retry-After", asked.into())], Vec::new());
            let server = Server::new([reply]).await;
            let kind = kinds::http(&server.url()).swap_remove(kind);
            let told = format!("{asked} {}", kind.0);
            let Failure::Later { after, .. } = failure(kind).await else {
                panic!("{told}");
            };
            assert_eq!(after.map(|after| after.as_secs()), wait, "{told}");
        }
    }
}

#[tokio::test]
async fn sentences_say_what_was_answered_without_secrets_or_control_characters() {
    for kind in 0..kinds::http("").len() {
        for status in [400, 403, 500] {
            let server = Server::new([Reply::Echo(status)]).await;
            let kind = kinds::http(&server.url()).swap_remove(kind);
            let told = kind.0.to_string();
            let failure = failure(kind).await;
            let received = server.only();
            let sent = format!("{received:?}");
            // Google's key signs, and these tests switch that off.
            let is_secret = sent.contains(CANARY) || sent.contains("Basic") || told.contains("\"gcs\"");
            assert!(is_secret, "{told}: {sent}");
            let sentences = [failure.to_string(), format!("{failure:?}")];
            for sentence in sentences {
                assert!(sentence.contains(&status.to_string()), "{told}: {sentence}");
                assert!(!sentence.contains(CANARY), "{told}: {sentence}");
                // Basic credentials, which hold the password in Base64.
                assert!(!sentence.contains("d3JpdGVyO"), "{told}: {sentence}");
                assert!(
                    sentence.chars().count() < 450 && !sentence.chars().any(char::is_control),
                    "{told}"
                );
            }
        }
    }
    let server = Server::new([says(500, format!("a\u{202e}b\r\nc\u{7}{}", "ü".repeat(1000)))]).await;
    let failure = failure(kinds::http(&server.url()).swap_remove(3)).await;
    let said = format!(
        "The destination answered 500 Internal Server Error: a b c {}…",
        "ü".repeat(294)
    );
    assert_eq!(failure, Failure::later(said));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_in_general_terms() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    for kind in kinds::http(&format!("http://{closed}")) {
        let told = kind.0.to_string();
        let reason = "Nothing was delivered: the server cannot be reached.";
        assert_eq!(failure(kind).await, Failure::later(reason), "{told}");
    }
}
