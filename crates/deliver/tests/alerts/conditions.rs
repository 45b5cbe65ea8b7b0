//! When alerts fire, and what is told of it.

use serde_json::{Value, json};
use trailbook_access::records::{Condition, Grouping};
use trailbook_deliver::stream::Next;

use crate::world::{ALERT, START_MS, World, acme, alert, sign_in, threshold};

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_fires_once_at_an_event_is_recorded_and_told_with_a_link() {
    let world = World::new().await;
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    world.set_up(alert("actor:ben type:login", Condition::Any {})).await;
    let (mut watcher, mut teller) = world.worker();
    world.work(&mut watcher, &mut teller).await;
    world
        .store(&[
            sign_in("ann", "1.0.0.1"),
            sign_in("ben", "1.0.0.1"),
            sign_in("cid", "1.0.0.1"),
        ])
        .await;
    world.work(&mut watcher, &mut teller).await;

    assert_eq!(world.told(), ["ann@acme.example", "webhook"]);
    let body = &world.bodies()[0];
    assert_eq!(
        [&body["type"], &body["count"], &body["meanwhile"], &body["group"]],
        [&json!("trailbook.alert"), &json!(1), &json!(0), &Value::Null]
    );
    assert_eq!(body["alert"], json!({"id": ALERT, "name": "Look here"}));
    assert_eq!(
        (&body["first"]["sequence"], &body["first"]["actor"]["id"]),
        (&json!(2), &json!("ben"))
    );
    assert_eq!(body["first"], body["last"]);
    assert_eq!(
        body["link"],
        "https://log.example/?organization=acme&q=actor%3Aben+type%3Alogin\
         &range=2027-01-15T08%3A00%3A00.000Z..2027-01-15T08%3A00%3A00.001Z"
    );
    let fired = world.fired();
    assert_eq!(fired.len(), 1);
    assert_eq!(
        (&fired[0]["count"], &fired[0]["first"], &fired[0]["last"]),
        (&json!(1), &body["first"]["id"], &body["last"]["id"])
    );
    let state = world.state();
    assert_eq!(
        (state.fired, state.last_fired_at, world.last_error()),
        (1, Some(START_MS), None)
    );

    world.run().await;
    assert_eq!((world.told().len(), world.fired().len()), (2, 1), "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_threshold_is_reached_within_its_window_and_not_beyond() {
    let world = World::new().await;
    world.set_up(alert("type:login", threshold(3, 60, None))).await;
    let (mut watcher, mut teller) = world.worker();
    // Twice: the third comes a millisecond too late, and then exactly at the end of the window.
    for (pauses, fires) in [([30_000, 30_001], false), ([30_000, 30_000], true)] {
        world.pass(3_600);
        world.store(&[sign_in("ann", "1.0.0.1")]).await;
        for pause in pauses {
            world.pass_ms(pause);
            world.store(&[sign_in("ann", "1.0.0.1")]).await;
        }
        world.work(&mut watcher, &mut teller).await;
        assert_eq!(!world.fired().is_empty(), fires, "{pauses:?}");
    }
    let body = &world.bodies()[0];
    assert_eq!(
        [&body["count"], &body["first"]["sequence"], &body["last"]["sequence"]],
        [&json!(3), &json!(3), &json!(5)]
    );
    let link = body["link"].as_str().unwrap();
    let first = body["first"]["occurred_at"].as_str().unwrap().replace(':', "%3A");
    assert!(link.contains(&format!("range={first}..")), "{link}");

    // Those that were told count no more: it takes three further ones.
    world
        .store(&[sign_in("ann", "1.0.0.1"), sign_in("ann", "1.0.0.1")])
        .await;
    world.work(&mut watcher, &mut teller).await;
    assert_eq!(world.fired().len(), 1);
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    world.work(&mut watcher, &mut teller).await;
    assert_eq!(world.fired().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn actors_addresses_and_targets_are_counted_separately() {
    let to = |targets: &[&str]| {
        let targets: Vec<Value> = targets.iter().map(|id| json!({"type": "file", "id": id})).collect();
        json!({"organization": "acme", "action": "file.read", "actor": {"type": "system"}, "targets": targets})
    };
    for (by, events, group, query) in [
        (
            Grouping::Actor,
            [
                sign_in("ann", "1.0.0.1"),
                sign_in("ben", "1.0.0.1"),
                sign_in("ann", "2.0.0.2"),
            ],
            "ann",
            "q=actor%3Aann",
        ),
        (
            Grouping::Ip,
            [
                sign_in("ann", "1.0.0.1"),
                sign_in("ann", "2.0.0.2"),
                sign_in("ben", "1.0.0.1"),
            ],
            "1.0.0.1",
            "q=ip%3A1.0.0.1",
        ),
        (
            Grouping::Target,
            [to(&["a", "b"]), to(&["c"]), to(&["d", "b"])],
            "b",
            "q=target%3Ab",
        ),
    ] {
        let world = World::new().await;
        world.set_up(alert("", threshold(2, 600, Some(by)))).await;
        world.store(&events).await;
        // Without a value of what is counted by, an event is not counted.
        let nobody = json!({"organization": "acme", "action": "x", "actor": {"type": "system"}});
        world.store(&[nobody.clone(), nobody.clone(), nobody]).await;
        world.run().await;
        let bodies = world.bodies();
        assert_eq!(bodies.len(), 1, "{by:?}");
        assert_eq!(
            [
                &bodies[0]["group"],
                &bodies[0]["first"]["sequence"],
                &bodies[0]["last"]["sequence"]
            ],
            [&json!(group), &json!(0), &json!(2)]
        );
        assert!(
            bodies[0]["link"].as_str().unwrap().contains(query),
            "{}",
            bodies[0]["link"]
        );
        assert_eq!(world.fired()[0]["group"], group);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_alerts_do_makes_no_alert_fire() {
    let world = World::new().await;
    world.set_up(alert("", Condition::Any {})).await;
    let other = trailbook_access::records::Alert {
        id: "alr_2".into(),
        ..alert("action:trailbook.*", Condition::Any {})
    };
    world.set_up(other).await;
    world.act("trailbook.alert.created").await;
    world.act("trailbook.alert.fired").await;
    world.run().await;
    assert!(world.told().is_empty(), "{:?}", world.bodies());

    world.act("trailbook.stream.created").await;
    for _ in 0..5 {
        world.run().await;
    }
    let fired = world.fired().into_iter().filter(|act| act["count"] == 1).count();
    assert_eq!(fired, 2, "each of the two once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_alert_looks_at_nothing_and_one_that_is_gone_ends_the_work() {
    let world = World::new().await;
    let disabled = trailbook_access::records::Alert {
        enabled: false,
        ..alert("", Condition::Any {})
    };
    world.set_up(disabled).await;
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    let (mut watcher, mut teller) = world.worker();
    world.work(&mut watcher, &mut teller).await;
    assert!(world.fired().is_empty());

    let mut change = world.directory.change().await;
    world.directory.remove_alert(&mut change, ALERT);
    change.commit().await.unwrap();
    assert_eq!(watcher.step().await.unwrap(), Next::Gone);
    assert_eq!(teller.step().await.unwrap(), Next::Gone);
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_groups_are_followed_and_those_that_are_close_longest() {
    let world = World::new().await;
    world
        .set_up(alert("", threshold(3, 86_400, Some(Grouping::Actor))))
        .await;
    let (mut watcher, mut teller) = world.worker();
    world
        .store(&[sign_in("ann", "1.0.0.1"), sign_in("ann", "1.0.0.1")])
        .await;
    for hundred in 0..25 {
        let crowd: Vec<Value> = (0..100)
            .map(|one| sign_in(&format!("{hundred}-{one}"), "1.0.0.1"))
            .collect();
        world.store(&crowd).await;
        world.work(&mut watcher, &mut teller).await;
    }
    watcher.write().await.unwrap();
    assert!(world.state().groups.len() <= 1_000, "{}", world.state().groups.len());
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    world.work(&mut watcher, &mut teller).await;
    assert_eq!(world.bodies()[0]["group"], "ann");
    assert_eq!(world.ledger.head(&acme()).unwrap().size, 2_504);
}
