//! The live feed: every matching event once, in sequence order, woken by commits.

use trailbook_event::{
    Filter,
    filter::{Field, Folded, Pattern},
};

use crate::plain::{Plain, event, scope, sequences};

fn logins() -> Filter {
    Filter::Field {
        field: Field::Action,
        patterns: vec![Pattern::Whole(Folded::new("user.login"))],
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_feed_begins_where_asked_and_follows_commits() {
    let (plain, engine) = Plain::new();
    plain.append(&[event("user.login", 5), event("user.logout", 1), event("user.login", 3)]);
    let mut resumed = engine.live(&scope(None), &logins(), Some(0)).unwrap();
    let mut fresh = engine.live(&scope(None), &Filter::all(), None).unwrap();
    let mut narrowed = engine
        .live(&scope(Some(logins().negated())), &Filter::all(), Some(0))
        .unwrap();
    assert_eq!(sequences(&resumed.next().await.unwrap()), [2]);
    assert_eq!(sequences(&narrowed.next().await.unwrap()), [1]);

    let writer = plain.clone();
    tokio::task::spawn(async move {
        writer.append(&[event("user.logout", 9)]);
        tokio::task::yield_now().await;
        writer.append(&[event("user.login", 0)]);
    });
    assert_eq!(sequences(&resumed.next().await.unwrap()), [4]);
    assert_eq!(resumed.position(), 5);
    let mut seen = sequences(&fresh.next().await.unwrap());
    while seen.len() < 2 {
        seen.extend(sequences(&fresh.next().await.unwrap()));
    }
    assert_eq!(seen, [3, 4]);
    assert_eq!(sequences(&narrowed.next().await.unwrap()), [3]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_long_backlog_comes_in_pieces_without_gaps() {
    let (plain, engine) = Plain::new();
    plain.append(&(0..1000).map(|time| event("user.login", -time)).collect::<Vec<_>>());
    plain.append(&[event("user.logout", 0)]);
    let mut feed = engine.live(&scope(None), &logins(), Some(9)).unwrap();
    let mut seen = Vec::new();
    while seen.len() < 990 {
        seen.extend(sequences(&feed.next().await.unwrap()));
    }
    assert_eq!(seen, (10..1000).collect::<Vec<_>>());
}
