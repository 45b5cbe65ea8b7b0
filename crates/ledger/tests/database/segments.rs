//! Segments come and go with the tail that they replace and the objects that they leave.

use rusqlite::Connection;
use trailbook_ledger::database::{Change, Garbage, Group, StoredPin, StoredSegment};

use crate::support::{
    Place, Scratch, assert_refused, changes, events, group, head, load, on_every_engine, segment, tail,
};

on_every_engine! {
    a_seal_moves_commits_from_the_tail_to_segments_and_keeps_the_heads,
    a_seal_that_is_behind_or_ahead_of_the_tail_writes_nothing,
    replaced_segments_leave_garbage_that_is_due_after_its_grace,
    a_replacement_of_what_is_gone_writes_nothing,
    numbers_of_segments_are_never_used_again,
    while_a_backup_is_under_way_nothing_is_due,
    a_change_that_cannot_be_made_takes_everything_of_its_commit_with_it,
}

const GRACE: i64 = 500;

fn seal(after: u64, through: u64, segments: Vec<StoredSegment>) -> Change {
    Change::Seal {
        after,
        through,
        segments,
    }
}

/// Segments go, nothing comes, and their objects may be deleted at once.
fn gone(segments: Vec<u64>) -> Change {
    Change::Replace {
        remove: segments,
        add: Vec::new(),
        removable_at: 0,
    }
}

async fn a_seal_moves_commits_from_the_tail_to_segments_and_keeps_the_heads(place: impl Place) {
    let database = place.open().await;
    let new = load(&*database).await;
    assert_eq!((new.sealed_through, new.next_segment, new.segments.len()), (0, 1, 0));
    for commit in 1..=4 {
        database.commit(events(commit, commit)).await.unwrap();
    }
    let sealed = vec![segment(1, (1, 3)), segment(2, (1, 3))];
    let seal = seal(0, 3, sealed.clone());
    database.commit(changes(5, [seal])).await.unwrap();
    drop(database);

    let database = place.open().await;
    let loaded = load(&*database).await;
    assert_eq!(loaded.segments, sealed);
    assert_eq!((loaded.sealed_through, loaded.next_segment), (3, 3));
    assert_eq!(loaded.heads, [head(4, false)]);
    assert_eq!(loaded.head.commit, 5);
    let tail = tail(&*database).await;
    assert_eq!(tail.iter().map(|row| row.commit).collect::<Vec<_>>(), [4]);
}

#[tokio::test]
async fn heads_beside_sealed_commits_survive_a_process_that_was_killed() {
    let scratch = Scratch::new();
    let database = scratch.open().await;
    load(&*database).await;
    for commit in 1..=3 {
        database.commit(events(commit, commit)).await.unwrap();
    }
    let seal = seal(0, 3, vec![segment(1, (1, 3))]);
    database.commit(changes(4, [seal])).await.unwrap();
    // What lies on disk now is what a killed process leaves: nothing was written on closing.
    let copy = Scratch::new();
    for suffix in ["", "-wal"] {
        let with = |file: std::path::PathBuf| format!("{}{suffix}", file.display());
        std::fs::copy(with(scratch.file()), with(copy.file())).unwrap();
    }
    let loaded = load(&*copy.open().await).await;
    assert_eq!(loaded.heads, [head(3, false)]);
    assert_eq!(loaded.sealed_through, 3);
}

#[tokio::test]
async fn sealed_rows_that_a_killed_process_left_are_no_tail_and_are_erased() {
    let scratch = Scratch::new();
    let database = scratch.open().await;
    load(&*database).await;
    for commit in 1..=3 {
        database.commit(events(commit, commit)).await.unwrap();
    }
    let seal = seal(0, 2, vec![segment(1, (1, 2))]);
    database.commit(changes(4, [seal])).await.unwrap();
    drop(database);
    let other = Connection::open(scratch.file()).unwrap();
    let left = || -> i64 {
        let count = other.query_row("SELECT count(*) FROM tail WHERE number <= 2", [], |row| row.get(0));
        count.unwrap()
    };
    other
        .execute_batch("INSERT OR REPLACE INTO tail VALUES (1, x'00', x''), (2, x'00', x'')")
        .unwrap();
    assert_eq!(left(), 2);
    let database = scratch.open().await;
    let tail = tail(&*database).await;
    assert_eq!(tail.iter().map(|row| row.commit).collect::<Vec<_>>(), [3]);
    assert_eq!(load(&*database).await.heads, [head(3, false)]);
    while left() > 0 {
        std::thread::yield_now();
    }
}

async fn a_seal_that_is_behind_or_ahead_of_the_tail_writes_nothing(place: impl Place) {
    let database = place.open().await;
    load(&*database).await;
    for commit in 1..=4 {
        database.commit(events(commit, commit)).await.unwrap();
    }
    let seal = |number: u64, after: u64, through: u64| seal(after, through, vec![segment(number, (1, through))]);
    database.commit(changes(5, [seal(1, 0, 2)])).await.unwrap();
    for through in [0, 1, 2, 7] {
        assert_refused(&*database, changes(6, [seal(2, 2, through)])).await;
    }
    // The commit that seals cannot be sealed by itself: its own events would be in neither place.
    let itself = Group {
        changes: vec![seal(2, 2, 6)],
        ..events(6, 5)
    };
    assert_refused(&*database, itself).await;
    // Who sealed from elsewhere would have some events in two segments, or in none.
    for after in [0, 1, 3] {
        assert_refused(&*database, changes(6, [seal(2, after, 5)])).await;
    }
    database.commit(changes(6, [seal(2, 2, 5)])).await.unwrap();
    assert_eq!(load(&*database).await.sealed_through, 5);
}

