//! What is not told again and again.

use serde_json::json;
use trailbook_access::records::{Alert, Condition, Grouping};

use crate::world::{Does, World, alert, sign_in, threshold};

#[tokio::test(flavor = "multi_thread")]
async fn after_it_fired_an_alert_is_quiet_and_says_later_what_came_meanwhile() {
    let world = World::new().await;
    let quiet = Alert {
        quiet_seconds: 3_600,
        ..alert("type:login", Condition::Any {})
    };
    world.set_up(quiet).await;
    let (mut watcher, mut teller) = world.worker();
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    world.work(&mut watcher, &mut teller).await;
    world.pass(600);
    let meanwhile = world.now();
    world
        .store(&[sign_in("ben", "1.0.0.1"), sign_in("cid", "1.0.0.1")])
        .await;
    world.pass(2_999);
    world.store(&[sign_in("dan", "1.0.0.1")]).await;
    world.work(&mut watcher, &mut teller).await;
    assert_eq!(world.bodies().len(), 1, "a second before the hour is over");
    world.pass(1);
    world.store(&[sign_in("eve", "1.0.0.1")]).await;
    world.work(&mut watcher, &mut teller).await;
    let body = &world.bodies()[1];
    assert_eq!(
        [&body["count"], &body["meanwhile"], &body["first"]["actor"]["id"]],
        [&json!(1), &json!(3), &json!("eve")]
    );
    let since = trailbook_event::Timestamp::from_millis(meanwhile).to_string();
    let link = body["link"].as_str().unwrap();
    assert!(
        link.contains(&since.replace(':', "%3A")),
        "the link shows them as well: {link}"
    );
    assert_eq!(world.fired()[1]["meanwhile"], 3);

    world.pass(3_600);
    world.store(&[sign_in("fay", "1.0.0.1")]).await;
    world.work(&mut watcher, &mut teller).await;
    assert_eq!(world.bodies()[2]["meanwhile"], 0, "what was said is not said again");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_group_is_quiet_for_itself_and_no_event_is_counted_twice() {
    let world = World::new().await;
    let quiet = Alert {
        quiet_seconds: 300,
        ..alert("", threshold(2, 600, Some(Grouping::Actor)))
    };
    world.set_up(quiet).await;
    let (mut watcher, mut teller) = world.worker();
    world
        .store(&[sign_in("ann", "1.0.0.1"), sign_in("ann", "1.0.0.1")])
        .await;
    world
        .store(&[sign_in("ben", "1.0.0.1"), sign_in("ben", "1.0.0.1")])
        .await;
    // Five more while it is quiet, and one when it is not any more: of the two that count, one came meanwhile.
    world.pass(299);
    for _ in 0..5 {
        world.store(&[sign_in("ann", "1.0.0.1")]).await;
    }
    world.pass(1);
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    world.work(&mut watcher, &mut teller).await;
    let said: Vec<_> = world.bodies();
    let said: Vec<_> = said
        .iter()
        .map(|body| (body["group"].clone(), body["count"].clone(), body["meanwhile"].clone()))
        .collect();
    assert_eq!(
        said,
        [
            (json!("ann"), json!(2), json!(0)),
            (json!("ben"), json!(2), json!(0)),
            (json!("ann"), json!(2), json!(4)),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_messages_wait_and_what_is_beyond_is_counted_and_said_in_the_next() {
    let world = World::new().await;
    world.set_up(alert("", Condition::Any {})).await;
    *world.told.mail.lock().unwrap() = Does::Fail;
    *world.told.webhook.lock().unwrap() = Does::Fail;
    let (mut watcher, mut teller) = world.worker();
    for _ in 0..3 {
        let many: Vec<_> = (0..60).map(|_| sign_in("ann", "1.0.0.1")).collect();
        world.pass(1);
        world.store(&many).await;
        watcher.step().await.unwrap();
    }
    assert_eq!((world.waiting().len(), world.fired().len()), (100, 100));
    *world.told.mail.lock().unwrap() = Does::Take;
    *world.told.webhook.lock().unwrap() = Does::Take;
    world.pass(600);
    world.work(&mut watcher, &mut teller).await;
    assert_eq!((world.waiting().len(), world.bodies().len()), (0, 100));
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    world.work(&mut watcher, &mut teller).await;
    assert_eq!(world.bodies()[100]["meanwhile"], 80);
}
