//! Events that a destination does not take.

use trailbook_access::records::ParkedEvent;
use trailbook_deliver::stream::Start;

use crate::world::{STREAM, World, stream};

async fn world_that_refuses(sequences: &[u64], events: usize) -> World {
    let world = World::new().await;
    world.set_up(stream(Some("acme")), Start::Beginning).await;
    *world.place.refuses.lock().unwrap() = sequences.iter().copied().collect();
    world.store("acme", events).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_event_is_parked_and_told_and_the_rest_goes_on() {
    let world = world_that_refuses(&[0, 4, 5, 19], 30).await;
    let mut courier = world.courier();
    world.carry(&mut courier, 120).await;
    assert_eq!(world.parked(), [0, 4, 5, 19]);
    let taken: Vec<u64> = (0..30).filter(|sequence| ![0, 4, 5, 19].contains(sequence)).collect();
    let seen = world.place.first_seen("acme");
    assert_eq!(seen[..taken.len()], taken, "in order");
    let told = world
        .actions("acme")
        .into_iter()
        .filter(|action| action == "trailbook.stream.events_parked");
    assert_eq!(told.count(), 2, "once for each delivery");
    let parked = world.directory.get::<ParkedEvent>(&format!("{STREAM}/acme/4")).unwrap();
    assert_eq!(parked.reason, "not such an event");
    assert_eq!(world.health().last_error, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn parked_events_are_sent_again_and_what_is_taken_is_parked_no_more() {
    let world = world_that_refuses(&[3, 7], 10).await;
    world.carry(&mut world.courier(), 120).await;
    *world.place.refuses.lock().unwrap() = [7].into();
    let retried = world.process().retry_parked(&stream(Some("acme"))).await.unwrap();
    assert_eq!(
        (retried.delivered, retried.settled[0].sequence, retried.settled.len()),
        (1, 3, 1)
    );
    assert_eq!(retried.stopped, None);
    assert_eq!(world.place.came().last().unwrap().sequences, [3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_refuses_everything_is_itself_to_blame_and_nothing_is_parked() {
    let world = world_that_refuses(&[], 200).await;
    *world.place.refuses_all.lock().unwrap() = true;
    let large = trailbook_access::records::Stream {
        batch_events: 200,
        ..stream(Some("acme"))
    };
    let mut change = world.directory.change().await;
    change.put(large).unwrap();
    change.commit().await.unwrap();
    let mut courier = world.courier();
    world.carry(&mut courier, 1_000).await;
    assert!(world.parked().is_empty());
    assert!(world.health().last_error.unwrap().contains("refuses all events"));

    *world.place.refuses_all.lock().unwrap() = false;
    world.carry(&mut courier, 400).await;
    assert_eq!(world.place.first_seen("acme")[..200], (0..200).collect::<Vec<u64>>());
}
