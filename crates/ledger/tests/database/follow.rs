//! Two nodes on one database: each knows what the other committed, one at a time commits, and what both know is erased.

use std::time::Duration;

use trailbook_ledger::{
    EventId, OrganizationKey, PostgresOptions,
    database::{
        ChainHead, Change, Committed, Database, Group, LakeVersion, RecordChange, StoredAnswer, StoredCheckpoint,
        StoredClientId, StoredHead, Subtree,
    },
};
use trailbook_merkle::Hash;

use crate::support::{Served, changes, client, connect, events, group, head, load, segment, until};

/// A group with something of everything.
pub(crate) fn everything(commit: u64) -> Group {
    let other = StoredHead {
        ledger: 2,
        key: OrganizationKey::new("default", "bolt"),
        ..head(3, true)
    };
    let record = RecordChange {
        kind: "user".to_owned(),
        id: "a".to_owned(),
        expected: None,
        value: Some(b"\0value".to_vec()),
    };
    let lake = LakeVersion {
        version: 0,
        body: b"{}".to_vec(),
    };
    Group {
        heads: vec![head(2, true), other],
        subtrees: vec![Subtree {
            ledger: 1,
            level: 1,
            index: 0,
            hash: Hash([7; 32]),
        }],
        answers: vec![StoredAnswer {
            key: [1; 32],
            body: [2; 32],
            receipt: vec![3],
            stored_at: 4,
        }],
        client_ids: vec![StoredClientId {
            key: [5; 16],
            content: [6; 16],
            sequence: 7,
            id: EventId::from_bytes([8; 16]),
            stored_at: 9,
        }],
        checkpoints: vec![StoredCheckpoint {
            ledger: 1,
            epoch: 1,
            size: 2,
            root: Hash([10; 32]),
            note: "a signed\nnote".to_owned(),
        }],
        changes: vec![Change::Record(record), Change::Lake(lake)],
        ..events(commit, 1)
    }
}

/// What others have to know of a group.
fn known(group: &Group) -> Committed {
    Committed {
        head: ChainHead {
            era: group.era,
            commit: group.commit,
            chain: group.chain,
        },
        committed_at: group.committed_at,
        tail: group.tail.clone(),
        heads: group.heads.clone(),
        checkpoints: group.checkpoints.clone(),
        changes: group.changes.clone(),
        answers: group.answers.iter().map(|answer| answer.key).collect(),
        client_ids: group.client_ids.iter().map(|known| known.key).collect(),
    }
}

