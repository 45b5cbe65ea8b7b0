//! People over a real ledger, with a clock that is set.
#![allow(clippy::unwrap_used)]

mod provider;
mod records;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use object_store::local::LocalFileSystem;
use sha2::{Digest, Sha256};
use trailbook_event::Timestamp;
use trailbook_ledger::{
    Ledger, Limits, Measures, OrganizationKey, Parts, Random, Sqlite,
    segment::{Indexer, Parsed},
};

use super::*;
use crate::{
    Caller, PolicySettings, Principal, SYSTEM,
    records::{Link, SESSION_IDLE_MS, SESSION_MS, Session, User, UserState},
    secret::Secret,
};

const PASSWORD: &str = "a fine long password";

struct SetClock(AtomicI64);
impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + self.0.load(Ordering::SeqCst))
    }
    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst) as u64)
    }
}

struct Counted(AtomicU64);
impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = Sha256::digest(self.0.fetch_add(1, Ordering::SeqCst).to_le_bytes());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

struct Unindexed;
impl Indexer for Unindexed {
    fn index(&self, _: &[Parsed<'_>]) -> Vec<u8> {
        Vec::new()
    }
}

struct World {
    people: People,
    directory: Arc<Directory>,
    clock: Arc<SetClock>,
    _scratch: tempfile::TempDir,
}

fn operators() -> OrganizationKey {
    OrganizationKey::new("default", SYSTEM)
}

fn acme() -> OrganizationKey {
    OrganizationKey::new("default", "acme")
}

fn root() -> Caller {
    caller(Principal::Root)
}

fn caller(principal: Principal) -> Caller {
    Caller {
        principal,
        project: "default".into(),
        credential: [0; 32],
        origin: Origin::default(),
    }
}

fn new_user(email: &str, role: &str) -> NewUser {
    NewUser {
        email: email.into(),
        name: None,
        role: role.into(),
        permissions: Vec::new(),
        password: Some(PASSWORD.into()),
        mailed: false,
    }
}

fn refused(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NotAllowed(why) => why,
        other => panic!("{other:?}"),
    }
}

impl World {
    async fn new() -> Self {
        Self::with(PolicySettings::default()).await
    }

