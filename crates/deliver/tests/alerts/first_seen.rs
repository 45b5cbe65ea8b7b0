//! What somebody never did before.

use serde_json::{Value, json};
use trailbook_access::records::{Alert, Condition};

use crate::world::{World, alert, sign_in};

const GERMANY: &str = "1.0.0.1";
const FRANCE: &str = "2.0.0.1";
const BRAZIL: &str = "3.0.0.1";

fn new_country(filter: &str) -> Alert {
    let field = "country".into();
    alert(filter, Condition::FirstSeen { field })
}

fn told(world: &World) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let bodies = world.bodies();
    bodies
        .iter()
        .map(|body| (text(&body["group"]), text(&body["value"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_actor_in_a_new_country_is_told_once_and_a_new_actor_is_not() {
    let world = World::new().await;
    world.store(&[sign_in("ann", GERMANY)]).await;
    world.set_up(new_country("")).await;
    let (mut watcher, mut teller) = world.worker();
    world
        .store(&[
            sign_in("ann", GERMANY),
            sign_in("ben", FRANCE),
            sign_in("ann", FRANCE),
            sign_in("ann", FRANCE),
            sign_in("ben", FRANCE),
            sign_in("ben", "127.0.0.1"),
        ])
        .await;
    world.work(&mut watcher, &mut teller).await;
    assert_eq!(told(&world), [("ann".into(), "FR".into())]);
    assert_eq!(world.bodies()[0]["first"]["sequence"], 3);

    world
        .store(&[sign_in("ben", BRAZIL), sign_in("ann", FRANCE), sign_in("ann", GERMANY)])
        .await;
    world.work(&mut watcher, &mut teller).await;
    assert_eq!(told(&world)[1..], [("ben".into(), "BR".into())]);
    assert_eq!(
        (&world.fired()[1]["group"], &world.fired()[1]["value"]),
        (&json!("ben"), &json!("BR"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sealed_long_ago_is_remembered_by_a_process_that_begins() {
    let world = World::new().await;
    world
        .store(&[sign_in("ann", GERMANY), sign_in("ann", FRANCE), sign_in("ben", GERMANY)])
        .await;
    world.pass(3_600);
    world.ledger.seal().await.unwrap().unwrap();
    world.set_up(new_country("type:login")).await;
    world
        .store(&[sign_in("ann", FRANCE), sign_in("ben", FRANCE), sign_in("cid", BRAZIL)])
        .await;
    world.run().await;
    assert_eq!(told(&world), [("ben".into(), "FR".into())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_that_are_at_different_places_do_not_mislead_each_other() {
    let world = World::new().await;
    world.store(&[sign_in("ann", GERMANY)]).await;
    world.set_up(new_country("")).await;
    world.store(&[sign_in("ann", FRANCE), sign_in("ann", FRANCE)]).await;
    // Looks only from here on, and asks first.
    let second = Alert {
        id: "alr_2".into(),
        ..new_country("")
    };
    world.set_up(second).await;
    world.store(&[sign_in("ann", FRANCE)]).await;
    world.run().await;
    assert_eq!(
        told(&world),
        [("ann".into(), "FR".into())],
        "only the first sees it for the first time"
    );
    assert_eq!(world.bodies()[0]["first"]["sequence"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_who_moves_about_is_told_once_in_a_quiet_time_with_the_count_of_the_rest() {
    let world = World::new().await;
    world.store(&[sign_in("ann", GERMANY), sign_in("ben", GERMANY)]).await;
    let quiet = Alert {
        quiet_seconds: 3_600,
        ..new_country("")
    };
    world.set_up(quiet).await;
    world
        .store(&[sign_in("ann", FRANCE), sign_in("ann", BRAZIL), sign_in("ben", BRAZIL)])
        .await;
    world.run().await;
    assert_eq!(told(&world), [("ann".into(), "FR".into()), ("ben".into(), "BR".into())]);
    world.pass(3_600);
    let field = json!({"organization": "acme", "action": "user.login", "actor": {"id": "ann"}, "metadata": {"n": 1}});
    world.store(&[field]).await;
    world.run().await;
    assert_eq!(told(&world).len(), 2, "without a country there is nothing new");
    world.store(&[sign_in("cid", GERMANY)]).await;
    world.run().await;
    assert_eq!(told(&world).len(), 2);
}
