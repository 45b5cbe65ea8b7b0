//! A table of step × failure: after each, repeating stores every event once, and everything is sound.

use std::sync::Arc;

use trailbook_ledger::{Error, Ledger, Measures};

use crate::{
    faulty::{Fault, Faults, Faulty},
    support::{Scratch, close, event_with_client_id, organization, rows},
};

fn batch(round: usize) -> String {
    (0..10)
        .map(|number| event_with_client_id("acme", &format!("{round}-{number}"), number))
        .collect()
}

/// Appends three batches and signs, repeating what fails; the planned fault strikes on the way.
async fn drive(scratch: &Scratch, ledger: &Ledger) -> usize {
    let mut failures = 0;
    for round in 0..3 {
        for key in [None, Some((format!("key-{round}"), "body"))] {
            let key = key.as_ref().map(|(key, body)| (key.as_str(), *body));
            while let Err(error) = ledger.append(scratch.submission(ledger, &batch(round), key)).await {
                assert!(
                    matches!(error, Error::Storage { .. } | Error::Unknown),
                    "round {round}: {error}"
                );
                failures += 1;
                assert!(failures < 10, "it goes on failing");
            }
        }
        scratch.clock.advance(2000);
        while ledger.checkpoint(&organization("acme")).await.is_err() {
            failures += 1;
            assert!(failures < 10, "it goes on failing");
        }
    }
    failures
}

#[tokio::test]
async fn every_step_may_fail_before_after_and_after_but_done() {
    let mut struck = 0;
    for verb in ["lock", "commit", "client_ids", "answer"] {
        for fault in [Fault::Before, Fault::LostBefore, Fault::LostAfter] {
            for countdown in 0..4 {
                let scratch = Scratch::new();
                let measures = Arc::new(Measures::default());
                let inner = scratch.database(&measures).await;
                let faulty = Arc::new(Faulty {
                    inner,
                    faults: Faults::planned(verb, countdown, fault),
                });
                let ledger = Ledger::open(scratch.parts_on(Arc::clone(&faulty) as _, measures))
                    .await
                    .unwrap();
                let failures = drive(&scratch, &ledger).await;
                let all = rows(&ledger, "acme");
                let place = format!("{verb} {fault:?} {countdown}");
                assert_eq!(all.len(), 30, "{place}");
                assert!(
                    all.iter().enumerate().all(|(at, row)| row.sequence == at as u64),
                    "{place}"
                );
                if faulty.faults.has_struck() {
                    struck += 1;
                    // Only an interrupted commit that took place can be told apart from one that did not.
                    let hidden = verb == "commit" && fault == Fault::LostAfter;
                    assert_eq!(failures, usize::from(!hidden), "{place}");
                }
                close(ledger).await;
                drop(faulty);
                assert_eq!(scratch.assert_sound().await.events, 30, "{place}");
            }
        }
    }
    assert!(struck >= 30, "only {struck} faults struck");
}

#[tokio::test]
async fn a_commit_in_doubt_is_asked_for_until_there_is_an_answer() {
    // The commit's answer is lost, and so is the first answer to the question what became of it.
    let scratch = Scratch::new();
    let measures = Arc::new(Measures::default());
    let inner = scratch.database(&measures).await;
    let doubting = Arc::new(Faulty {
        inner,
        faults: Faults::planned("committed", 0, Fault::Before),
    });
    let losing = Arc::new(Faulty {
        inner: doubting,
        faults: Faults::planned("commit", 0, Fault::LostAfter),
    });
    let ledger = Ledger::open(scratch.parts_on(losing, measures)).await.unwrap();
    let receipt = scratch.append(&ledger, &batch(0)).await.unwrap();
    assert_eq!(receipt.accepted(), 10);
    assert_eq!(rows(&ledger, "acme").len(), 10);
}

#[tokio::test]
async fn after_a_failed_sync_everything_is_refused_and_the_process_is_told_to_stop() {
    let scratch = Scratch::new();
    let measures = Arc::new(Measures::default());
    let inner = scratch.database(&measures).await;
    let database = Arc::new(Faulty {
        inner,
        faults: Faults::planned("commit", 0, Fault::Sync),
    });
    let ledger = Ledger::open(scratch.parts_on(database, measures)).await.unwrap();
    let fatal = ledger.fatal();
    assert!(matches!(scratch.append(&ledger, &batch(0)).await, Err(Error::Unknown)));
    assert!(fatal.borrow().is_some());
    assert!(matches!(
        scratch.append(&ledger, &batch(1)).await,
        Err(Error::Refused { .. })
    ));
    assert!(rows(&ledger, "acme").is_empty());
}
