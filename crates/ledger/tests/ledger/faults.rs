//! A table of step × failure: after each, repeating stores every event once, and everything is sound.

use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use trailbook_ledger::{
    Error, Ledger, Measures,
    database::{
        Answer, ChainHead, CommitError, Database, DatabaseError, Garbage, Group, LedgerId, Loaded, StoredAnswer,
        StoredCheckpoint, StoredClientId, StoredTile, Subtree, TailRow,
    },
};
use trailbook_merkle::Hash;

use crate::support::{Fault, Faulty, Plan, Scratch, close, event_with_client_id, organization, rows};

impl Faulty {
    fn pass<'a, T: Send + 'a>(&'a self, verb: &'static str, call: Answer<'a, T>) -> Answer<'a, T> {
        match self.strikes(verb) {
            None => call,
            Some(Fault::LostAfter) => Box::pin(async move {
                call.await?;
                Err(DatabaseError("lost after".to_owned()))
            }),
            Some(_) => Box::pin(async { Err(DatabaseError("lost before".to_owned())) }),
        }
    }
}

impl Database for Faulty {
    fn load(&self, secret: [u8; 32], deployment: String) -> Answer<'_, Loaded> {
        self.pass("load", self.inner.load(secret, deployment))
    }
    fn tail(&self, after: u64, bytes_max: usize) -> Answer<'_, Vec<TailRow>> {
        self.pass("tail", self.inner.tail(after, bytes_max))
    }
    fn lock(&self, known: u64) -> Answer<'_, (ChainHead, Vec<TailRow>)> {
        self.pass("lock", self.inner.lock(known))
    }
    fn commit(&self, group: Group) -> BoxFuture<'_, Result<(), CommitError>> {
        match self.strikes("commit") {
            None => self.inner.commit(group),
            Some(Fault::Before) => Box::pin(async { Err(CommitError::NotCommitted("before".to_owned())) }),
            Some(Fault::Sync) => Box::pin(async { Err(CommitError::Fatal("sync".to_owned())) }),
            Some(Fault::LostBefore) => Box::pin(async { Err(CommitError::Unknown("lost before".to_owned())) }),
            Some(Fault::LostAfter) => Box::pin(async move {
                self.inner.commit(group).await?;
                Err(CommitError::Unknown("lost after".to_owned()))
            }),
        }
    }
    fn committed(&self, token: [u8; 16]) -> Answer<'_, Option<u64>> {
        self.pass("committed", self.inner.committed(token))
    }
    fn chain(&self, commit: u64) -> Answer<'_, Option<Hash>> {
        self.pass("chain", self.inner.chain(commit))
    }
    fn answer(&self, key: [u8; 32]) -> Answer<'_, Option<StoredAnswer>> {
        self.pass("answer", self.inner.answer(key))
    }
    fn client_ids(&self, keys: Vec<[u8; 16]>, since: i64) -> Answer<'_, Vec<StoredClientId>> {
        self.pass("client_ids", self.inner.client_ids(keys, since))
    }
    fn remembered(&self, since: i64) -> Answer<'_, (Vec<([u8; 32], i64)>, Vec<([u8; 16], i64)>)> {
        self.pass("remembered", self.inner.remembered(since))
    }
    fn subtrees(&self, ledger: LedgerId, level: u8, begin: u64, end: u64) -> Answer<'_, Vec<Subtree>> {
        self.pass("subtrees", self.inner.subtrees(ledger, level, begin, end))
    }
    fn tiles(&self, ledger: u64, first: u64, end: u64) -> Answer<'_, Vec<StoredTile>> {
        self.inner.tiles(ledger, first, end)
    }

    fn garbage(&self, now: i64) -> Answer<'_, Vec<Garbage>> {
        self.inner.garbage(now)
    }

    fn lease(&self, job: String, holder: String, now: i64, until: i64) -> Answer<'_, bool> {
        self.inner.lease(job, holder, now, until)
    }

    fn checkpoint(&self, ledger: LedgerId, size: u64) -> Answer<'_, Option<StoredCheckpoint>> {
        self.pass("checkpoint", self.inner.checkpoint(ledger, size))
    }
    fn checkpoints(&self, ledger: LedgerId) -> Answer<'_, Vec<StoredCheckpoint>> {
        self.pass("checkpoints", self.inner.checkpoints(ledger))
    }
}

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
                let inner = scratch.sqlite(&measures);
                let faulty = Arc::new(Faulty {
                    inner,
                    plan: Mutex::new(Some(Plan { verb, fault, countdown })),
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
                if faulty.plan.lock().unwrap().is_none() {
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
    let inner = scratch.sqlite(&measures);
    let first = Plan {
        verb: "commit",
        fault: Fault::LostAfter,
        countdown: 0,
    };
    let second = Plan {
        verb: "committed",
        fault: Fault::Before,
        countdown: 0,
    };
    let doubting = Arc::new(Faulty {
        inner,
        plan: Mutex::new(Some(second)),
    });
    let losing = Arc::new(Faulty {
        inner: doubting,
        plan: Mutex::new(Some(first)),
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
    let inner = scratch.sqlite(&measures);
    let plan = Plan {
        verb: "commit",
        fault: Fault::Sync,
        countdown: 0,
    };
    let database = Arc::new(Faulty {
        inner,
        plan: Mutex::new(Some(plan)),
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
