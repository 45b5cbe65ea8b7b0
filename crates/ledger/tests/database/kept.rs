//! What is kept beside events and segments: floors and tiles, retentions, redactions, leases.

use trailbook_ledger::{
    OrganizationKey, PartSecret, RetentionScope,
    database::{Change, Floor, PendingRetention, StoredRedaction, StoredRetention, StoredTile},
};
use trailbook_merkle::Hash;

use crate::support::{Place, Scratch, assert_refused, changes, load, on_every_engine};

on_every_engine! {
    a_floor_only_moves_up_and_brings_its_tiles,
    a_retention_is_kept_for_a_scope_without_a_ledger_and_replaced,
    redactions_are_kept_for_ever_and_a_later_one_waits_to_be_carried_out,
    of_many_who_want_a_lease_at_once_one_gets_it,
}

fn tile(ledger: u64, tile: u64, pieces: u8) -> StoredTile {
    StoredTile {
        ledger,
        tile,
        pieces: (0..pieces)
            .map(|piece| (piece * 3, piece % 8, Hash([piece; 32])))
            .collect(),
    }
}

/// A floor, and what lies below was received a second before.
fn at(sequence: u64) -> Floor {
    let received_at = sequence as i64 - 1_000;
    Floor { sequence, received_at }
}

fn floor(ledger: u64, floor: u64, tiles: &[StoredTile]) -> Change {
    Change::Floor {
        ledger,
        floor: at(floor),
        tiles: tiles.to_vec(),
    }
}

async fn a_floor_only_moves_up_and_brings_its_tiles(place: impl Place) {
    let database = place.open().await;
    assert_eq!(load(&*database).await.floors, []);
    let first = [tile(7, 0, 3), tile(7, 1, 85)];
    database
        .commit(changes(1, [floor(7, 300, &first), floor(9, 1, &[])]))
        .await
        .unwrap();
    for lower in [0, 299, 300] {
        let stale = changes(2, [floor(9, 2, &[]), floor(7, lower, &[tile(7, 0, 1)])]);
        assert_refused(&*database, stale).await;
        assert_eq!(database.tiles(7, 0, u64::MAX).await.unwrap(), first);
    }
    // One tile is kept anew, one is forgotten, others stay.
    database
        .commit(changes(2, [floor(7, 600, &[tile(7, 0, 0), tile(7, 2, 4)])]))
        .await
        .unwrap();
    drop(database);
    let database = place.open().await;
    assert_eq!(load(&*database).await.floors, [(7, at(600)), (9, at(1))]);
    assert_eq!(
        database.tiles(7, 0, u64::MAX).await.unwrap(),
        [tile(7, 1, 85), tile(7, 2, 4)]
    );
    assert_eq!(database.tiles(7, 2, 3).await.unwrap(), [tile(7, 2, 4)]);
    assert_eq!(database.tiles(7, 0, 1).await.unwrap(), []);
    assert_eq!(database.tiles(8, 0, u64::MAX).await.unwrap(), []);
}

async fn a_retention_is_kept_for_a_scope_without_a_ledger_and_replaced(place: impl Place) {
    let database = place.open().await;
    load(&*database).await;
    let acme = StoredRetention {
        scope: RetentionScope::Organization(OrganizationKey::new("default", "acme")),
        days: Some(Some(365)),
        legal_hold: None,
        pending: Some(PendingRetention {
            days: Some(Some(30)),
            at: 77,
        }),
    };
    let bolt = StoredRetention {
        scope: RetentionScope::Organization(OrganizationKey::new("default", "bolt")),
        days: Some(None),
        legal_hold: Some(true),
        pending: Some(PendingRetention { days: None, at: 78 }),
    };
    let project = StoredRetention {
        scope: RetentionScope::Project("default".into()),
        days: None,
        legal_hold: Some(false),
        pending: None,
    };
    let all = [project.clone(), acme.clone(), bolt.clone()];
    database
        .commit(changes(1, all.clone().map(Change::Retention)))
        .await
        .unwrap();
    assert_eq!(load(&*database).await.retentions, all);
    let taken_back = StoredRetention { pending: None, ..acme };
    database
        .commit(changes(2, [Change::Retention(taken_back.clone())]))
        .await
        .unwrap();
    drop(database);
    assert_eq!(load(&*place.open().await).await.retentions, [project, taken_back, bolt]);
}

async fn redactions_are_kept_for_ever_and_a_later_one_waits_to_be_carried_out(place: impl Place) {
    let database = place.open().await;
    load(&*database).await;
    let redaction = |removed: usize, redacted_at: i64| StoredRedaction {
        ledger: 4,
        sequence: 12,
        secrets: Box::new(std::array::from_fn(|part| {
            if part < removed {
                PartSecret::Commitment(Hash([part as u8; 32]))
            } else {
                PartSecret::Salt([part as u8 + 100; 32])
            }
        })),
        redacted_at,
        rewritten: false,
    };
    let rewritten = |redacted_at: i64| Change::Rewritten {
        ledger: 4,
        redactions: vec![(12, redacted_at)],
    };
    database
        .commit(changes(1, [Change::Redact(redaction(2, 10))]))
        .await
        .unwrap();
    assert_eq!(load(&*database).await.redactions, [redaction(2, 10)]);
    database.commit(changes(2, [rewritten(10)])).await.unwrap();
    let done = StoredRedaction {
        rewritten: true,
        ..redaction(2, 10)
    };
    assert_eq!(load(&*database).await.redactions, [done]);
    // More of the same event is removed while the first redaction is being carried out.
    database
        .commit(changes(3, [Change::Redact(redaction(3, 20))]))
        .await
        .unwrap();
    database.commit(changes(4, [rewritten(10)])).await.unwrap();
    drop(database);
    assert_eq!(load(&*place.open().await).await.redactions, [redaction(3, 20)]);
}

#[tokio::test]
async fn a_lease_has_one_holder_until_it_ends() {
    let scratch = Scratch::new();
    let database = scratch.open().await;
    let lease = |job: &str, holder: &str, now, until| database.lease(job.to_owned(), holder.to_owned(), now, until);
    assert!(lease("seal", "a", 0, 100).await.unwrap());
    assert!(!lease("seal", "b", 99, 500).await.unwrap());
    assert!(lease("compact", "b", 99, 500).await.unwrap(), "each job has its own");
    assert!(lease("seal", "a", 50, 200).await.unwrap(), "its holder renews it");
    assert!(!lease("seal", "b", 199, 500).await.unwrap());
    assert!(
        lease("seal", "b", 200, 500).await.unwrap(),
        "whoever finds it ended takes over"
    );
    assert!(!lease("seal", "a", 201, 900).await.unwrap());
    drop(database);
    let database = scratch.open().await;
    let again = database.lease("seal".to_owned(), "a".to_owned(), 202, 900);
    assert!(
        again.await.unwrap(),
        "whoever has the directory knows that the holder has ended"
    );
}

async fn of_many_who_want_a_lease_at_once_one_gets_it(place: impl Place) {
    let database = place.open().await;
    let wanted = (0..50).map(|holder| database.lease("seal".to_owned(), holder.to_string(), 0, 100));
    let answers = futures::future::join_all(wanted).await;
    assert_eq!(answers.into_iter().filter(|taken| *taken.as_ref().unwrap()).count(), 1);
}
