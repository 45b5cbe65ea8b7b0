//! What becomes of records when several reasons to write one meet in a commit, and when somebody else changed one.

use trailbook_ledger::{Settlement, database::RecordChange};

use super::*;
use crate::{
    Kind,
    records::{Organizations, Project, SavedView},
};

const ANN: &str = "ann@acme.example";

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_used_until_its_end_is_removed_by_the_upkeep() {
    // The use had to be written and the end to be removed: the record was changed twice in one commit, which no commit may, so that
    // nothing was kept any more.
    let world = World::new().await;
    let ann = world.user(acme(), ANN, "owner").await;
    world.signed_in(ANN).await;
    let session = world.directory.of::<Session>(&ann.id).remove(0);
    for _ in 0..SESSION_MS / SESSION_IDLE_MS * 2 {
        world.pass(SESSION_IDLE_MS / 2 - 1);
        world.directory.touch(&session.id);
    }
    world.pass(SESSION_IDLE_MS / 2);
    assert!(!world.directory.is_alive(&session), "a week is over");
    world.directory.keep().await.unwrap();
    assert_eq!(world.directory.of::<Session>(&ann.id).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_signed_in_everywhere_changes_the_password() {
    // All sessions end, and the one unused for longest makes room as well: it was removed twice in one commit.
    let world = World::new().await;
    world.user(acme(), ANN, "owner").await;
    for _ in 1..SESSIONS_MAX {
        world.signed_in(ANN).await;
    }
    let caller = world.signed_in(ANN).await;
    let changed = world.people.change_password(&caller, PASSWORD, "another fine password");
    let session = changed.await.unwrap();
    assert!(world.caller_of(&session.secret).is_some() && !caller.stands(&world.directory));
    assert_eq!(world.directory.of::<Session>(&session.user.id).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_stored_as_a_change_leaves_it() {
    let world = World::new().await;
    let ann = world.user(acme(), ANN, "owner").await;
    let bob = User {
        id: "usr_bob".into(),
        ..User::clone(&ann)
    };
    let mut change = world.directory.change().await;
    change.put(bob.clone()).unwrap();
    change.remove::<User>(&bob.id);
    assert!(change.is_empty(), "it never was there");
    change.remove::<User>(&ann.id);
    let name = Some("Ann".to_owned());
    change
        .put(User {
            name: name.clone(),
            ..User::clone(&ann)
        })
        .unwrap();
    change.commit().await.unwrap();
    assert!(world.directory.get::<User>(&bob.id).is_none());
    assert_eq!(world.directory.get::<User>(&ann.id).unwrap().name, name);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_changed_is_seen_at_once_and_everybody_else_still_stands() {
    let world = World::new().await;
    world.user(acme(), ANN, "owner").await;
    let bob = world.user(acme(), "bob@acme.example", "owner").await;
    let (as_ann, as_bob) = (world.signed_in(ANN).await, world.signed_in("bob@acme.example").await);
    let elsewhere = User {
        name: Some("Bob".into()),
        ..User::clone(&bob)
    };
    let record = RecordChange {
        kind: User::KIND.to_owned(),
        id: bob.id.clone(),
        expected: world.directory.version::<User>(&bob.id),
        value: Some(serde_json::to_vec(&elsewhere).unwrap()),
    };
    let settlement = Settlement {
        records: vec![record],
        ..Settlement::default()
    };
    world.directory.ledger().settle(settlement).await.unwrap();

    assert_eq!(world.directory.get::<User>(&bob.id).unwrap().name, elsewhere.name);
    assert!(as_ann.stands(&world.directory) && !as_bob.stands(&world.directory));
}

fn view(caller: &Caller, name: &str) -> SavedView {
    SavedView {
        id: "view_1".into(),
        project: crate::DEFAULT_PROJECT.into(),
        organization: "acme".into(),
        owner: caller.view_owner(),
        owner_name: None,
        name: name.into(),
        shared: false,
        filter: String::new(),
        range: None,
        columns: None,
        created_at: 0,
        updated_at: 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_takes_something_away_wakes_who_waits_and_only_settings_make_policies_anew() {
    let world = World::new().await;
    world.user(acme(), ANN, "owner").await;
    let (policy, mut changes) = (world.directory.policy(&acme()), world.directory.changes());
    let caller = world.signed_in(ANN).await;
    let session = world.directory.of::<Session>(caller.id()).remove(0);
    world.pass(SESSION_IDLE_MS / 2);
    world.directory.touch(&session.id);
    world.directory.keep().await.unwrap();
    let used = world.directory.get::<Session>(&session.id).unwrap().last_used_at;
    assert_eq!(used, session.last_used_at + SESSION_IDLE_MS / 2, "its use was written");
    assert!(!changes.has_changed().unwrap(), "a session began and was used");
    for name in ["a view", "the same, changed"] {
        let mut change = world.directory.change().await;
        change.put(view(&caller, name)).unwrap();
        change.commit().await.unwrap();
    }
    let mut change = world.directory.change().await;
    change.remove::<SavedView>("view_1");
    change.commit().await.unwrap();
    assert!(!changes.has_changed().unwrap(), "a view came, changed and went");

    world.people.sign_out(&caller).await.unwrap();
    assert!(changes.has_changed().unwrap(), "a session ended");
    assert!(Arc::ptr_eq(&policy, &world.directory.policy(&acme())));

    changes.mark_unchanged();
    let project = Project {
        name: crate::DEFAULT_PROJECT.into(),
        organizations: Organizations::Auto,
        policy: PolicySettings::default(),
    };
    let mut change = world.directory.change().await;
    change.put(project).unwrap();
    change.commit().await.unwrap();
    assert!(changes.has_changed().unwrap() && !Arc::ptr_eq(&policy, &world.directory.policy(&acme())));
}