async fn replaced_segments_leave_garbage_that_is_due_after_its_grace(place: impl Place) {
    let database = place.open().await;
    load(&*database).await;
    database.commit(events(1, 1)).await.unwrap();
    let seal = seal(0, 1, vec![segment(1, (1, 1)), segment(2, (1, 1)), segment(3, (1, 1))]);
    database.commit(changes(2, [seal])).await.unwrap();
    let replace = Change::Replace {
        remove: vec![3, 1],
        add: vec![segment(4, (1, 1))],
        removable_at: GRACE,
    };
    database.commit(changes(3, [replace])).await.unwrap();
    let left: Vec<u64> = load(&*database)
        .await
        .segments
        .iter()
        .map(|segment| segment.segment)
        .collect();
    assert_eq!(left, [2, 4]);
    assert_eq!(database.garbage(GRACE - 1).await.unwrap(), []);
    let due = database.garbage(GRACE).await.unwrap();
    let garbage = |object: &str| Garbage {
        object: object.to_owned(),
        removable_at: GRACE,
    };
    let expected = [
        "segments/1.bundle",
        "segments/1.parquet",
        "segments/3.bundle",
        "segments/3.parquet",
    ];
    assert_eq!(due, expected.map(garbage));
    let objects = vec!["segments/1.bundle".to_owned(), "segments/3.parquet".to_owned()];
    database.commit(changes(4, [Change::Swept { objects }])).await.unwrap();
    let left = database.garbage(GRACE).await.unwrap();
    assert_eq!(left, ["segments/1.parquet", "segments/3.bundle"].map(garbage));
}

async fn a_replacement_of_what_is_gone_writes_nothing(place: impl Place) {
    let database = place.open().await;
    load(&*database).await;
    database.commit(events(1, 1)).await.unwrap();
    let seal = seal(0, 1, vec![segment(1, (1, 1)), segment(2, (1, 1))]);
    database.commit(changes(2, [seal])).await.unwrap();
    let replace = |remove: &[u64], add: u64| Change::Replace {
        remove: remove.to_vec(),
        add: vec![segment(add, (1, 1))],
        removable_at: 0,
    };
    // 1 is there, 9 is not; a number twice is there once; what is added may not be there already.
    for (remove, add) in [(&[1, 9][..], 3), (&[1, 1], 3), (&[1], 2)] {
        assert_refused(&*database, changes(3, [replace(remove, add)])).await;
    }
    // Two jobs that began with the same segments: the first wins.
    database.commit(changes(3, [replace(&[1, 2], 3)])).await.unwrap();
    assert_refused(&*database, changes(4, [replace(&[2], 4)])).await;
}

async fn numbers_of_segments_are_never_used_again(place: impl Place) {
    let database = place.open().await;
    load(&*database).await;
    database.commit(events(1, 1)).await.unwrap();
    let seal = seal(0, 1, vec![segment(8, (1, 1)), segment(5, (1, 1))]);
    database.commit(changes(2, [seal])).await.unwrap();
    let gone = gone(vec![5, 8]);
    database.commit(changes(3, [gone])).await.unwrap();
    drop(database);
    let loaded = load(&*place.open().await).await;
    assert_eq!((loaded.segments.len(), loaded.next_segment), (0, 9));
}

async fn while_a_backup_is_under_way_nothing_is_due(place: impl Place) {
    let database = place.open().await;
    load(&*database).await;
    database.commit(events(1, 1)).await.unwrap();
    let seal = seal(0, 1, vec![segment(1, (1, 1))]);
    let gone = gone(vec![1]);
    let pin = |name: &str, until: i64| {
        Change::Pin(StoredPin {
            name: name.to_owned(),
            until,
        })
    };
    database.commit(changes(2, [seal, gone])).await.unwrap();
    assert_eq!(database.garbage(10).await.unwrap().len(), 2);
    database
        .commit(changes(3, [pin("a", 100), pin("b", 50)]))
        .await
        .unwrap();
    assert_eq!(load(&*database).await.pins.len(), 2);
    assert_eq!(database.garbage(99).await.unwrap(), []);
    assert_eq!(
        database.garbage(100).await.unwrap().len(),
        2,
        "a backup that died does not hold for ever"
    );
    database.commit(changes(4, [pin("b", 200)])).await.unwrap();
    assert_eq!(database.garbage(100).await.unwrap(), [], "a pin can be prolonged");
    let unpin = |name: &str| Change::Unpin { name: name.to_owned() };
    database.commit(changes(5, [unpin("a"), unpin("b")])).await.unwrap();
    assert_eq!(database.garbage(10).await.unwrap().len(), 2);
    assert_eq!(load(&*database).await.pins, []);
}

async fn a_change_that_cannot_be_made_takes_everything_of_its_commit_with_it(place: impl Place) {
    let database = place.open().await;
    load(&*database).await;
    database.commit(events(1, 1)).await.unwrap();
    let seal = seal(0, 1, vec![segment(1, (1, 1))]);
    let gone = gone(vec![7]);
    let both = Group {
        changes: vec![seal.clone(), gone],
        ..events(2, 2)
    };
    assert_refused(&*database, both).await;
    // The number is free, and the heads are as before.
    let again = Group {
        changes: vec![seal],
        ..events(2, 3)
    };
    database.commit(again).await.unwrap();
    database.commit(group(3)).await.unwrap();
    assert_eq!(load(&*database).await.heads, [head(3, false)]);
}
