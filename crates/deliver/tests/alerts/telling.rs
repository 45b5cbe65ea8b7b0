//! Whom a message reaches, and what happens when it does not.

use std::sync::atomic::Ordering;

use trailbook_access::records::{Alert, Condition, Recipient, UserState};

use crate::world::{ALERT, ANN, Does, World, alert, sign_in};

async fn fired(alert: Alert) -> World {
    let world = World::new().await;
    world.set_up(alert).await;
    world.store(&[sign_in("ann", "1.0.0.1")]).await;
    let mut watcher = world.watcher();
    watcher.step().await.unwrap();
    world.pass(31);
    world
}

fn tries(world: &World) -> u64 {
    world.told.tries.load(Ordering::SeqCst)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_was_not_reached_is_tried_again_later_each_time() {
    let world = fired(alert("", Condition::Any {})).await;
    *world.told.webhook.lock().unwrap() = Does::Fail;
    let mut teller = world.teller();
    teller.step().await.unwrap();
    assert_eq!(world.told(), [ANN]);
    assert_eq!(world.last_error().as_deref(), Some("Webhook: no connection"));
    let mut pauses = Vec::new();
    for _ in 0..4 {
        let message = world.waiting().remove(0);
        assert_eq!((message.to.as_slice(), message.webhook), ([].as_slice(), true));
        pauses.push((message.retry_at - world.now() + 999) / 1_000);
        world.pass_ms(message.retry_at - world.now());
        teller.step().await.unwrap();
    }
    assert!(pauses.is_sorted() && pauses[0] <= 1 && pauses[3] > 4, "{pauses:?}");
    *world.told.webhook.lock().unwrap() = Does::Take;
    world.pass(60);
    teller.step().await.unwrap();
    assert_eq!(world.told(), [ANN, "webhook"]);
    assert_eq!((world.waiting().len(), world.last_error()), (0, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_given_up_after_three_days_and_that_is_said() {
    let world = fired(alert("", Condition::Any {})).await;
    *world.told.mail.lock().unwrap() = Does::Fail;
    *world.told.webhook.lock().unwrap() = Does::Refuse;
    let mut teller = world.teller();
    for hour in 0..72 {
        teller.step().await.unwrap();
        assert_eq!(world.waiting().len(), 1, "hour {hour}");
        world.pass(3_600);
    }
    let before = tries(&world);
    teller.step().await.unwrap();
    assert_eq!((world.waiting().len(), tries(&world)), (0, before + 2));
    let error = world.last_error().unwrap();
    assert!(
        error.contains("no connection") && error.ends_with("It was given up after three days."),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_takes_no_mail_is_not_tried_again() {
    let world = fired(alert("", Condition::Any {})).await;
    *world.told.mail.lock().unwrap() = Does::Refuse;
    world.teller().step().await.unwrap();
    assert_eq!((world.told(), world.waiting().len()), (vec!["webhook".to_owned()], 0));
    let error = world.last_error().unwrap();
    assert!(
        error.starts_with(ANN) && error.contains("nobody of this name"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_go_to_users_who_may_look_when_they_are_sent_and_to_addresses_that_were_vouched_for() {
    let recipient = |address: &str, vouched| Recipient {
        address: address.into(),
        vouched,
    };
    let told = Alert {
        recipients: vec![
            recipient("owner@acme.example", false),
            recipient("member@acme.example", false),
            recipient("gone@acme.example", false),
            recipient("elsewhere@example.com", true),
            recipient("nobody@example.com", false),
        ],
        webhook: None,
        ..alert("", Condition::Any {})
    };
    let world = fired(told).await;
    world.user("owner@acme.example", "owner", UserState::Active).await;
    world.user("member@acme.example", "member", UserState::Active).await;
    world.user("gone@acme.example", "owner", UserState::Deactivated).await;
    world.teller().step().await.unwrap();
    assert_eq!(world.told(), ["owner@acme.example", "elsewhere@example.com"]);
    let error = world.last_error().unwrap();
    for skipped in ["member@", "gone@", "nobody@"] {
        assert!(error.contains(skipped), "{error}");
    }
    assert!(world.waiting().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_webhook_keeps_no_event_from_being_looked_at() {
    let world = fired(alert("", Condition::Any {})).await;
    *world.told.webhook.lock().unwrap() = Does::TakeAndHang;
    let (mut watcher, mut teller) = world.worker();
    let hangs = async { tokio::time::timeout(std::time::Duration::from_millis(500), teller.step()).await };
    let looks = async {
        world.store(&[sign_in("ben", "1.0.0.1")]).await;
        world.pass(31);
        watcher.step().await.unwrap();
    };
    let (hung, ()) = tokio::join!(hangs, looks);
    assert!(hung.is_err());
    assert_eq!(world.fired().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_tells_everybody_at_once_and_records_nothing() {
    let world = World::new().await;
    world.set_up(alert("", Condition::Any {})).await;
    let (alerts, one) = (world.process(), world.directory.get::<Alert>(ALERT).unwrap());
    alerts.test(&one).await.unwrap();
    assert_eq!(world.told(), [ANN, "webhook"]);
    let body = &world.bodies()[0];
    assert_eq!(
        (&body["test"], &body["first"]["action"]),
        (&true.into(), &"trailbook.stream.test".into())
    );
    *world.told.webhook.lock().unwrap() = Does::Fail;
    assert_eq!(alerts.test(&one).await.unwrap_err(), "Webhook: no connection");
    assert_eq!(
        (world.fired().len(), world.waiting().len(), world.last_error()),
        (0, 0, None)
    );
}