    async fn with(policy: PolicySettings) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let objects = scratch.path().join("objects");
        std::fs::create_dir(&objects).unwrap();
        let (clock, random) = (
            Arc::new(SetClock(AtomicI64::new(0))),
            Arc::new(Counted(AtomicU64::new(0))),
        );
        let measures = Arc::new(Measures::default());
        let ledger = Ledger::open(Parts {
            database: Arc::new(Sqlite::open(scratch.path(), measures.clone()).unwrap()),
            objects: Arc::new(LocalFileSystem::new_with_prefix(&objects).unwrap().with_fsync(true)),
            object_files: trailbook_ledger::ObjectFiles::Local(objects),
            indexer: Arc::new(Unindexed),
            clock: clock.clone(),
            random: random.clone(),
            measures,
            signing_key: [7; 32],
            limits: Limits::default(),
        });
        let inputs: (Arc<dyn Clock>, Arc<dyn Random>) = (clock.clone(), random.clone());
        let directory = Directory::open(ledger.await.unwrap(), inputs, Box::new(|_| None), policy);
        let directory = Arc::new(directory.await.unwrap());
        let people = People::new(directory.clone(), clock.clone(), Passwords::new(random));
        let world = Self {
            people,
            directory,
            clock,
            _scratch: scratch,
        };
        world.exists(&acme()).await;
        world
    }

    /// Makes an organization known: it has an event.
    async fn exists(&self, organization: &OrganizationKey) {
        let act = crate::Act::of(&root(), organization.clone(), "trailbook.user.signed_out");
        self.directory.record(&act).await.unwrap();
    }

    async fn user(&self, organization: OrganizationKey, email: &str, role: &str) -> Arc<User> {
        let root = root();
        let manager = self.people.manager(&root, organization).unwrap();
        manager.create(&new_user(email, role)).await.unwrap().0
    }

    async fn sign_in(&self, email: &str, password: &str) -> Result<NewSession, Refusal> {
        let origin = Origin::default();
        let attempt = Attempt {
            project: "default",
            organization: Some("acme"),
            email,
            origin: &origin,
            replaces: None,
        };
        self.people.sign_in(&attempt, password).await
    }

    async fn signed_in(&self, email: &str) -> Caller {
        let session = self.sign_in(email, PASSWORD).await.unwrap();
        self.caller_of(&session.secret).unwrap()
    }

    /// The caller that a session's secret stands for, as a request would have it.
    fn caller_of(&self, secret: &Secret) -> Option<Caller> {
        let session = self.directory.by_credential::<Session>(secret.hash().bytes())?;
        let user = self.directory.get::<User>(&session.user)?;
        let alive = self.directory.is_alive(&session) && user.state == UserState::Active;
        alive.then(|| caller(Principal::User(user, session)))
    }

    fn pass(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    fn events(&self) -> u64 {
        self.directory.ledger().head(&acme()).unwrap().size
    }

    fn reset(&self, email: &str) -> ResetRequest {
        ResetRequest {
            project: "default".into(),
            organization: Some("acme".into()),
            email: email.into(),
            origin: Origin::default(),
        }
    }

    async fn use_link(&self, secret: &Secret, password: &str) -> Result<Arc<User>, Refusal> {
        self.people
            .use_link(secret.expose(), password, None, &Origin::default())
            .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn known_and_unknown_accounts_cost_the_same_and_say_the_same() {
    let world = World::new().await;
    world.user(acme(), "ann@acme.example", "owner").await;
    let gone = world.user(acme(), "gone@acme.example", "member").await;
    let root = root();
    let off = UserChange {
        active: Some(false),
        ..UserChange::default()
    };
    world
        .people
        .manager(&root, acme())
        .unwrap()
        .change(&gone.id, &off)
        .await
        .unwrap();
    let mut said = Vec::new();
    for (email, password) in [
        ("ann@acme.example", "not the password"),
        ("nobody@acme.example", "not the password"),
        ("gone@acme.example", PASSWORD),
    ] {
        let before = world.people.hashes();
        let refusal = world.sign_in(email, password).await.unwrap_err();
        said.push((format!("{refusal:?}"), world.people.hashes() - before));
    }
    assert_eq!(said, vec![("Unproven".to_owned(), 1); 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_throttled_for_the_account_whether_it_exists_or_not_and_the_owner_gets_in_later() {
    let world = World::new().await;
    world.user(acme(), "ann@acme.example", "owner").await;
    for email in ["ann@acme.example", "nobody@acme.example"] {
        for _ in 0..Patience::ACCOUNT.free {
            assert!(matches!(
                world.sign_in(email, "a wrong password").await,
                Err(Refusal::Unproven)
            ));
        }
        let before = world.people.hashes();
        for _ in 0..3 {
            // The right password is of no use either: whoever guesses must not see that it is right.
            let Err(Refusal::Throttled(throttled)) = world.sign_in(email, PASSWORD).await else {
                panic!("not throttled")
            };
            assert_eq!(throttled.retry_after_seconds, 1);
        }
        assert_eq!(world.people.hashes(), before, "no work for whoever is throttled");
    }
    world.pass(1_000);
    world.sign_in("ann@acme.example", PASSWORD).await.unwrap();
    for _ in 0..Patience::ACCOUNT.free {
        assert!(matches!(
            world.sign_in("ann@acme.example", "a wrong one").await,
            Err(Refusal::Unproven)
        ));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_once_and_only_for_its_time_and_the_newest_counts() {
    let world = World::new().await;
    world.user(acme(), "ann@acme.example", "owner").await;
    let asked = async || {
        world
            .people
            .request_reset(&world.reset("ann@acme.example"))
            .await
            .unwrap()
            .unwrap()
            .1
    };
    let (first, second) = (asked().await, asked().await);
    assert!(
        world.use_link(&first, "another fine password").await.is_err(),
        "a newer one took its place"
    );
    assert!(
        world.use_link(&second, "short").await.is_err(),
        "a refused password does not use it up"
    );
    world.pass(PASSWORD_RESET_MS - 1);
    let session = world.sign_in("ann@acme.example", PASSWORD).await.unwrap();
    let user = world.use_link(&second, "another fine password").await.unwrap();
    assert!(user.email_verified, "who has the link read the mail");
    assert!(world.caller_of(&session.secret).is_none(), "every session ends");
    assert!(world.use_link(&second, "yet another password").await.is_err(), "once");
    assert!(world.sign_in("ann@acme.example", PASSWORD).await.is_err());
    world
        .sign_in("ann@acme.example", "another fine password")
        .await
        .unwrap();

    let late = asked().await;
    world.pass(PASSWORD_RESET_MS);
    assert!(
        world.use_link(&late, "yet another password").await.is_err(),
        "an hour and no longer"
    );
    assert!(
        world
            .people
            .request_reset(&world.reset("nobody@acme.example"))
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_uses_of_a_link_at_once_set_one_password() {
    let world = World::new().await;
    world.user(acme(), "ann@acme.example", "owner").await;
    let (_, secret) = world
        .people
        .request_reset(&world.reset("ann@acme.example"))
        .await
        .unwrap()
        .unwrap();
    let (one, other) = tokio::join!(
        world.use_link(&secret, "the first password"),
        world.use_link(&secret, "the second password")
    );
    assert!(one.is_ok() != other.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_lasts_a_week_and_an_answered_link_verifies_no_address() {
    let world = World::new().await;
    let root = root();
    let manager = world.people.manager(&root, acme()).unwrap();
    let invite = async |email: &str, mailed| {
        let new = NewUser {
            password: None,
            mailed,
            ..new_user(email, "member")
        };
        manager.create(&new).await.unwrap().1.unwrap()
    };
    let (ann, bob, eve) = (
        invite("ann@acme.example", true).await,
        invite("bob@acme.example", false).await,
        invite("eve@acme.example", true).await,
    );
    world.pass(INVITATION_MS - 1);
    let ann = world.use_link(&ann, PASSWORD).await.unwrap();
    assert!(ann.email_verified && ann.state == UserState::Active);
    let bob = world.use_link(&bob, PASSWORD).await.unwrap();
    assert!(!bob.email_verified && bob.state == UserState::Active);
    world.pass(1);
    assert!(world.use_link(&eve, PASSWORD).await.is_err(), "seven days are over");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_when_idle_when_old_when_the_person_is_deactivated_and_when_there_are_too_many() {
    let world = World::new().await;
    let ann = world.user(acme(), "ann@acme.example", "owner").await;
    let sign_in = async || world.sign_in("ann@acme.example", PASSWORD).await.unwrap().secret;
    let idle = sign_in().await;
    world.pass(SESSION_IDLE_MS);
    assert!(world.caller_of(&idle).is_none());
    let old = sign_in().await;
    for _ in 0..SESSION_MS / SESSION_IDLE_MS * 2 {
        let session = world.caller_of(&old).map(|caller| caller.principal);
        if let Some(Principal::User(_, session)) = session {
            world.directory.touch(&session.id);
        }
        world.pass(SESSION_IDLE_MS / 2);
    }
    assert!(
        world.caller_of(&old).is_none(),
        "a week at most, however much it is used"
    );

    let first = sign_in().await;
    for _ in 1..SESSIONS_MAX {
        world.pass(1);
        sign_in().await;
    }
    assert!(world.caller_of(&first).is_some());
    let last = sign_in().await;
    assert!(
        world.caller_of(&first).is_none(),
        "the one that was unused for longest made room"
    );

    let caller = world.caller_of(&last).unwrap();
    assert!(caller.stands(&world.directory));
    let off = UserChange {
        active: Some(false),
        ..UserChange::default()
    };
    let root = root();
    world
        .people
        .manager(&root, acme())
        .unwrap()
        .change(&ann.id, &off)
        .await
        .unwrap();
    assert!(world.caller_of(&last).is_none() && !caller.stands(&world.directory));
    assert_eq!(world.directory.of::<Session>(&ann.id).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_grants_more_than_they_hold_or_manages_who_holds_more() {
    let policy = PolicySettings {
        view_roles: Some(vec!["owner".into()]),
        view_permissions: Some(vec!["audit.view".into()]),
        export_roles: Some(vec!["owner".into()]),
        ..PolicySettings::default()
    };
    let world = World::with(policy).await;
    let owner = world.user(acme(), "owner@acme.example", "owner").await;
    let admin = world.user(acme(), "admin@acme.example", "administrator").await;
    let member = world.user(acme(), "member@acme.example", "member").await;
    let caller = world.signed_in("admin@acme.example").await;
    let manager = world.people.manager(&caller, acme()).unwrap();
    let role = |role: &str| UserChange {
        role: Some(role.into()),
        ..UserChange::default()
    };
    let grants = "Nobody grants more";
    let invited = |role: &str, permissions: &[&str]| NewUser {
        permissions: permissions.iter().map(|word| (*word).to_owned()).collect(),
        password: None,
        mailed: true,
        ..new_user("new@acme.example", role)
    };
    for new in [invited("owner", &[]), invited("member", &["audit.view"])] {
        assert!(refused(&manager.create(&new).await.unwrap_err()).starts_with(grants));
    }
    assert!(refused(&manager.change(&member.id, &role("owner")).await.unwrap_err()).starts_with(grants));
    let viewing = ["audit.view".to_owned()];
    assert!(refused(&manager.set_permissions(&member.id, &viewing).await.unwrap_err()).starts_with(grants));

    let oneself = "Nobody changes their own";
    assert!(refused(&manager.change(&admin.id, &role("member")).await.unwrap_err()).starts_with(oneself));
    assert!(refused(&manager.set_permissions(&admin.id, &[]).await.unwrap_err()).starts_with(oneself));
    assert!(refused(&manager.remove(&admin.id).await.unwrap_err()).starts_with(oneself));

    let more = "The user holds rights";
    let email = UserChange {
        email: Some("mine@acme.example".into()),
        ..UserChange::default()
    };
    let off = UserChange {
        active: Some(false),
        ..UserChange::default()
    };
    for change in [&email, &off, &role("member")] {
        assert!(refused(&manager.change(&owner.id, change).await.unwrap_err()).starts_with(more));
    }
    assert!(refused(&manager.set_permissions(&owner.id, &[]).await.unwrap_err()).starts_with(more));
    assert!(refused(&manager.remove(&owner.id).await.unwrap_err()).starts_with(more));
    assert!(refused(&manager.link(&owner.id, true).await.unwrap_err()).starts_with(more));

    let operator = "Only an operator";
    assert!(refused(&manager.link(&member.id, false).await.unwrap_err()).starts_with(operator));
    assert!(
        refused(
            &manager
                .create(&new_user("new@acme.example", "member"))
                .await
                .unwrap_err()
        )
        .starts_with(operator)
    );
    let before = world.events();
    manager.change(&member.id, &role("administrator")).await.unwrap();
    assert_eq!(
        world.events(),
        before + 1,
        "what they hold they may give, and it is recorded"
    );
    let other = world.signed_in("member@acme.example").await;
    world
        .people
        .manager(&other, acme())
        .unwrap()
        .change(&admin.id, &role("member"))
        .await
        .unwrap();
    assert!(
        matches!(manager.remove(&member.id).await, Err(Refusal::Unproven)),
        "a role that was lost is of no use at once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_who_may_administer_stays_and_organizations_are_apart() {
    let world = World::new().await;
    let other = OrganizationKey::new("default", "other");
    world.exists(&other).await;
    let ann = world.user(acme(), "ann@acme.example", "owner").await;
    world.user(operators(), "op@trailbook.example", "owner").await;
    let attempt = Attempt {
        project: "default",
        organization: None,
        email: "OP@trailbook.example",
        origin: &Origin::default(),
        replaces: None,
    };
    let session = world.people.sign_in(&attempt, PASSWORD).await.unwrap();
    let operator = world.caller_of(&session.secret).unwrap();
    let manager = world.people.manager(&operator, acme()).unwrap();
    let role = UserChange {
        role: Some("member".into()),
        ..UserChange::default()
    };
    let off = UserChange {
        active: Some(false),
        ..UserChange::default()
    };
    let last = "The user is the last";
    for change in [&role, &off] {
        assert!(refused(&manager.change(&ann.id, change).await.unwrap_err()).starts_with(last));
    }
    assert!(refused(&manager.remove(&ann.id).await.unwrap_err()).starts_with(last));
    let caller = world.signed_in("ann@acme.example").await;
    assert!(matches!(
        world.people.manager(&caller, other.clone()).err(),
        Some(Refusal::Unknown)
    ));
    assert!(matches!(
        world.people.manager(&caller, operators()).err(),
        Some(Refusal::Unknown)
    ));
    let elsewhere = world.people.manager(&operator, other).unwrap();
    assert!(
        matches!(elsewhere.get(&ann.id), Err(Refusal::Unknown)),
        "a user is found in their organization only"
    );
    let root = root();
    world
        .people
        .manager(&root, acme())
        .unwrap()
        .remove(&ann.id)
        .await
        .unwrap();
    assert!(world.caller_of(&session.secret).is_some() && !caller.stands(&world.directory));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_is_unverified_and_takes_links_to_the_old_one_back() {
    let world = World::new().await;
    let ann = world.user(acme(), "ann@acme.example", "owner").await;
    world.user(acme(), "bob@acme.example", "owner").await;
    let (_, secret) = world
        .people
        .request_reset(&world.reset("ann@acme.example"))
        .await
        .unwrap()
        .unwrap();
    let ann = world.use_link(&secret, PASSWORD).await.map(|_| ann).unwrap();
    let (_, secret) = world
        .people
        .request_reset(&world.reset("ann@acme.example"))
        .await
        .unwrap()
        .unwrap();
    let root = root();
    let manager = world.people.manager(&root, acme()).unwrap();
    let email = |email: &str| UserChange {
        email: Some(email.into()),
        ..UserChange::default()
    };
    assert!(matches!(
        manager.change(&ann.id, &email("BOB@acme.example")).await,
        Err(Refusal::Invalid(_))
    ));
    let moved = manager.change(&ann.id, &email("Ann@New.example")).await.unwrap();
    assert!(moved.email == "ann@new.example" && !moved.email_verified);
    assert_eq!(world.directory.of::<Link>(&ann.id).len(), 0);
    assert!(world.use_link(&secret, "another fine password").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_organization_only_an_address_that_is_known_once_signs_in() {
    let world = World::new().await;
    let other = OrganizationKey::new("default", "other");
    world.exists(&other).await;
    world.user(acme(), "ann@acme.example", "owner").await;
    let origin = Origin::default();
    let attempt = Attempt {
        project: "default",
        organization: None,
        email: "ann@acme.example",
        origin: &origin,
        replaces: None,
    };
    world.people.sign_in(&attempt, PASSWORD).await.unwrap();
    world.user(other, "ann@acme.example", "member").await;
    assert!(matches!(
        world.people.sign_in(&attempt, PASSWORD).await,
        Err(Refusal::Unproven)
    ));
    world.sign_in("ann@acme.example", PASSWORD).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_maker_goes_away_is_visible_once_it_is_durable() {
    let world = World::new().await;
    let mut changes = world.directory.changes();
    let mut change = world.directory.change().await;
    let shop = crate::records::Project {
        name: "shop".into(),
        organizations: crate::records::Organizations::Auto,
        policy: PolicySettings::default(),
    };
    change.put(shop).unwrap();
    let mut commit = Box::pin(change.commit());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(commit.as_mut().poll(&mut context).is_pending(), "begun");
    drop(commit);
    changes.changed().await.unwrap();
    assert!(world.directory.has_project("shop"));
    let mut change = world.directory.change().await;
    change.remove::<crate::records::Project>("shop");
    change.commit().await.expect("memory is at the version that is stored");
}
