//! Settlements: control records change in one commit with the events that say so, or neither does.

use std::sync::Arc;

use trailbook_ledger::{
    Error, Ledger, Measures, RetentionChange, Settlement, Submission,
    backup::{Source, back_up, restore},
    database::{RecordChange, StoredRecord},
};

use crate::{
    faulty::{Fault, Faults, Faulty},
    support::{Scratch, close, event, event_with_client_id, organization, rows},
};

fn put(id: &str, expected: Option<u64>, value: &str) -> RecordChange {
    RecordChange {
        kind: "key".to_owned(),
        id: id.to_owned(),
        expected,
        value: Some(value.as_bytes().to_vec()),
    }
}

fn stored(id: &str, version: u64, value: &str) -> StoredRecord {
    StoredRecord {
        kind: "key".to_owned(),
        id: id.to_owned(),
        version,
        value: value.as_bytes().to_vec(),
    }
}

/// Events of two projects, which are a submission each.
fn said(scratch: &Scratch, ledger: &Ledger) -> Vec<Submission> {
    let of = |project: &str, name: &str| ledger.prepare(project, scratch.admit(&event(name, 0)), None, &|_| None);
    vec![of("default", "acme"), of("other", "bolt")]
}

fn settlement(scratch: &Scratch, ledger: &Ledger, records: Vec<RecordChange>) -> Settlement {
    Settlement {
        records,
        events: said(scratch, ledger),
        ..Settlement::default()
    }
}

fn sizes(ledger: &Ledger) -> Vec<u64> {
    ledger.heads().iter().map(|(_, head)| head.size).collect()
}

#[tokio::test]
async fn records_and_the_events_that_say_so_are_one_commit_whose_number_is_their_version() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    scratch.append(&ledger, &event("acme", 0)).await.unwrap();
    let records = vec![put("a", None, "1"), put("b", None, "2")];
    let version = ledger.settle(settlement(&scratch, &ledger, records)).await.unwrap();
    assert_eq!(version, *ledger.commits().borrow());
    assert_eq!(version, 2);
    assert_eq!(rows(&ledger, "acme")[1].commit, version);
    assert_eq!(sizes(&ledger), [2, 1]);
    let kept = [stored("a", 2, "1"), stored("b", 2, "2")];
    assert_eq!(ledger.records().await.unwrap(), kept);
    close(ledger).await;
    let ledger = scratch.open().await;
    assert_eq!(ledger.records().await.unwrap(), kept);
    let removed = RecordChange {
        value: None,
        ..put("a", Some(2), "")
    };
    let settled = ledger.settle(settlement(&scratch, &ledger, vec![removed])).await;
    assert_eq!(settled.unwrap(), 3);
    assert_eq!(ledger.records().await.unwrap(), kept[1..]);
    close(ledger).await;
    scratch.assert_sound().await;
}

#[tokio::test]
async fn a_stale_settlement_stores_nothing_and_everything_goes_on() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let first = settlement(&scratch, &ledger, vec![put("a", None, "1")]);
    assert_eq!(ledger.settle(first).await.unwrap(), 1);
    let stale = settlement(&scratch, &ledger, vec![put("b", None, "2"), put("a", Some(7), "2")]);
    let refused = ledger.settle(stale).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Conflict { detail } if detail.contains("id=a")),
        "{refused}"
    );
    assert_eq!(ledger.records().await.unwrap(), [stored("a", 1, "1")]);
    assert_eq!(sizes(&ledger), [1, 1]);
    let again = settlement(&scratch, &ledger, vec![put("a", Some(1), "2")]);
    assert_eq!(ledger.settle(again).await.unwrap(), 2);
    assert_eq!(ledger.settle(Settlement::default()).await.unwrap(), 2, "nothing to do");
    close(ledger).await;
    scratch.assert_sound().await;
}

#[tokio::test]
async fn of_settlements_made_from_the_same_version_one_is_stored() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let made = ["1", "2", "3", "4"].map(|value| {
        let settlement = settlement(&scratch, &ledger, vec![put("a", None, value)]);
        ledger.settle(settlement)
    });
    let settled = futures::future::join_all(made).await;
    assert_eq!(settled.iter().filter(|settled| settled.is_ok()).count(), 1);
    let refused = |settled: &&Result<u64, Error>| matches!(settled, Err(Error::Conflict { .. }));
    assert_eq!(settled.iter().filter(refused).count(), 3);
    assert_eq!(sizes(&ledger), [1, 1]);
}

#[tokio::test]
async fn a_settlement_whose_second_submission_is_refused_leaves_nothing_of_the_first() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let with_id = |number| scratch.submission(&ledger, &event_with_client_id("acme", "same", number), None);
    let settlement = Settlement {
        records: vec![put("a", None, "1")],
        events: vec![with_id(0), with_id(1)],
        ..Settlement::default()
    };
    let refused = ledger.settle(settlement).await;
    assert!(matches!(refused, Err(Error::ClientIdReused { .. })), "{refused:?}");
    assert!(sizes(&ledger).is_empty());
    assert_eq!(ledger.records().await.unwrap(), []);
    scratch.append(&ledger, &event("acme", 0)).await.unwrap();
    close(ledger).await;
    assert_eq!(scratch.assert_sound().await.events, 1);
}

