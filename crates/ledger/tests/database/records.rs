//! Control records are written with the commit that carries them, from the version that they were read at.

use trailbook_ledger::database::{Change, RecordChange, StoredRecord};

use crate::support::{Place, assert_refused, changes, events, load, on_every_engine};

on_every_engine! {
    records_are_written_replaced_and_removed_from_the_version_they_are_at,
    a_change_made_from_another_version_leaves_nothing_of_its_commit,
}

fn change(id: &str, expected: Option<u64>, value: Option<&[u8]>) -> Change {
    Change::Record(RecordChange {
        kind: "user".to_owned(),
        id: id.to_owned(),
        expected,
        value: value.map(<[u8]>::to_vec),
    })
}

fn stored(id: &str, version: u64, value: &[u8]) -> StoredRecord {
    StoredRecord {
        kind: "user".to_owned(),
        id: id.to_owned(),
        version,
        value: value.to_vec(),
    }
}

async fn records_are_written_replaced_and_removed_from_the_version_they_are_at(place: impl Place) {
    let database = place.open().await;
    load(&*database).await;
    assert_eq!(database.records().await.unwrap(), []);
    let made = [change("a", None, Some(b"1")), change("b", None, Some(b""))];
    database.commit(changes(1, made)).await.unwrap();
    database.commit(events(2, 1)).await.unwrap();
    database
        .commit(changes(3, [change("b", Some(1), Some(b"\0\xff"))]))
        .await
        .unwrap();
    assert_eq!(
        database.records().await.unwrap(),
        [stored("a", 1, b"1"), stored("b", 3, b"\0\xff")]
    );
    database.commit(changes(4, [change("a", Some(1), None)])).await.unwrap();
    drop(database);
    let database = place.open().await;
    load(&*database).await;
    assert_eq!(database.records().await.unwrap(), [stored("b", 3, b"\0\xff")]);
}

async fn a_change_made_from_another_version_leaves_nothing_of_its_commit(place: impl Place) {
    let database = place.open().await;
    load(&*database).await;
    database
        .commit(changes(1, [change("a", None, Some(b"1"))]))
        .await
        .unwrap();
    for stale in [
        change("a", None, Some(b"2")),
        change("a", None, None),
        change("a", Some(2), Some(b"2")),
        change("a", Some(0), None),
        change("b", Some(1), Some(b"2")),
        change("b", Some(1), None),
    ] {
        let mut group = events(2, 1);
        group.changes = vec![change("c", None, Some(b"3")), stale];
        assert_refused(&*database, group).await;
    }
    let twice = [change("b", None, Some(b"1")), change("b", None, Some(b"2"))];
    assert_refused(&*database, changes(2, twice)).await;
    database
        .commit(changes(2, [change("b", None, Some(b"1"))]))
        .await
        .unwrap();
}

#[test]
fn what_a_record_says_is_never_printed() {
    let (stored, changed) = (stored("a", 1, b"secret"), change("a", None, Some(b"secret")));
    let printed = format!("{stored:?} {changed:?}");
    assert!(
        !printed.contains("secret") && !printed.contains("115, 101"),
        "{printed}"
    );
}
