//! Two processes over one database.

use trailbook_deliver::stream::{Next, Start};

use crate::world::{World, stream};

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_never_carry_the_same_stream_and_the_second_takes_over_from_a_dead_one() {
    let world = World::new().await;
    world.set_up(stream(Some("acme")), Start::Beginning).await;
    let (mut first, mut second) = (world.courier(), world.courier());
    for _ in 0..20 {
        world.store("acme", 10).await;
        let (one, other) = tokio::join!(first.step(), second.step());
        one.unwrap();
        assert!(
            matches!(other.unwrap(), Next::At(_) | Next::Idle),
            "it waits for the lease"
        );
        world.pass(1);
    }
    first.step().await.unwrap();
    assert_eq!(world.place.most_under_way.load(std::sync::atomic::Ordering::SeqCst), 1);
    let sent: usize = world.place.came().iter().map(|batch| batch.sequences.len()).sum();
    assert_eq!(sent, 200, "each event once");

    drop(first);
    world.store("acme", 10).await;
    world.pass(31);
    world.carry(&mut second, 60).await;
    assert_eq!(world.place.first_seen("acme"), (0..210).collect::<Vec<u64>>());
}
