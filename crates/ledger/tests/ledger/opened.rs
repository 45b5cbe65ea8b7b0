//! Ledgers that were opened and are empty: every question has a sensible answer, and the first event is number 0.

use trailbook_ledger::{
    Clock, Error, Ledger, Settlement,
    backup::{Source, back_up, restore},
    recover_in_new_epoch,
};
use trailbook_merkle::{Frontier, tile::TilePath, verify_consistency};

use crate::support::{Scratch, close, event, organization, rows};

async fn open(scratch: &Scratch, ledger: &Ledger, name: &str, with_event: bool) -> u64 {
    let events = with_event.then(|| scratch.submission(ledger, &event("records", 0), None));
    let settlement = Settlement {
        open: vec![organization(name)],
        events: events.into_iter().collect(),
        ..Settlement::default()
    };
    ledger.settle(settlement).await.unwrap()
}

/// Everything that can be asked of an empty ledger.
async fn assert_empty(ledger: &Ledger, name: &str) {
    let key = organization(name);
    assert_eq!(ledger.head(&key).unwrap().size, 0);
    assert!(ledger.heads().iter().any(|(known, _)| *known == key));
    assert!(rows(ledger, name).is_empty() && ledger.tail(&key, 0, 9).is_empty());
    let sealed = ledger.sealed(&key).unwrap();
    assert_eq!((sealed.runs.len(), sealed.end, sealed.floor), (0, 0, 0));
    assert_eq!(
        (
            ledger.minimum_index(&key).unwrap(),
            ledger.expired_through(&key).unwrap()
        ),
        (0, None)
    );
    assert_eq!(ledger.stats().unwrap().organizations[&key].size, 0);
    let checkpoint = ledger.checkpoint(&key).await.unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (0, Frontier::new().root()));
    assert_eq!(ledger.checkpoint_at(&key, 0).await.unwrap(), checkpoint);
    assert!(ledger.prove_consistency(&key, 0, 0).await.unwrap().is_empty());
    assert!(matches!(ledger.prove_inclusion(&key, 0, 0).await, Err(Error::NotFound)));
    ledger.prove_range(&key, 0, 0, 0).await.unwrap();
    for path in ["0/000", "entries/000", "0/000.p/1"] {
        let tile = ledger.tile(&key, &TilePath::parse(path).unwrap(), 0).await;
        assert!(matches!(tile, Err(Error::NotFound)), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opened_ledger_is_empty_until_its_first_event_which_is_number_0() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    assert_eq!(open(&scratch, &ledger, "acme", true).await, 1);
    assert_eq!(open(&scratch, &ledger, "bolt", false).await, 2);
    open(&scratch, &ledger, "acme", false).await;
    scratch.append(&ledger, &event("crow", 0)).await.unwrap();
    for name in ["acme", "bolt"] {
        assert_empty(&ledger, name).await;
    }
    close(ledger).await;
    scratch.assert_sound().await;

    let ledger = scratch.open().await;
    assert_empty(&ledger, "acme").await;
    while ledger.seal().await.unwrap().is_some() {}
    assert_eq!(ledger.advance_floors().await.unwrap(), 0);
    assert_empty(&ledger, "bolt").await;
    let receipt = scratch.append(&ledger, &event("acme", 7)).await.unwrap();
    assert_eq!(receipt.events[0].sequence, 0);
    scratch.clock.advance(2_000);
    let (key, empty) = (organization("acme"), Frontier::new().root());
    let newest = ledger.checkpoint(&key).await.unwrap();
    let proof = ledger.prove_consistency(&key, 0, 1).await.unwrap();
    verify_consistency(0, empty, 1, newest.root, &proof).unwrap();
    while ledger.seal().await.unwrap().is_some() {}
    close(ledger).await;
    let report = scratch.assert_sound().await;
    assert_eq!((report.ledgers, report.events), (4, 3));
}

#[tokio::test]
async fn ledgers_that_are_opened_together_with_events_or_twice_in_a_row_are_one() {
    let scratch = Scratch::new();
    let ledger = scratch.open().await;
    let key = organization("acme");
    let settlement = Settlement {
        open: vec![key.clone(), key.clone(), organization("bolt")],
        events: vec![scratch.submission(&ledger, &event("acme", 0), None)],
        ..Settlement::default()
    };
    ledger.settle(settlement).await.unwrap();
    let sizes: Vec<u64> = ledger.heads().iter().map(|(_, head)| head.size).collect();
    assert_eq!(sizes, [1, 0]);
    close(ledger).await;
    scratch.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_ledger_is_backed_up_restored_and_goes_on_in_a_new_epoch() {
    let scratch = Scratch::new();
    let places = tempfile::tempdir().unwrap();
    let (backup, restored) = (places.path().join("backup"), places.path().join("restored"));
    let ledger = scratch.open().await;
    open(&scratch, &ledger, "acme", false).await;
    assert_empty(&ledger, "acme").await;
    let source = Source {
        data: scratch.directory.path(),
        pin: None,
        secrets: &[],
    };
    let contents = back_up(source, &backup, scratch.clock.now(), &mut || Ok(())).unwrap();
    assert_eq!((contents.ledgers.len(), contents.ledgers[0].size), (1, 0));
    close(ledger).await;
    restore(&backup, &restored, None).unwrap();
    let ledger = Ledger::open(scratch.parts_in(&restored)).await.unwrap();
    assert_empty(&ledger, "acme").await;
    close(ledger).await;
    recover_in_new_epoch(scratch.parts_in(&restored), "disk failure")
        .await
        .unwrap();
    let ledger = Ledger::open(scratch.parts_in(&restored)).await.unwrap();
    let head = ledger.head(&organization("acme")).unwrap();
    assert_eq!((head.size, head.epoch), (1, 2), "the event that begins the epoch");
    close(ledger).await;
}
