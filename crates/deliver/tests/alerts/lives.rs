//! Random lives of an alert: events, pauses, deaths of the process. Afterwards it fired exactly when a plain loop over all events does.

use std::collections::BTreeMap;

use serde_json::Value;
use trailbook_access::records::{Alert, Grouping};
use trailbook_event::Event;
use trailbook_testkit::Random;

use crate::world::{World, acme, alert, sign_in, threshold};

const COUNT: usize = 3;
const WINDOW_MS: i64 = 120_000;
const QUIET_MS: i64 = 90_000;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_dies_an_alert_fires_when_a_plain_loop_says_so() {
    for seed in 0..10 {
        live(seed).await;
    }
}

async fn live(seed: u64) {
    let mut random = Random::new(seed);
    let world = World::new().await;
    let watched = Alert {
        quiet_seconds: 90,
        ..alert("type:login", threshold(COUNT as u32, 120, Some(Grouping::Actor)))
    };
    world.set_up(watched).await;
    let (mut watcher, mut teller) = world.worker();
    for _ in 0..120 {
        match random.below(10) {
            0..=4 => {
                let actor = ["ann", "ben", "cid"][random.below(3) as usize];
                let events: Vec<Value> = (0..1 + random.below(3)).map(|_| sign_in(actor, "1.0.0.1")).collect();
                world.store(&events).await;
            }
            5 => {
                // The process dies, with what it had not written.
                (watcher, teller) = world.worker();
                world.pass(31);
            }
            6 => {
                teller.step().await.unwrap();
            }
            7 => world.pass(random.below(60) as i64),
            _ => {
                watcher.step().await.unwrap();
            }
        }
    }
    world.pass(31);
    world.work(&mut watcher, &mut teller).await;
    world.run().await;
    let fired = world.fired();
    let said: Vec<_> = fired
        .iter()
        .map(|act| {
            let number = |name: &str| act[name].as_u64().unwrap();
            let text = |name: &str| act[name].as_str().unwrap().to_owned();
            (
                text("group"),
                number("count"),
                number("meanwhile"),
                text("first"),
                text("last"),
            )
        })
        .collect();
    assert_eq!(said, plain(&world), "seed={seed}");
    let mut ids: Vec<String> = world
        .told
        .came
        .lock()
        .unwrap()
        .iter()
        .map(|came| came.id.clone())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), fired.len(), "seed={seed} each is told");
}

/// When the alert has to fire: the group, how many, how many meanwhile, the first, the last.
fn plain(world: &World) -> Vec<(String, u64, u64, String, String)> {
    let mut fired = Vec::new();
    // By actor: the events that count, until when it is quiet, those that came meanwhile.
    let mut groups = BTreeMap::<String, (Vec<(i64, String, bool)>, i64, u64)>::new();
    for row in world.ledger.rows(&acme(), 0, 100_000).unwrap() {
        let event = Event::parse(&row.parts).unwrap();
        if event.action_type != "login" {
            continue;
        }
        let actor = event.actor.id.clone().unwrap().into_owned();
        let (recent, quiet_until, untold) = groups.entry(actor.clone()).or_default();
        let now = row.received_at.millis();
        let is_quiet = now < *quiet_until;
        recent.retain(|(at, ..)| now - at <= WINDOW_MS);
        recent.push((now, row.id.to_string(), is_quiet));
        if recent.len() > COUNT {
            recent.remove(0);
        }
        if is_quiet {
            *untold += 1;
        } else if recent.len() == COUNT {
            let already = recent.iter().filter(|(.., is_quiet)| *is_quiet).count() as u64;
            fired.push((
                actor,
                COUNT as u64,
                *untold - already,
                recent[0].1.clone(),
                row.id.to_string(),
            ));
            (*quiet_until, *untold) = (now + QUIET_MS, 0);
            recent.clear();
        }
    }
    fired
}
