//! What is acknowledged is there, numbered, and there again after a restart.

use std::sync::Arc;

use proptest::prelude::*;
use trailbook_ledger::{Error, Limits};

use crate::support::{Scratch, close, content, event, organization, rows};

#[tokio::test]
async fn events_are_numbered_per_organization_and_found_at_once() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let lines = [event("acme", 0), event("beta", 1), event("acme", 2)].concat();
    let receipt = scratch.append(&ledger, &lines).await.unwrap();
    let places: Vec<_> = receipt
        .events
        .iter()
        .map(|stored| (stored.organization.organization(), stored.sequence))
        .collect();
    assert_eq!(places, [("acme", 0), ("beta", 0), ("acme", 1)]);
    assert!(
        receipt.events.is_sorted_by_key(|stored| stored.id),
        "Log IDs follow the order of receipt"
    );
    assert_eq!(rows(&ledger, "acme").len(), 2);
    assert_eq!(rows(&ledger, "acme")[0].country(), Some("GB"));
    assert_eq!(ledger.head(&organization("acme")).unwrap().size, 2);
    assert_eq!(ledger.head(&organization("nobody")), None);
}

#[tokio::test]
async fn a_restart_brings_everything_back() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    for round in 0..40 {
        scratch.clock.advance(3);
        let lines: String = (0..30)
            .map(|number| event(["acme", "beta", "gamma"][number % 3], round * 30 + number))
            .collect();
        scratch.append(&ledger, &lines).await.unwrap();
    }
    let before: Vec<_> = ["acme", "beta", "gamma"]
        .map(|name| rows(&ledger, name))
        .into_iter()
        .flatten()
        .collect();
    close(ledger).await;
    let ledger = scratch.open().await;
    let after: Vec<_> = ["acme", "beta", "gamma"]
        .map(|name| rows(&ledger, name))
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    scratch.append(&ledger, &event("acme", 9)).await.unwrap();
    assert_eq!(rows(&ledger, "acme").last().unwrap().sequence, 400);
    close(ledger).await;
    assert_eq!(scratch.assert_sound().await.events, 1201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_at_once_get_gapless_sequences() {
    let scratch = Arc::new(Scratch::new());
    let ledger = scratch.open().await;
    let tasks: Vec<_> = (0..64)
        .map(|caller| {
            let (scratch, ledger) = (Arc::clone(&scratch), ledger.clone());
            tokio::spawn(async move {
                let mut sequences = Vec::new();
                for number in 0..20 {
                    let receipt = scratch
                        .append(&ledger, &event("acme", caller * 20 + number))
                        .await
                        .unwrap();
                    sequences.push(receipt.events[0].sequence);
                }
                sequences
            })
        })
        .collect();
    let mut sequences = Vec::new();
    for task in tasks {
        sequences.extend(task.await.unwrap());
    }
    sequences.sort_unstable();
    assert_eq!(sequences, (0..1280).collect::<Vec<_>>());
    close(ledger).await;
    scratch.assert_sound().await;
}

#[tokio::test]
async fn a_second_process_on_the_directory_is_refused_with_the_holders_number() {
    let scratch = Scratch::new();
    let _ledger = scratch.open().await;
    let error = trailbook_ledger::Sqlite::open(scratch.directory.path(), Arc::default())
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains(&format!("in use by process {}", std::process::id())),
        "{error}"
    );
}

#[tokio::test]
async fn the_tail_is_bounded_and_says_which_bound() {
    let mut scratch = Scratch::new();
    scratch.limits.tail_events_max = 10;
    let ledger = scratch.open().await;
    let eight: String = (0..8).map(|number| event("acme", number)).collect();
    scratch.append(&ledger, &eight).await.unwrap();
    let refused = scratch.append(&ledger, &eight).await.unwrap_err();
    assert!(
        matches!(
            refused,
            Error::Overloaded {
                limit: "tail_events_max",
                ..
            }
        ),
        "{refused}"
    );
    assert_eq!(rows(&ledger, "acme").len(), 8, "a refused submission leaves nothing");
    ledger.ready(1_000).expect("it has room for one");
    for number in 8..10 {
        scratch.append(&ledger, &event("acme", number)).await.unwrap();
    }
    let full = ledger.ready(1_000).unwrap_err();
    assert!(full.to_string().contains("tail_events_max"), "{full}");
}