#[tokio::test]
async fn a_refused_settlement_leaves_no_record_of_its_retention() {
    // When a copy was put back, the retention that nobody had was in force.
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let acme = organization("acme");
    let retention = |days| RetentionChange {
        scope: (&acme).into(),
        days: Some(Some(days)),
        legal_hold: Some(true),
    };
    let recorded = || {
        let files = std::fs::read_dir(scratch.directory.path().join("objects/forgotten"));
        files.into_iter().flatten().count()
    };
    let stale = Settlement {
        retentions: vec![retention(1)],
        ..settlement(&scratch, &ledger, vec![put("a", Some(1), "1")])
    };
    let refused = ledger.settle(stale).await;
    assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
    assert_eq!((recorded(), ledger.own_retention(&acme)), (0, None));
    let both = Settlement {
        retentions: vec![retention(2)],
        ..settlement(&scratch, &ledger, vec![put("a", None, "1")])
    };
    assert_eq!(ledger.settle(both).await.unwrap(), 1);
    let kept = ledger.retention(&acme);
    assert_eq!((recorded(), kept.days, kept.legal_hold), (1, Some(2), true));
    assert_eq!(ledger.records().await.unwrap(), [stored("a", 1, "1")]);
    close(ledger).await;
    assert_eq!(scratch.open().await.retention(&acme), kept);
}

/// Whether a settlement is stored after a fault at its commit, and what its caller was told.
async fn after(fault: Fault) -> (bool, Result<u64, Error>) {
    let scratch = Scratch::new();
    let measures = Arc::new(Measures::default());
    let faults = Faults::planned("commit", 1, fault);
    let database = Faulty {
        inner: scratch.database(&measures).await,
        faults: Arc::clone(&faults),
    };
    let ledger = Ledger::open(scratch.parts_on(Arc::new(database), measures))
        .await
        .unwrap();
    scratch.append(&ledger, &event("acme", 0)).await.unwrap();
    let told = tokio::select! {
        told = ledger.settle(settlement(&scratch, &ledger, vec![put("a", None, "1")])) => told,
        () = faults.death() => Err(Error::Unknown),
    };
    assert!(faults.has_struck());
    let fatal = ledger.fatal().borrow().is_some();
    if !faults.is_dead() && !fatal {
        let is_stored = !ledger.records().await.unwrap().is_empty();
        assert_eq!(
            sizes(&ledger),
            if is_stored { vec![2, 1] } else { vec![1] },
            "{fault:?}"
        );
        close(ledger).await;
    } else {
        drop(ledger);
    }
    let copy = scratch.copied();
    copy.assert_sound().await;
    let ledger = copy.open().await;
    let is_stored = ledger.records().await.unwrap() == [stored("a", 2, "1")];
    assert_eq!(
        sizes(&ledger),
        if is_stored { vec![2, 1] } else { vec![1] },
        "{fault:?}"
    );
    close(ledger).await;
    (is_stored, told)
}

#[tokio::test]
async fn a_fault_leaves_the_records_and_their_events_or_neither() {
    for fault in [Fault::Before, Fault::LostBefore] {
        let (is_stored, told) = after(fault).await;
        assert!(!is_stored && matches!(told, Err(Error::Storage { .. })), "{fault:?}");
    }
    let (is_stored, told) = after(Fault::LostAfter).await;
    assert!(is_stored && matches!(told, Ok(2)));
    for fault in [Fault::Sync, Fault::KilledBefore] {
        let (is_stored, told) = after(fault).await;
        assert!(!is_stored && matches!(told, Err(Error::Unknown)), "{fault:?}");
    }
    let (is_stored, told) = after(Fault::KilledAfter).await;
    assert!(is_stored && matches!(told, Err(Error::Unknown)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_has_the_records_of_its_commit_and_restores_them() {
    let scratch = Scratch::new();
    let places = tempfile::tempdir().unwrap();
    let (backup, restored) = (places.path().join("backup"), places.path().join("restored"));
    let ledger = scratch.open().await;
    let first = settlement(&scratch, &ledger, vec![put("a", None, "1")]);
    ledger.settle(first).await.unwrap();
    let source = Source {
        data: scratch.directory.path(),
        pin: None,
        secrets: &[],
    };
    back_up(
        source,
        &backup,
        trailbook_ledger::Clock::now(&*scratch.clock),
        &mut || Ok(()),
    )
    .unwrap();
    let later = settlement(&scratch, &ledger, vec![put("a", Some(1), "2"), put("b", None, "3")]);
    ledger.settle(later).await.unwrap();
    close(ledger).await;
    restore(&backup, &restored, None).unwrap();
    let ledger = Ledger::open(scratch.parts_in(&restored)).await.unwrap();
    assert_eq!(ledger.records().await.unwrap(), [stored("a", 1, "1")]);
    let refused = ledger.settle(settlement(&scratch, &ledger, vec![put("a", Some(1), "4")]));
    assert!(matches!(refused.await, Err(Error::Refused { .. })));
    close(ledger).await;
}
