//! Every write on the way to the lake's log fails, loses its answer, or ends the process: the log is right once somebody goes on.

use trailbook_ledger::{Error, Ledger};

use crate::{
    faulty::{Fault, Faults},
    faulty_objects::faulty,
    lake_log::{Log, assert_log},
    support::{Scratch, close, event},
};

/// Events sealed after the process begins.
const SEALS: usize = 3;

/// A ledger with a log, and with more versions than a checkpoint waits for that are not in it yet.
async fn base() -> Scratch {
    let mut scratch = Scratch::new();
    scratch.limits.seal_events = 1;
    let ledger = scratch.open().await;
    for number in 0..98 {
        scratch.append(&ledger, &event("acme", number)).await.unwrap();
        ledger.seal().await.unwrap().unwrap();
    }
    ledger.write_lake().await.unwrap();
    close(ledger).await;
    scratch
}

/// Seals, and writes to the log, as the jobs do: what fails is tried again.
async fn live(scratch: &Scratch, ledger: &Ledger) -> usize {
    let mut failures = 0;
    for number in 0..SEALS {
        let lines = event("acme", number);
        let mut done = [false; 3];
        while done != [true; 3] {
            let outcome = if !done[0] {
                scratch.append(ledger, &lines).await.map(|_| done[0] = true)
            } else if !done[1] {
                ledger.seal().await.map(|_| done[1] = true)
            } else {
                ledger.write_lake().await.map(|_| done[2] = true)
            };
            if let Err(error) = outcome {
                assert!(matches!(error, Error::Storage { .. }), "{error}");
                failures += 1;
                assert!(failures < 10, "it goes on failing");
            }
        }
    }
    failures
}

/// Runs in a process of its own, as it were: when this returns, nothing of it is left running.
fn in_a_process<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(life)
}

#[test]
fn every_write_may_fail() {
    let base = in_a_process(base());
    let counted = base.copied();
    let faults = Faults::none();
    in_a_process(async {
        let ledger = Ledger::open(faulty(&counted, &faults).await).await.unwrap();
        assert_eq!(live(&counted, &ledger).await, 0);
        close(ledger).await;
    });
    let calls = faults.calls();
    // 98 once more at the beginning, those that are new, a checkpoint and what names it.
    assert!(calls["put"] > 98 + SEALS + 1, "{calls:?}");
    for (verb, count) in [("put", calls["put"]), ("commit", calls["commit"])] {
        // All that is written once more is written alike.
        for countdown in (0..count).filter(|place| verb == "commit" || *place == 0 || *place > 97) {
            for fault in [Fault::Before, Fault::LostAfter, Fault::KilledBefore, Fault::KilledAfter] {
                strike(&base, verb, countdown, fault);
            }
        }
    }
}

fn strike(base: &Scratch, verb: &'static str, countdown: usize, fault: Fault) {
    let place = format!("{verb} {countdown} {fault:?}");
    let copy = base.copied();
    let faults = Faults::planned(verb, countdown, fault);
    let is_alive = in_a_process(async {
        let ledger = Ledger::open(faulty(&copy, &faults).await).await.unwrap();
        let life = async {
            live(&copy, &ledger).await;
            // It may be the last put, that of the chain head, that fails.
            let _ = ledger.close().await;
        };
        tokio::select! {
            () = life => true,
            () = faults.death() => false,
        }
    });
    assert!(faults.has_struck(), "{place}");
    in_a_process(async {
        if is_alive {
            assert_log(&copy, &place).await;
        }
        let before = Log::read(&copy);
        let newest = before.versions.keys().next_back().copied().unwrap_or(0);
        assert_eq!(before.versions.len() as u64, newest + 1, "{place}: it has a gap");
        let ledger = copy.open().await;
        live(&copy, &ledger).await;
        close(ledger).await;
        let after = assert_log(&copy, &place).await;
        assert!(
            before
                .versions
                .iter()
                .all(|(version, body)| after.versions[version] == *body),
            "{place}: what was written once is written otherwise"
        );
        assert!(!after.checkpoints.is_empty(), "{place}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_write_at_once_do_no_harm() {
    let mut scratch = Scratch::new();
    scratch.limits.seal_events = 1;
    let parts = scratch.parts().await;
    let ledger = Ledger::open(parts.clone()).await.unwrap();
    for round in 0..20 {
        for number in 0..4 {
            scratch.append(&ledger, &event("acme", number)).await.unwrap();
            ledger.seal().await.unwrap().unwrap();
        }
        // It knows no more than what there was when it began, and does not know that somebody else goes on.
        let late = Ledger::open(parts.clone()).await.unwrap();
        scratch.append(&ledger, &event("acme", round)).await.unwrap();
        let (one, other, sealed) = tokio::join!(ledger.write_lake(), late.write_lake(), ledger.seal());
        one.unwrap();
        sealed.unwrap();
        // Only what follows a checkpoint is a commit, which whoever is late cannot make.
        assert!(other.is_ok() || round >= 19, "{other:?}");
        drop(late);
    }
    while ledger.write_lake().await.unwrap() {}
    close(ledger).await;
    drop(parts);
    let log = assert_log(&scratch, "two at once").await;
    assert_eq!(log.versions.len(), 100);
}
