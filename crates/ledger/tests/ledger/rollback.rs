//! A database that is put back to an older copy while the objects stay.

use trailbook_ledger::{Error, recover_in_new_epoch};

use crate::support::{Scratch, close, event, organization, rows};

/// Copies the closed database's file aside.
fn copy_database(scratch: &Scratch) -> Vec<u8> {
    std::fs::read(scratch.database_file()).unwrap()
}

async fn put_back_to_yesterday() -> Scratch {
    let scratch = Scratch::new();
    let acme = organization("acme");
    let ledger = scratch.open().await;
    for number in 0..5 {
        scratch.append(&ledger, &event("acme", number)).await.unwrap();
    }
    ledger.checkpoint(&acme).await.unwrap();
    close(ledger).await;
    let yesterday = copy_database(&scratch);
    let ledger = scratch.open().await;
    scratch.append(&ledger, &event("acme", 5)).await.unwrap();
    scratch.clock.advance(2000);
    ledger.checkpoint(&acme).await.unwrap();
    close(ledger).await;
    std::fs::write(scratch.database_file(), yesterday).unwrap();
    scratch
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_go_on_and_writing_and_signing_refuse() {
    let scratch = put_back_to_yesterday().await;
    let ledger = scratch.open().await;
    assert_eq!(rows(&ledger, "acme").len(), 5);
    let refused = scratch.append(&ledger, &event("acme", 6)).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Refused { reason } if reason.contains("trailbook recover")),
        "{refused}"
    );
    assert!(ledger.ready(0).is_err());
    close(ledger).await;
    let report = scratch.fsck().await;
    assert!(
        report.findings.iter().any(|finding| finding.place == "chain"),
        "{:?}",
        report.findings
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_epoch_is_the_explicit_way_out() {
    let scratch = put_back_to_yesterday().await;
    let recovered = recover_in_new_epoch(scratch.parts().await, "restored from a copy")
        .await
        .unwrap();
    assert!(recovered.contradiction.is_some());
    assert_eq!((recovered.era, recovered.ledgers), (2, 1));
    scratch.clock.advance(2000);
    let ledger = scratch.open().await;
    let acme = organization("acme");
    let all = rows(&ledger, "acme");
    assert_eq!(all.iter().map(|row| row.epoch).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 2]);
    let details = String::from_utf8(all[5].parts.part(trailbook_event::Part::Details).to_vec()).unwrap();
    assert!(
        details.contains("last_checkpoint") && details.contains("restored from a copy"),
        "{details}"
    );
    scratch.append(&ledger, &event("acme", 7)).await.unwrap();
    let checkpoint = ledger.checkpoint(&acme).await.unwrap();
    assert!(
        checkpoint.note.lines().next().unwrap().ends_with("/default/acme/e2"),
        "{}",
        checkpoint.note
    );
    assert_eq!((checkpoint.epoch, checkpoint.size), (2, 7));
    close(ledger).await;
    scratch.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_from_before_the_recovery_is_noticed_too() {
    let scratch = put_back_to_yesterday().await;
    let yesterday = copy_database(&scratch);
    recover_in_new_epoch(scratch.parts().await, "restored").await.unwrap();
    std::fs::write(scratch.database_file(), yesterday).unwrap();
    let ledger = scratch.open().await;
    assert!(matches!(
        scratch.append(&ledger, &event("acme", 6)).await,
        Err(Error::Refused { .. })
    ));
}
