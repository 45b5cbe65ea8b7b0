//! Where streams begin and begin again.

use trailbook_deliver::stream::Start;
use trailbook_event::Timestamp;

use crate::world::{START_MS, STREAM, World, key, stream};

async fn first_of(start: Start) -> Vec<u64> {
    let world = World::new().await;
    for _ in 0..10 {
        world.store("acme", 1).await;
        world.pass(100);
    }
    world.set_up(stream(Some("acme")), start).await;
    world.store("acme", 2).await;
    world.carry(&mut world.courier(), 120).await;
    world.place.first_seen("acme")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_begins_now_at_the_beginning_at_a_time_or_at_a_sequence() {
    let at = |seconds: i64| Start::From(Timestamp::from_millis(START_MS + seconds * 1_000));
    for (start, first) in [
        (Start::Now, 10),
        (Start::Beginning, 0),
        (at(300), 3),
        (at(301), 4),
        (at(-5), 0),
        (at(1_000_000), 10),
        (Start::Sequence(7), 7),
        (Start::Sequence(700), 10),
    ] {
        assert_eq!(first_of(start).await, (first..12).collect::<Vec<u64>>(), "{start:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_sends_events_again_with_what_comes_after_them() {
    let world = World::new().await;
    world.set_up(stream(Some("acme")), Start::Beginning).await;
    world.store("acme", 20).await;
    let mut courier = world.courier();
    world.carry(&mut courier, 60).await;
    let before = world.place.came();
    replay(&world, 10).await;
    world.carry(&mut courier, 60).await;
    let came = world.place.came();
    assert_eq!(&came[..2], &before[..]);
    assert_eq!((came.len(), &came[2]), (3, &before[1]), "with the same name");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_comes_while_a_delivery_is_on_its_way_is_not_lost() {
    let world = World::new().await;
    world.set_up(stream(Some("acme")), Start::Beginning).await;
    world.store("acme", 10).await;
    let mut courier = world.courier();
    courier.step().await.unwrap();
    // It arrived, and that is not written yet.
    replay(&world, 0).await;
    world.carry(&mut courier, 120).await;
    assert_eq!(world.place.came().len(), 2);
}

async fn replay(world: &World, sequence: u64) {
    let head = world.ledger.head(&key("acme")).unwrap();
    let position = Start::Sequence(sequence).position(&world.ledger, STREAM, &key("acme"), &head);
    let mut change = world.directory.change().await;
    change.put(position.unwrap()).unwrap();
    change.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projects_stream_carries_each_organization_in_its_own_order_and_new_ones_from_their_beginning() {
    let world = World::new().await;
    world.store("acme", 5).await;
    world.store("_system", 5).await;
    world.set_up(stream(None), Start::Now).await;
    world.store("acme", 15).await;
    world.store("globex", 12).await;
    let mut courier = world.courier();
    world.carry(&mut courier, 60).await;
    assert_eq!(world.place.first_seen("acme"), (5..20).collect::<Vec<u64>>());
    assert_eq!(world.place.first_seen("globex"), (0..12).collect::<Vec<u64>>());
    assert!(world.place.first_seen("_system").is_empty(), "that is no customer");
}