#[tokio::test]
async fn each_of_two_nodes_learns_all_that_the_other_commits() {
    let place = Served::new();
    let (one, other) = (place.postgres().await, place.postgres().await);
    let (loaded, _) = (load(&one).await, load(&other).await);
    let mut news = other.news().unwrap();
    assert_eq!(other.since(0, usize::MAX).await.unwrap(), []);
    assert_eq!(one.lock(0).await.unwrap(), (loaded.head, Vec::new()));
    let first = everything(1);
    one.commit(first.clone()).await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), news.changed())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(other.newest().await.unwrap(), Some(known(&first).head));
    assert_eq!(other.since(0, usize::MAX).await.unwrap(), [known(&first)]);
    let locked = other.lock(0).await.unwrap();
    assert_eq!(locked, (known(&first).head, vec![known(&first)]));
    let second = events(2, 3);
    other.commit(second.clone()).await.unwrap();
    other.commit(group(3)).await.unwrap();
    let missed = vec![known(&second), known(&group(3))];
    assert_eq!(one.since(1, usize::MAX).await.unwrap(), missed);
    assert_eq!(one.lock(1).await.unwrap(), (known(&group(3)).head, missed));
    one.unlock().await;
    assert_eq!(one.since(3, usize::MAX).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_followed_comes_in_pieces() {
    let place = Served::new();
    let database = place.postgres().await;
    load(&database).await;
    for commit in 1..=5 {
        database.commit(events(commit, commit)).await.unwrap();
    }
    let (mut at, mut pieces) = (0, Vec::new());
    loop {
        let piece = database.since(at, 150).await.unwrap();
        let Some(last) = piece.last() else { break };
        at = last.head.commit;
        pieces.push(piece.len());
    }
    assert_eq!(at, 5);
    assert!(pieces.len() > 1 && pieces.iter().any(|count| *count > 1), "{pieces:?}");
    let one_at_a_time = database.since(0, 0).await.unwrap();
    assert_eq!(one_at_a_time.len(), 1);
    assert_eq!(database.tail(0, 5, 0).await.unwrap().len(), 1);
    assert_eq!(database.tail(0, 4, usize::MAX).await.unwrap().len(), 4);
}

#[tokio::test]
async fn who_wants_the_lock_waits_until_it_is_given_back() {
    let place = Served::new();
    let (one, other) = (place.postgres().await, std::sync::Arc::new(place.postgres().await));
    let watch = client(&place.database.url()).await;
    let is_waiting = async || {
        let waiting =
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        watch.query_one(waiting, &[]).await.unwrap().get(0)
    };
    one.lock(0).await.unwrap();
    let wants = std::sync::Arc::clone(&other);
    let waiting = tokio::spawn(async move { wants.lock(0).await });
    until("the other waits", is_waiting).await;
    assert!(!waiting.is_finished());
    one.unlock().await;
    assert_eq!(waiting.await.unwrap().unwrap().0.commit, 0);
    other.commit(group(1)).await.unwrap();
    // Who no longer waits for the lock does not keep it.
    one.lock(1).await.unwrap();
    let given_up = tokio::time::timeout(Duration::from_millis(1), other.lock(1));
    assert!(given_up.await.is_err());
    one.commit(group(2)).await.unwrap();
    one.lock(2).await.unwrap();
    one.unlock().await;
}

#[tokio::test]
async fn a_number_that_is_taken_and_an_era_that_is_over_are_refused() {
    let place = Served::new();
    let (one, other) = (place.postgres().await, place.postgres().await);
    one.commit(group(1)).await.unwrap();
    other.lock(1).await.unwrap();
    let gap = other.commit(group(3)).await;
    assert!(format!("{gap:?}").contains("not the next"), "{gap:?}");
    let recovered = Group { era: 2, ..group(2) };
    one.commit(recovered).await.unwrap();
    let of_the_past = other.commit(group(3)).await;
    assert!(format!("{of_the_past:?}").contains("era"), "{of_the_past:?}");
    other.commit(Group { era: 2, ..group(3) }).await.unwrap();
}

#[tokio::test]
async fn what_a_slow_node_needs_stays_and_what_all_know_is_erased() {
    let place = Served::new();
    let often = || PostgresOptions {
        seen_every: Duration::from_millis(50),
        ..PostgresOptions::default()
    };
    let url = place.database.url();
    let (one, slow) = (connect(&url, often()).await, connect(&url, often()).await);
    load(&one).await;
    load(&slow).await;
    for commit in 1..=3 {
        one.commit(events(commit, commit)).await.unwrap();
    }
    let seal = Change::Seal {
        after: 0,
        through: 2,
        segments: vec![segment(1, (1, 2))],
    };
    one.commit(changes(4, [seal])).await.unwrap();
    let watch = client(&url).await;
    let left = async || -> Vec<i64> {
        let rows = watch
            .query("SELECT number FROM log ORDER BY number", &[])
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    // Erasing comes after a node has said where it stands, and before it says so again.
    for _ in 0..3 {
        let seen = "UPDATE nodes SET seen_at = seen_at - interval '1 s' WHERE position = 4";
        until("the node that knows all says so", async || {
            watch.execute(seen, &[]).await.unwrap() == 1
        })
        .await;
        let again = "SELECT count(*) FROM nodes WHERE position = 4 AND clock_timestamp() - seen_at < interval '0.9 s'";
        until("it says so again", async || {
            watch.query_one(again, &[]).await.unwrap().get::<_, i64>(0) == 1
        })
        .await;
    }
    assert_eq!(left().await, [1, 2, 3, 4]);
    assert_eq!(slow.nodes().await.unwrap().len(), 2);
    assert_eq!(slow.since(0, usize::MAX).await.unwrap().len(), 4);
    slow.since(4, usize::MAX).await.unwrap();
    until("what is sealed and known is erased", async || left().await == [3]).await;
    assert_eq!(load(&one).await.heads, [head(3, false)]);
    assert_eq!(slow.since(0, usize::MAX).await.unwrap(), []);
    assert!(slow.lock(0).await.unwrap_err().to_string().contains("restart"));
    assert_eq!(slow.since(4, usize::MAX).await.unwrap(), []);
}

#[tokio::test]
async fn a_node_that_is_not_heard_of_is_waited_for_a_minute() {
    let place = Served::new();
    let often = PostgresOptions {
        seen_every: Duration::from_millis(50),
        ..PostgresOptions::default()
    };
    let (one, gone) = (connect(&place.database.url(), often).await, place.postgres().await);
    load(&one).await;
    load(&gone).await;
    drop(gone);
    for commit in 1..=64 {
        one.commit(group(commit)).await.unwrap();
    }
    let watch = client(&place.database.url()).await;
    let silent = "UPDATE nodes SET seen_at = seen_at - interval '60 s' WHERE position = 0";
    assert_eq!(watch.execute(silent, &[]).await.unwrap(), 1);
    let left = "SELECT count(*) FROM log";
    until("its rows are erased", async || {
        watch.query_one(left, &[]).await.unwrap().get::<_, i64>(0) == 0
    })
    .await;
}

#[tokio::test]
async fn a_lease_lasts_by_the_servers_clock() {
    let place = Served::new();
    let database = place.postgres().await;
    let lease = |holder: &str, now, until| database.lease("seal".to_owned(), holder.to_owned(), now, until);
    assert!(lease("a", 0, 60_000).await.unwrap());
    // A node whose clock is years ahead.
    let ahead = 1 << 40;
    assert!(!lease("b", ahead, ahead + 60_000).await.unwrap());
    assert!(lease("a", ahead, ahead + 1).await.unwrap(), "its holder renews it");
    until("it has ended", async || lease("b", 0, 60_000).await.unwrap()).await;
    assert!(!lease("a", ahead, ahead + 60_000).await.unwrap());
    database.release("b".to_owned()).await.unwrap();
    assert!(lease("a", 0, 60_000).await.unwrap());
}

#[tokio::test]
async fn heads_that_several_nodes_move_are_those_of_the_newest_commit() {
    let place = Served::new();
    let nodes = [place.postgres().await, place.postgres().await];
    for commit in 1..=150 {
        let mut group = events(commit, 1 + commit / 3);
        group.heads[0].ledger = 1 + commit % 3;
        group.heads[0].key = OrganizationKey::new("default", format!("organization-{}", commit % 3));
        group.heads[0].new = commit <= 3;
        nodes[commit as usize % 2].commit(group).await.unwrap();
        if [2, 15, 16, 17, 64, 150].contains(&commit) {
            let heads = load(&nodes[0]).await.heads;
            let expected = (0..3_u64).filter(|ledger| *ledger <= commit).map(|ledger| {
                let newest = (1..=commit).rev().find(|commit| commit % 3 == ledger);
                newest.map(|newest| (1 + ledger, 1 + newest / 3))
            });
            let moved: Vec<_> = heads.iter().map(|head| (head.ledger, head.size)).collect();
            assert_eq!(moved, expected.flatten().collect::<Vec<_>>(), "after commit {commit}");
        }
    }
    let watch = client(&place.database.url()).await;
    let heads_at = watch.query_one("SELECT heads_at FROM counter", &[]).await.unwrap();
    assert_eq!(heads_at.get::<_, i64>(0), 144);
}