#[tokio::test]
async fn a_tail_that_is_half_full_is_sealed_whichever_bound_it_comes_to_first() {
    let bounds: [fn(&mut Limits); 3] = [
        |limits| limits.seal_events = 8,
        |limits| limits.tail_events_max = 16,
        |limits| limits.tail_bytes_max = 16 * 1024,
    ];
    for bound in bounds {
        let mut scratch = Scratch::new();
        bound(&mut scratch.limits);
        let ledger = scratch.open().await;
        scratch.append(&ledger, &event("acme", 0)).await.unwrap();
        assert!(!ledger.is_tail_full(), "{:?}", scratch.limits);
        let mut number = 1;
        while ledger.ready(1_000).is_ok() && number < 16 {
            scratch.append(&ledger, &event("acme", number)).await.unwrap();
            number += 1;
        }
        assert!(ledger.is_tail_full(), "{:?}", scratch.limits);
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_refuses_until_it_is_right() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    scratch.append(&ledger, &event("acme", 0)).await.unwrap();
    for off in [-61_000, 3_601_000] {
        scratch.clock.set_off_by(off);
        let refused = scratch.append(&ledger, &event("acme", 1)).await.unwrap_err();
        assert!(
            matches!(&refused, Error::Refused { reason } if reason.contains("clock")),
            "{refused}"
        );
        scratch.clock.set_off_by(-off);
    }
    scratch.clock.set_off_by(-5_000);
    scratch.append(&ledger, &event("acme", 2)).await.unwrap();
    let times: Vec<_> = rows(&ledger, "acme").iter().map(|row| row.received_at).collect();
    assert!(times.is_sorted(), "received_at never falls back: {times:?}");
}

#[tokio::test]
async fn a_closed_ledger_takes_nothing_more() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    ledger.close().await.unwrap();
    assert!(matches!(
        scratch.append(&ledger, &event("acme", 0)).await,
        Err(Error::Refused { .. })
    ));
    assert!(ledger.ready(0).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]
    /// Random batches over random organizations, with restarts in between, read back as a plain list would.
    #[test]
    fn any_batches_read_back_as_from_a_list(
        batches in prop::collection::vec((prop::collection::vec(0_usize..5, 1..40), any::<bool>()), 1..12),
    ) {
        let names = ["a", "b", "c", "d", "e"];
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let scratch = Scratch::new();
            let mut ledger = scratch.open().await;
            let mut expected: Vec<Vec<Vec<u8>>> = vec![Vec::new(); 5];
            for (number, (batch, restart)) in batches.iter().enumerate() {
                let lines: String = batch.iter().map(|name| event(names[*name], number)).collect();
                for (admitted, name) in scratch.admit(&lines).into_iter().zip(batch) {
                    expected[*name].push(admitted.parts.bytes().clone());
                }
                scratch.append(&ledger, &lines).await.unwrap();
                scratch.clock.advance(10);
                if *restart {
                    close(ledger).await;
                    ledger = scratch.open().await;
                }
            }
            for (name, expected) in names.iter().zip(&expected) {
                let found: Vec<_> = rows(&ledger, name).iter().map(|row| content(row)).collect();
                let expected: Vec<_> = expected.iter().cloned().enumerate().map(|(at, bytes)| (at as u64, bytes)).collect();
                assert_eq!(found, expected);
            }
            close(ledger).await;
            scratch.assert_sound().await;
        });
    }
}

#[tokio::test]
async fn what_waits_counts_against_the_queue_even_when_its_caller_is_gone() {
    // A dropped call used to give its share back while its submission still waited: the queue's bytes were not bounded.
    let mut scratch = Scratch::new();
    scratch.limits.queue_bytes_max = 3 * 1024;
    let ledger = scratch.open().await;
    let three: String = (0..3).map(|number| event("acme", number)).collect();
    let mut first = Box::pin(ledger.append(scratch.submission(&ledger, &three, None)));
    assert!(futures::poll!(first.as_mut()).is_pending());
    drop(first);
    let refused = scratch.append(&ledger, &three).await.unwrap_err();
    assert!(
        matches!(
            refused,
            Error::Overloaded {
                limit: "queue_bytes_max",
                ..
            }
        ),
        "{refused}"
    );
    ledger.close().await.unwrap();
    assert_eq!(rows(&ledger, "acme").len(), 3, "what waited was stored");
}
