//! Whom the provider's word lets in, as what, and to which account.

use super::*;
use crate::records::{Identity, SingleSignOn, owner};

const ISSUER: &str = "https://idp.example";

fn settings() -> ProviderSettings {
    let role = |group: &str, role: &str| (group.to_owned(), role.to_owned());
    ProviderSettings {
        issuer: ISSUER.into(),
        client_id: "trailbook".into(),
        client_secret: Some("sealed".into()),
        groups_claim: "groups".into(),
        roles: vec![role("admins", "administrator"), role("staff", "auditor")],
        default_role: None,
    }
}

fn arrival(subject: &str, email: &str, groups: &[&str]) -> Arrival {
    Arrival {
        organization: acme(),
        identity: Identity {
            issuer: ISSUER.into(),
            subject: subject.into(),
        },
        email: Some(email.into()),
        email_verified: true,
        name: Some("Ann".into()),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        origin: Origin::default(),
        replaces: None,
    }
}

impl World {
    async fn with_provider() -> Self {
        let world = Self::new().await;
        world.set_provider(&root(), settings()).await.unwrap();
        world
    }

    async fn set_provider(&self, caller: &Caller, settings: ProviderSettings) -> Result<Arc<SingleSignOn>, Refusal> {
        self.people.manager(caller, acme())?.set_provider(settings).await
    }

