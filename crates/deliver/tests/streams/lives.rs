//! Random lives of a stream: events, failures of every kind, deaths of the process, replays. Afterwards everything is there.

use std::collections::BTreeMap;

use trailbook_deliver::stream::Start;
use trailbook_testkit::Random;

use crate::world::{Does, World, stream};

const ORGANIZATIONS: [&str; 3] = ["acme", "globex", "initech"];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_every_event_arrives_in_order_and_repetitions_are_of_the_same_batch() {
    for seed in 0..12 {
        live(seed).await;
    }
}

async fn live(seed: u64) {
    let mut random = Random::new(seed);
    let world = World::new().await;
    world.set_up(stream(None), Start::Beginning).await;
    let mut courier = world.courier();
    for _ in 0..150 {
        match random.below(10) {
            0..=3 => {
                let organization = ORGANIZATIONS[random.below(3) as usize];
                world.store(organization, 1 + random.below(30) as usize).await;
            }
            4 => world
                .place
                .does([Does::Fail, Does::TakeAndFail, Does::TakeHalfAndFail, Does::Busy(40)][random.below(4) as usize]),
            5 => world.place.does(Does::Take),
            6 => {
                // The process dies, with what it had not written.
                courier = world.courier();
                world.pass(31);
            }
            _ => {
                courier.step().await.unwrap();
                world.pass(random.below(40) as i64);
            }
        }
    }
    world.place.does(Does::Take);
    world.pass(400);
    world.carry(&mut courier, 400).await;
    for organization in ORGANIZATIONS {
        let size = world
            .ledger
            .head(&crate::world::key(organization))
            .map_or(0, |head| head.size);
        let expected: Vec<u64> = (0..size).collect();
        assert_eq!(
            world.place.first_seen(organization),
            expected,
            "seed={seed} {organization}"
        );
    }
    let mut named = BTreeMap::new();
    for batch in world.place.came() {
        let range = *named.entry(batch.id.clone()).or_insert(batch.range);
        assert_eq!(range, batch.range, "seed={seed} one name, one batch");
    }
}
