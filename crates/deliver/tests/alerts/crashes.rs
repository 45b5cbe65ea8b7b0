//! Processes that die at the worst moment, and two at a time.

use std::time::Duration;

use trailbook_access::records::{Alert, Condition};
use trailbook_deliver::stream::Next;

use crate::world::{Does, World, alert, sign_in, threshold};

#[tokio::test(flavor = "multi_thread")]
async fn what_fired_before_a_crash_is_told_afterwards_and_does_not_fire_again() {
    let world = World::new().await;
    world.set_up(alert("", Condition::Any {})).await;
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    let mut watcher = world.watcher();
    watcher.step().await.unwrap();
    drop(watcher);
    assert_eq!(
        (world.fired().len(), world.told().len(), world.waiting().len()),
        (1, 0, 1)
    );
    world.run().await;
    world.run().await;
    assert_eq!(
        (world.fired().len(), world.told().len(), world.waiting().len()),
        (1, 2, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_before_a_crash_may_come_again_with_the_same_id() {
    let world = World::new().await;
    world.set_up(alert("", Condition::Any {})).await;
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    world.watcher().step().await.unwrap();
    *world.told.webhook.lock().unwrap() = Does::TakeAndHang;
    let mut teller = world.teller();
    world.pass(31);
    let dies = tokio::time::timeout(Duration::from_millis(300), teller.step()).await;
    assert!(dies.is_err(), "it hangs");
    drop(teller);
    *world.told.webhook.lock().unwrap() = Does::Take;
    world.run().await;
    let came = world.told.came.lock().unwrap().clone();
    assert_eq!(came.len(), 4, "both again");
    assert!(came.iter().all(|one| one.id == came[0].id), "{came:?}");
    assert_eq!(world.fired().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_begins_counts_on_where_the_one_before_had_not_written() {
    let world = World::new().await;
    world.set_up(alert("", threshold(3, 600, None))).await;
    world
        .store(&[sign_in("ann", "1.0.0.1"), sign_in("ann", "1.0.0.1")])
        .await;
    let mut watcher = world.watcher();
    watcher.step().await.unwrap();
    assert_eq!(world.state().next, 0, "nothing is written while nothing is found");
    drop(watcher);
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    world.run().await;
    assert_eq!((world.fired().len(), world.bodies()[0]["count"].clone()), (1, 3.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_it_looked_is_written_in_a_while_and_when_it_stops() {
    let world = World::new().await;
    world.set_up(alert("actor:nobody", Condition::Any {})).await;
    let mut watcher = world.watcher();
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    assert_eq!(watcher.step().await.unwrap(), Next::Now);
    assert_eq!(watcher.step().await.unwrap(), Next::At(world.now() + 300_000));
    world.pass(300);
    watcher.step().await.unwrap();
    assert_eq!(world.state().next, 1);
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    watcher.step().await.unwrap();
    watcher.write().await.unwrap();
    assert_eq!(world.state().next, 2);
    let commits = *world.ledger.commits().borrow();
    assert_eq!(watcher.step().await.unwrap(), Next::Idle);
    assert_eq!(
        *world.ledger.commits().borrow(),
        commits,
        "nothing new, nothing written"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_one_looks_and_the_other_takes_over_from_it() {
    let world = World::new().await;
    world.set_up(alert("", Condition::Any {})).await;
    let (mut first, mut second) = (world.watcher(), world.watcher());
    for _ in 0..10 {
        world.store(&[sign_in("ann", "1.0.0.1")]).await;
        first.step().await.unwrap();
        second.step().await.unwrap();
        world.pass(1);
    }
    assert_eq!(world.fired().len(), 10);
    drop(first);
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    assert!(
        matches!(second.step().await.unwrap(), Next::At(_)),
        "the lease is not over"
    );
    world.pass(31);
    second.step().await.unwrap();
    assert_eq!(world.fired().len(), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_is_changed_while_it_looks_looks_again_as_it_is_now() {
    let world = World::new().await;
    world.set_up(alert("", threshold(2, 600, None))).await;
    let (mut watcher, mut teller) = world.worker();
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    watcher.step().await.unwrap();
    let renamed = Alert {
        name: "Another name".into(),
        ..alert("", threshold(2, 600, None))
    };
    let mut change = world.directory.change().await;
    change.put(renamed).unwrap();
    change.commit().await.unwrap();
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    world.work(&mut watcher, &mut teller).await;
    world.run().await;
    let bodies = world.bodies();
    assert_eq!((bodies.len(), &bodies[0]["alert"]["name"]), (1, &"Another name".into()));
}