    /// The refusal's sentence; it is recorded as an event.
    async fn turned_away(&self, arrival: &Arrival) -> &'static str {
        let before = self.events();
        let refusal = self.people.arrive(arrival).await.unwrap_err();
        assert_eq!(self.events(), before + 1);
        refused(&refusal)
    }

    fn users(&self) -> Vec<Arc<User>> {
        self.directory.of::<User>(&owner(&acme()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_made_at_their_first_arrival_and_have_the_role_of_their_groups_at_every_one() {
    let world = World::with_provider().await;
    let first = world
        .people
        .arrive(&arrival("1", "Ann@Acme.example", &["x", "staff"]))
        .await
        .unwrap();
    assert_eq!(
        (first.user.role.as_str(), first.user.email.as_str()),
        ("auditor", "ann@acme.example")
    );
    assert!(world.caller_of(&first.secret).is_some());
    let events = world.events();
    let again = world
        .people
        .arrive(&arrival("1", "other@acme.example", &["staff", "admins"]))
        .await
        .unwrap();
    assert_eq!(world.events(), events + 2, "the role changed, and somebody signed in");
    assert_eq!(
        (again.user.id.as_str(), again.user.role.as_str()),
        (first.user.id.as_str(), "administrator")
    );
    assert_eq!(
        again.user.email, "ann@acme.example",
        "another address makes nobody somebody else"
    );
    let role = |session: &Caller| match &session.principal {
        Principal::User(user, _) => user.role.clone(),
        _ => panic!("not a person"),
    };
    assert_eq!(
        role(&world.caller_of(&first.secret).unwrap()),
        "administrator",
        "in every session"
    );
    assert_eq!(world.users().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_without_a_role_do_not_come_in() {
    let world = World::with_provider().await;
    assert!(
        world
            .turned_away(&arrival("1", "ann@acme.example", &["Staff", "staff "]))
            .await
            .contains("groups")
    );
    assert!(world.users().is_empty());
    let open = ProviderSettings {
        default_role: Some("auditor".into()),
        ..settings()
    };
    world.set_provider(&root(), open).await.unwrap();
    let session = world
        .people
        .arrive(&arrival("1", "ann@acme.example", &[]))
        .await
        .unwrap();
    assert_eq!(session.user.role, "auditor");
    world.set_provider(&root(), settings()).await.unwrap();
    assert!(
        world
            .turned_away(&arrival("1", "ann@acme.example", &[]))
            .await
            .contains("groups")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_subject_of_another_issuer_is_somebody_else_and_not_let_in() {
    let world = World::with_provider().await;
    world
        .people
        .arrive(&arrival("1", "ann@acme.example", &["staff"]))
        .await
        .unwrap();
    let mut other = arrival("1", "ann@acme.example", &["staff"]);
    other.identity.issuer = "https://evil.example".into();
    assert!(matches!(world.people.arrive(&other).await, Err(Refusal::NotAllowed(why)) if why.contains("changed")));
    let moved = ProviderSettings {
        issuer: "https://evil.example".into(),
        ..settings()
    };
    world.set_provider(&root(), moved).await.unwrap();
    assert!(world.turned_away(&other).await.contains("another account"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_leads_to_an_account_only_when_it_is_verified_and_nobody_elses() {
    let world = World::with_provider().await;
    let account = world.user(acme(), "ann@acme.example", "auditor").await;
    let mut unverified = arrival("1", "ann@acme.example", &["staff"]);
    unverified.email_verified = false;
    assert!(world.turned_away(&unverified).await.contains("another account"));
    let linked = world
        .people
        .arrive(&arrival("1", "ANN@acme.example", &["staff"]))
        .await
        .unwrap();
    assert_eq!(linked.user.id, account.id);
    let stolen = arrival("2", "ann@acme.example", &["staff"]);
    assert!(world.turned_away(&stolen).await.contains("another account"));
    assert_eq!(world.users().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_set_before_anybody_read_the_mail_ends_with_the_link() {
    let world = World::with_provider().await;
    let account = world.user(acme(), "ann@acme.example", "auditor").await;
    assert!(!account.email_verified);
    let planted = world.sign_in("ann@acme.example", PASSWORD).await.unwrap();
    world
        .people
        .arrive(&arrival("1", "ann@acme.example", &["staff"]))
        .await
        .unwrap();
    assert!(world.caller_of(&planted.secret).is_none());
    assert!(world.sign_in("ann@acme.example", PASSWORD).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_word_does_not_reach_an_account_with_more_rights_than_the_groups_give() {
    let world = World::with_provider().await;
    let owner = world.user(acme(), "owner@acme.example", "owner").await;
    assert!(
        world
            .turned_away(&arrival("1", "owner@acme.example", &["staff"]))
            .await
            .contains("may do more")
    );
    let unchanged = world.users();
    assert_eq!((unchanged[0].role.as_str(), &unchanged[0].identity), ("owner", &None));
    let linked = world
        .people
        .arrive(&arrival("1", "owner@acme.example", &["admins"]))
        .await
        .unwrap();
    assert_eq!(linked.user.id, owner.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deactivated_stays_out_by_either_way() {
    let world = World::with_provider().await;
    let off = UserChange {
        active: Some(false),
        ..UserChange::default()
    };
    let root = root();
    let manager = world.people.manager(&root, acme()).unwrap();
    let bound = world
        .people
        .arrive(&arrival("1", "ann@acme.example", &["staff"]))
        .await
        .unwrap();
    let unbound = world.user(acme(), "ben@acme.example", "auditor").await;
    for user in [&bound.user, &unbound] {
        manager.change(&user.id, &off).await.unwrap();
    }
    assert!(
        world
            .turned_away(&arrival("1", "ann@acme.example", &["staff"]))
            .await
            .contains("deactivated")
    );
    assert!(
        world
            .turned_away(&arrival("2", "ben@acme.example", &["staff"]))
            .await
            .contains("deactivated")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_needed_to_become_a_user() {
    let world = World::with_provider().await;
    let mut nameless = arrival("1", "", &["staff"]);
    for email in [None, Some("no address".to_owned())] {
        nameless.email = email;
        assert!(world.turned_away(&nameless).await.contains("e-mail address"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_groups_more_than_they_hold_or_takes_such_a_provider_away() {
    let policy = PolicySettings {
        view_roles: Some(vec!["owner".into()]),
        export_roles: Some(vec!["owner".into()]),
        ..PolicySettings::default()
    };
    let world = World::with(policy).await;
    world.user(acme(), "owner@acme.example", "owner").await;
    world.user(acme(), "admin@acme.example", "administrator").await;
    let (owner, admin) = (
        world.signed_in("owner@acme.example").await,
        world.signed_in("admin@acme.example").await,
    );
    let mapped = |role: &str, default: Option<&str>| ProviderSettings {
        roles: vec![("staff".into(), role.into())],
        default_role: default.map(str::to_owned),
        ..settings()
    };
    let (grants, chooses) = ("Nobody grants more", "Whoever runs the identity provider");
    for wanted in [
        mapped("owner", None),
        mapped("administrator", Some("owner")),
        mapped("administrator", None),
    ] {
        assert!(refused(&world.set_provider(&admin, wanted).await.err().unwrap()).starts_with(chooses));
    }
    world.set_provider(&owner, mapped("administrator", None)).await.unwrap();
    let taken = world
        .people
        .arrive(&arrival("1", "owner@acme.example", &["staff"]))
        .await;
    assert!(
        refused(&taken.unwrap_err()).contains("may do more"),
        "the groups do not give what the account may do"
    );

    world.set_provider(&owner, mapped("owner", None)).await.unwrap();
    let redirected = ProviderSettings {
        issuer: "https://evil.example".into(),
        ..mapped("administrator", None)
    };
    assert!(refused(&world.set_provider(&admin, redirected).await.err().unwrap()).starts_with(chooses));
    let manager = world.people.manager(&admin, acme()).unwrap();
    assert!(refused(&manager.remove_provider().await.unwrap_err()).starts_with(grants));
    let manager = world.people.manager(&owner, acme()).unwrap();
    manager.remove_provider().await.unwrap();
    assert!(matches!(manager.provider(), Err(Refusal::Unknown)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_secret_goes_to_no_other_issuer_or_client() {
    let world = World::with_provider().await;
    let without = |issuer: &str, client: &str| ProviderSettings {
        issuer: issuer.into(),
        client_id: client.into(),
        client_secret: None,
        ..settings()
    };
    let kept = world.set_provider(&root(), without(ISSUER, "trailbook")).await.unwrap();
    assert_eq!(kept.client_secret, "sealed");
    for (issuer, client) in [("https://evil.example", "trailbook"), (ISSUER, "another")] {
        let refused = world.set_provider(&root(), without(issuer, client)).await;
        assert!(matches!(refused, Err(Refusal::Invalid(_))), "{issuer} {client}");
    }
}
