//! Connections, nodes and servers that fail: what was committed is found out, and nothing else is there.

use std::{sync::Arc, time::Duration};

use trailbook_ledger::{
    PostgresOptions,
    database::{CommitError, Database},
};
use trailbook_testkit::PostgresServer;

use crate::{
    proxy::{Cut, Proxy},
    support::{Served, changes, client, connect, events, group, head, load, until},
};

#[tokio::test]
async fn a_node_that_hangs_with_the_lock_loses_it_and_its_commit_is_refused() {
    let place = Served::new();
    let hasty = PostgresOptions {
        lock_idle_max: Duration::from_millis(500),
        ..PostgresOptions::default()
    };
    let (hangs, other) = (connect(&place.database.url(), hasty).await, place.postgres().await);
    hangs.lock(0).await.unwrap();
    assert_eq!(other.lock(0).await.unwrap().0.commit, 0);
    let late = hangs.commit(events(1, 1)).await;
    assert!(
        matches!(late, Err(CommitError::NotCommitted(_) | CommitError::Unknown(_))),
        "{late:?}"
    );
    other.commit(group(1)).await.unwrap();
    assert_eq!(
        hangs.committed([1; 16]).await.unwrap(),
        Some(1),
        "the other's, which has the same token"
    );
    assert_eq!(hangs.lock(0).await.unwrap().1.len(), 1);
    hangs.commit(events(2, 1)).await.unwrap();
}

/// Commits over a line that is cut, with and without changes, and asks what became of it.
async fn cut_line(cut: Cut, expected: [Option<u64>; 2]) {
    let place = Served::new();
    let proxy = Proxy::to(place.server.port()).await;
    let url = place.database.url_at(proxy.port) + "?sslmode=disable";
    let database = connect(&url, PostgresOptions::default()).await;
    load(&database).await;
    let mut next = 1;
    for (expected, changes) in expected.into_iter().zip([changes(next, []).changes, unpin()]) {
        let mut group = events(next, next);
        group.changes = changes;
        database.lock(next - 1).await.unwrap();
        proxy.cut(cut);
        let outcome = database.commit(group).await;
        assert!(matches!(outcome, Err(CommitError::Unknown(_))), "{outcome:?}");
        proxy.cut(Cut::Nowhere);
        assert_eq!(database.committed([next as u8; 16]).await.unwrap(), expected);
        next = load(&database).await.head.commit + 1;
    }
    database.commit(group(next)).await.unwrap();
}

fn unpin() -> Vec<trailbook_ledger::database::Change> {
    vec![trailbook_ledger::database::Change::Unpin { name: "a".to_owned() }]
}

#[tokio::test]
async fn a_commit_that_the_server_did_not_get_has_not_happened() {
    cut_line(Cut::Before, [None, None]).await;
}

#[tokio::test]
async fn a_commit_of_which_the_answer_was_lost_has_happened() {
    cut_line(Cut::After, [Some(1), Some(2)]).await;
}

#[tokio::test]
async fn a_server_that_is_killed_and_started_again_has_what_was_committed() {
    let place = Served::on(PostgresServer::own());
    let database = Arc::new(place.postgres().await);
    load(&*database).await;
    for round in 1..=3 {
        database.commit(events(round, round)).await.unwrap();
        place.server.kill();
        assert!(database.newest().await.is_err());
        let wants = Arc::clone(&database);
        let waiting = tokio::spawn(async move { wants.lock(round).await });
        place.server.start();
        assert_eq!(waiting.await.unwrap().unwrap().0.commit, round);
        database.unlock().await;
        assert_eq!(load(&*database).await.heads, [head(round, false)]);
    }
    let mut news = database.news().unwrap();
    let other = place.postgres().await;
    other.commit(group(4)).await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), news.changed())
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_commit_that_no_standby_has_is_not_acknowledged() {
    let place = Served::on(PostgresServer::own());
    let database = Arc::new(place.postgres().await);
    load(&*database).await;
    let admin = client(&place.database.url()).await;
    let require = async |names: &str| {
        admin
            .batch_execute(&format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'"))
            .await
            .unwrap();
        admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    };
    let waits = async || -> Option<i32> {
        let waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT'";
        admin.query_opt(waiting, &[]).await.unwrap().map(|row| row.get(0))
    };
    database.lock(0).await.unwrap();
    require("nobody").await;
    let commits = Arc::clone(&database);
    let committing = tokio::spawn(async move { commits.commit(events(1, 1)).await });
    until("it waits for a standby", async || waits().await.is_some()).await;
    // The server answers that it has committed, and warns that nobody else has.
    let cancelled = admin.query_one("SELECT pg_cancel_backend($1)", &[&waits().await]).await;
    assert!(cancelled.unwrap().get::<_, bool>(0));
    let outcome = committing.await.unwrap();
    assert!(matches!(outcome, Err(CommitError::Unknown(_))), "{outcome:?}");
    let asks = Arc::clone(&database);
    let asking = tokio::spawn(async move { asks.committed([1; 16]).await });
    until("who asks waits for a standby too", async || waits().await.is_some()).await;
    require("").await;
    assert_eq!(asking.await.unwrap().unwrap(), Some(1));
}
