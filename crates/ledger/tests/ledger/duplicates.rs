//! Repeating is safe: idempotency keys and client ids.

use std::sync::Arc;

use trailbook_ledger::Error;

use crate::support::{Scratch, close, event, event_with_client_id, rows};

const DAY_MS: i64 = 24 * 3_600_000;

#[tokio::test]
async fn the_same_key_gets_the_first_answer_also_after_a_restart() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let lines = [event("acme", 0), event("beta", 1), event("acme", 2)].concat();
    let first = ledger
        .append(scratch.submission(&ledger, &lines, Some(("k", "body"))))
        .await
        .unwrap();
    let again = ledger
        .append(scratch.submission(&ledger, &lines, Some(("k", "body"))))
        .await
        .unwrap();
    assert_eq!(first, again);
    close(ledger).await;
    let ledger = scratch.open().await;
    let again = ledger
        .append(scratch.submission(&ledger, &lines, Some(("k", "body"))))
        .await
        .unwrap();
    assert_eq!(first, again);
    let other = ledger
        .append(scratch.submission(&ledger, &lines, Some(("k", "other"))))
        .await;
    assert!(matches!(other, Err(Error::IdempotencyKeyReused)));
    assert_eq!(rows(&ledger, "acme").len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_callers_with_one_key_store_once() {
    let scratch = Arc::new(Scratch::new());
    let ledger = scratch.open().await;
    let submissions: Vec<_> = (0..50)
        .map(|_| scratch.submission(&ledger, &event("acme", 0), Some(("k", "body"))))
        .collect();
    let answers = futures::future::join_all(submissions.into_iter().map(|submission| ledger.append(submission))).await;
    let first = answers[0].as_ref().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == first));
    assert_eq!(rows(&ledger, "acme").len(), 1);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let send = |lines: String| {
        let submission = scratch.submission(&ledger, &lines, Some(("k", "body")));
        let ledger = ledger.clone();
        async move { ledger.append(submission).await.unwrap() }
    };
    send(event("acme", 0)).await;
    scratch.clock.advance(DAY_MS - 1000);
    send(event("acme", 0)).await;
    assert_eq!(rows(&ledger, "acme").len(), 1);
    scratch.clock.advance(2000);
    send(event("acme", 0)).await;
    assert_eq!(rows(&ledger, "acme").len(), 2);
}

#[tokio::test]
async fn a_client_id_is_recognised_across_requests_batches_and_restarts() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let same = event_with_client_id("acme", "c1", 1);
    let first = scratch.append(&ledger, &same).await.unwrap();
    let batch = [
        event("acme", 5),
        same.clone(),
        event_with_client_id("beta", "c1", 1),
        same.clone(),
    ]
    .concat();
    let second = scratch.append(&ledger, &batch).await.unwrap();
    let duplicate: Vec<_> = second.events.iter().map(|stored| stored.duplicate).collect();
    assert_eq!(duplicate, [false, true, false, true]);
    assert_eq!(second.events[1].id, first.events[0].id);
    assert_eq!((second.accepted(), second.duplicates()), (2, 2));
    close(ledger).await;
    let ledger = scratch.open().await;
    let third = scratch.append(&ledger, &same).await.unwrap();
    assert_eq!(
        (third.events[0].id, third.events[0].duplicate),
        (first.events[0].id, true)
    );
    assert_eq!(rows(&ledger, "acme").len(), 2);
    close(ledger).await;
    scratch.assert_sound().await;
}

#[tokio::test]
async fn a_client_id_with_other_content_stores_nothing_and_names_the_events() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    scratch
        .append(&ledger, &event_with_client_id("acme", "c1", 1))
        .await
        .unwrap();
    let batch = [
        event("acme", 5),
        event_with_client_id("acme", "c1", 2),
        event_with_client_id("acme", "c2", 1),
        event_with_client_id("acme", "c2", 2),
    ];
    let refused = scratch.append(&ledger, &batch.concat()).await.unwrap_err();
    assert!(
        matches!(&refused, Error::ClientIdReused { events } if events == &[1, 3]),
        "{refused}"
    );
    assert_eq!(rows(&ledger, "acme").len(), 1);
    scratch
        .append(&ledger, &event_with_client_id("acme", "c2", 1))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_default_time_does_not_make_a_repetition_something_else() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let line = event_with_client_id("acme", "c1", 1);
    scratch.append(&ledger, &line).await.unwrap();
    scratch.clock.advance(60_000);
    assert_eq!(scratch.append(&ledger, &line).await.unwrap().duplicates(), 1);
}

#[tokio::test]
async fn a_client_id_is_forgotten_after_a_day_and_what_waits_is_not() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    scratch
        .append(&ledger, &event_with_client_id("acme", "c1", 1))
        .await
        .unwrap();
    scratch.clock.advance(DAY_MS - 500_000);
    scratch
        .append(&ledger, &event_with_client_id("acme", "c2", 2))
        .await
        .unwrap();
    scratch.clock.advance(600_000);
    let again = [
        event_with_client_id("acme", "c1", 1),
        event_with_client_id("acme", "c2", 2),
    ]
    .concat();
    let receipt = scratch.append(&ledger, &again).await.unwrap();
    assert_eq!(
        receipt.events.iter().map(|stored| stored.duplicate).collect::<Vec<_>>(),
        [false, true]
    );
}
