//! When batches leave, and what they hold.

use trailbook_access::records::Stream;
use trailbook_deliver::stream::{Next, Start};

use crate::world::{Does, START_MS, World, stream};

#[tokio::test(flavor = "multi_thread")]
async fn events_wait_for_others_until_the_interval_is_over_or_the_batch_is_full() {
    let world = World::new().await;
    world.set_up(stream(Some("acme")), Start::Beginning).await;
    let mut courier = world.courier();
    assert_eq!(courier.step().await.unwrap(), Next::Idle, "there is nothing");

    world.store("acme", 3).await;
    assert_eq!(courier.step().await.unwrap(), Next::At(START_MS + 60_000));
    world.pass(59);
    courier.step().await.unwrap();
    assert!(world.place.came().is_empty(), "the interval is not over");
    world.pass(1);
    courier.step().await.unwrap();
    assert_eq!(world.place.first_seen("acme"), [0, 1, 2]);

    world.store("acme", 25).await;
    world.carry(&mut courier, 0).await;
    assert_eq!(
        world.place.first_seen("acme").len(),
        23,
        "full batches do not wait, the rest does"
    );
    world.carry(&mut courier, 60).await;
    assert_eq!(world.place.first_seen("acme"), (0..28).collect::<Vec<u64>>());
    let ranges: Vec<_> = world.place.came().into_iter().map(|batch| batch.range).collect();
    assert_eq!(ranges, [(0, 3), (3, 13), (13, 23), (23, 28)]);
    assert_eq!((world.health().delivered, world.health().last_error), (28, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_filter_lets_through_is_sent_and_the_rest_is_passed_over() {
    let world = World::new().await;
    let filtered = Stream {
        filter: "metadata.even:true".into(),
        ..stream(Some("acme"))
    };
    world.set_up(filtered, Start::Beginning).await;
    world.store("acme", 30).await;
    let mut courier = world.courier();
    world.carry(&mut courier, 120).await;
    assert_eq!(world.place.first_seen("acme"), (0..30).step_by(2).collect::<Vec<u64>>());

    let streams = world.process();
    let (lag, positions) = streams.progress(&stream(Some("acme"))).unwrap();
    assert_eq!((lag.events, positions[0].0.next), (0, 30));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_stream_sends_nothing_and_misses_nothing() {
    let world = World::new().await;
    let paused = Stream {
        paused: true,
        ..stream(Some("acme"))
    };
    world.set_up(paused.clone(), Start::Beginning).await;
    world.store("acme", 12).await;
    let mut courier = world.courier();
    world.carry(&mut courier, 3_600).await;
    assert!(world.place.came().is_empty());

    let mut change = world.directory.change().await;
    change
        .put(Stream {
            updated_at: world.now(),
            ..stream(Some("acme"))
        })
        .unwrap();
    change.commit().await.unwrap();
    world.carry(&mut courier, 60).await;
    assert_eq!(world.place.first_seen("acme"), (0..12).collect::<Vec<u64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn five_days_without_the_destination_lose_nothing_and_are_told_once() {
    let world = World::new().await;
    world.set_up(stream(Some("acme")), Start::Beginning).await;
    world.place.does(Does::Fail);
    let mut courier = world.courier();
    for _ in 0..5 * 24 {
        world.store("acme", 7).await;
        world.carry(&mut courier, 3_600).await;
    }
    let health = world.health();
    assert!(world.place.came().is_empty());
    assert!(health.failures > 1_000, "it never stopped trying: {health:?}");
    assert!(
        health.retry_at.unwrap() <= world.now() + 300_000,
        "nor waits longer than five minutes"
    );
    let lagging = |actions: &[String]| {
        actions
            .iter()
            .filter(|action| *action == "trailbook.stream.lagging")
            .count()
    };
    assert_eq!(lagging(&world.actions("acme")), 1);

    world.place.does(Does::Take);
    world.carry(&mut courier, 1_200).await;
    let actions = world.actions("acme");
    // The last one says that the stream has caught up, and waits for its turn.
    let expected: Vec<u64> = (0..actions.len() as u64 - 1).collect();
    assert_eq!(world.place.first_seen("acme"), expected);
    let sent: usize = world.place.came().iter().map(|batch| batch.sequences.len()).sum();
    assert_eq!(sent, expected.len(), "and nothing came twice");
    assert_eq!(lagging(&actions), 1);
    assert!(actions.contains(&"trailbook.stream.recovered".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_asks_for_patience_gets_it() {
    let world = World::new().await;
    world.set_up(stream(Some("acme")), Start::Beginning).await;
    world.store("acme", 10).await;
    world.place.does(Does::Busy(1_800));
    let mut courier = world.courier();
    let next = courier.step().await.unwrap();
    assert_eq!(next, Next::At(START_MS + 1_800_000));
    world.place.does(Does::Take);
    world.pass(1_799);
    courier.step().await.unwrap();
    assert!(world.place.came().is_empty());
    world.pass(1);
    courier.step().await.unwrap();
    assert_eq!(world.place.first_seen("acme").len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_arrived_comes_again_as_the_same_batch_whatever_was_stored_meanwhile() {
    let world = World::new().await;
    world.set_up(stream(Some("acme")), Start::Beginning).await;
    world.store("acme", 4).await;
    world.pass(60);
    world.place.does(Does::TakeAndFail);
    let mut courier = world.courier();
    courier.step().await.unwrap();
    world.store("acme", 40).await;
    // The process dies; another one takes over when the lease has run out.
    drop(courier);
    world.pass(31);
    world.place.does(Does::Take);
    world.carry(&mut world.courier(), 120).await;

    let came = world.place.came();
    assert_eq!(
        (&came[0], came[0].range),
        (&came[1], (0, 4)),
        "the same batch, to the letter"
    );
    assert_eq!(world.place.first_seen("acme"), (0..44).collect::<Vec<u64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_stream_is_carried_no_further() {
    let world = World::new().await;
    world.set_up(stream(Some("acme")), Start::Beginning).await;
    world.store("acme", 10).await;
    let mut courier = world.courier();
    let mut change = world.directory.change().await;
    change.remove::<Stream>("str_1");
    change.commit().await.unwrap();
    assert_eq!(courier.step().await.unwrap(), Next::Gone);
    assert!(world.place.came().is_empty());
}
