//! What is told every morning.

use serde_json::{Value, json};
use trailbook_access::records::{Alert, Condition, Every};
use trailbook_deliver::stream::Next;

use crate::world::{ALERT, World, alert, sign_in};

fn digest(every: Every) -> Alert {
    alert("", Condition::Digest { every })
}

fn failed(actor: &str) -> Value {
    let mut event = sign_in(actor, "1.0.0.1");
    event["result"] = "failure".into();
    event
}

fn secured(number: usize) -> Value {
    json!({"organization": "acme", "action": "role.changed", "action_type": "update", "area": "roles", "security": true,
        "description": format!("Role {number}"), "actor": {"id": "ann"}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_counts_what_happened_and_lists_what_matters_for_security() {
    let world = World::new().await;
    world.until("2027-01-15T12:00:00Z");
    world.set_up(digest(Every::Day)).await;
    let (mut watcher, mut teller) = world.worker();
    let due = trailbook_event::Timestamp::parse("2027-01-16T08:00:00Z")
        .unwrap()
        .millis();
    assert_eq!(watcher.step().await.unwrap(), Next::At(due));
    world
        .store(&[sign_in("ann", "1.0.0.1"), failed("ben"), failed("ben")])
        .await;
    world.store(&(0..120).map(secured).collect::<Vec<_>>()).await;
    world.until("2027-01-16T07:59:59Z");
    world.store(&[secured(120)]).await;
    world.work(&mut watcher, &mut teller).await;
    assert!(world.told().is_empty(), "it is not eight yet");
    world.until("2027-01-16T08:00:00Z");
    world.store(&[sign_in("tomorrow", "1.0.0.1")]).await;
    world.work(&mut watcher, &mut teller).await;

    let body = &world.bodies()[0];
    assert_eq!(body["type"], "trailbook.digest");
    assert_eq!(
        (&body["from"], &body["to"]),
        (&json!("2027-01-15T12:00:00.000Z"), &json!("2027-01-16T08:00:00.000Z"))
    );
    assert_eq!((&body["count"], &body["failed_sign_ins"]), (&json!(124), &json!(2)));
    assert_eq!(body["action_types"], json!({"login": 3, "update": 121}));
    assert_eq!(body["areas"], json!({"access": 3, "roles": 121}));
    let security = &body["security"];
    assert_eq!(
        (&security["count"], security["events"].as_array().unwrap().len()),
        (&json!(121), 100)
    );
    assert_eq!(security["events"][0]["description"], "Role 120", "the newest first");
    assert!(
        body["link"]
            .as_str()
            .unwrap()
            .contains("range=2027-01-15T12%3A00%3A00.000Z..2027-01-16T08%3A00%3A00.000Z")
    );
    assert_eq!(world.fired()[0]["count"], 124);
    world.work(&mut watcher, &mut teller).await;
    assert_eq!(world.bodies().len(), 1, "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_told_as_well_and_a_digest_does_not_tell_of_digests() {
    let world = World::new().await;
    world.set_up(digest(Every::Day)).await;
    for day in ["16", "17", "18"] {
        world.until(&format!("2027-01-{day}T08:00:00Z"));
        world.run().await;
    }
    let bodies = world.bodies();
    assert_eq!(
        bodies.iter().map(|body| body["count"].clone()).collect::<Vec<_>>(),
        [0, 0, 0]
    );
    assert_eq!(
        (&bodies[2]["security"]["count"], &bodies[2]["action_types"]),
        (&json!(0), &json!({}))
    );
    assert_eq!(world.state().fired, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_on_which_clocks_change_has_one_digest_at_eight() {
    let world = World::new().await;
    world.zone("Europe/Berlin").await;
    // In the night of the 28th of March 2027 an hour is left out.
    world.until("2027-03-27T07:30:00Z");
    world.set_up(digest(Every::Day)).await;
    let (mut watcher, mut teller) = world.worker();
    for (time, count) in [
        ("2027-03-28T05:59:59Z", 0),
        ("2027-03-28T06:00:00Z", 1),
        ("2027-03-29T05:59:59Z", 1),
        ("2027-03-29T06:00:00Z", 2),
    ] {
        world.until(time);
        world.work(&mut watcher, &mut teller).await;
        assert_eq!(world.bodies().len(), count, "{time}");
    }
    assert_eq!(world.bodies()[1]["from"], "2027-03-28T06:00:00.000Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn digests_that_were_missed_are_one_and_every_event_is_in_one_also_when_it_happened_long_ago() {
    let world = World::new().await;
    world.set_up(digest(Every::Week)).await;
    let mut late = sign_in("ann", "1.0.0.1");
    late["occurred_at"] = "2026-01-01T00:00:00Z".into();
    world.store(&[late, sign_in("ann", "1.0.0.1")]).await;
    world.ledger.seal().await.unwrap();
    // The Mondays of the 18th and the 25th pass while nobody works.
    world.until("2027-01-26T00:00:00Z");
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    world.run().await;
    let bodies = world.bodies();
    assert_eq!(bodies.len(), 1);
    assert_eq!(
        (&bodies[0]["to"], &bodies[0]["count"]),
        (&json!("2027-01-25T08:00:00.000Z"), &json!(2))
    );
    world.until("2027-02-01T08:00:00Z");
    world.run().await;
    assert_eq!(world.bodies()[1]["count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_is_of_what_its_filter_lets_through_and_tried_with_what_happened_in_the_last_day() {
    let world = World::new().await;
    world.store(&[failed("ben")]).await;
    world.pass(1);
    world.store(&[failed("ben")]).await;
    world.pass(86_400);
    let narrow = Alert {
        filter: "actor:ben".into(),
        ..digest(Every::Day)
    };
    world.set_up(narrow).await;
    world
        .store(&[sign_in("ann", "1.0.0.1"), failed("ben"), secured(1)])
        .await;
    let one = world.directory.get::<Alert>(ALERT).unwrap();
    world.process().test(&one).await.unwrap();
    let body = &world.bodies()[0];
    assert_eq!(
        (&body["test"], &body["count"], &body["failed_sign_ins"]),
        (&json!(true), &json!(2), &json!(2)),
        "also what came before it was set up"
    );
    assert_eq!(body["security"]["count"], 0);
    assert_eq!(world.state().next, 2, "trying changes nothing");
}
