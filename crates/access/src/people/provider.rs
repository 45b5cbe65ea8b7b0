//! Signing in by the word of an organization's identity provider, and saying which provider that is.
//!
//! Invariants
//! - Who somebody is, is an issuer and a subject; an e-mail address leads to an account at most once, when it is verified.
//! - The provider's word reaches no account with rights that the groups do not give, and whoever chooses the provider and the roles
//!   holds what those roles allow: choosing a provider is no way to more than one has.
//! - A client secret stays with the issuer and client that it was given for.
//!
//! Not here: how the provider's word is obtained and checked (the server).

use std::sync::Arc;

use serde_json::{Value, json};
use trailbook_ledger::OrganizationKey;

use super::{
    Manager, NewSession, People, Refusal, USERS_MAX, address,
    check::{Checks, normal_email},
};
use crate::{
    Act, Origin, Rights,
    act::{Actor, Target},
    records::{Identity, SingleSignOn, User, UserState, owner},
    secret::{SecretHash, new_id},
};

/// Groups that are given a role.
pub const GROUPS_MAX: usize = 1_000;
/// Characters of a group, a claim or a client id.
const TEXT_CHARS_MAX: usize = 1_024;
const DEACTIVATED: &str = "Your account here is deactivated: ask an administrator of your organization.";

/// Somebody whom an organization's identity provider signed in.
#[derive(Debug)]
pub struct Arrival {
    /// The organization whose provider it is.
    pub organization: OrganizationKey,
    /// Who it is.
    pub identity: Identity,
    /// The address that the provider tells.
    pub email: Option<String>,
    /// Whether the provider says that the person was shown to read its mail.
    pub email_verified: bool,
    /// Display name.
    pub name: Option<String>,
    /// Groups, by the names that the provider uses.
    pub groups: Vec<String>,
    /// Where the request came from.
    pub origin: Origin,
    /// The session that the browser already had. It ends, whoever's it was.
    pub replaces: Option<SecretHash>,
}

/// What an organization says of its provider.
#[derive(Debug)]
pub struct ProviderSettings {
    /// The provider.
    pub issuer: String,
    /// Who we are there.
    pub client_id: String,
    /// Our secret there, encrypted; `None` keeps the one that is stored for the same issuer and client.
    pub client_secret: Option<String>,
    /// The claim that has a person's groups.
    pub groups_claim: String,
    /// Roles by group, in order: the first that a person has counts.
    pub roles: Vec<(String, String)>,
    /// The role of people without such a group; `None` refuses them.
    pub default_role: Option<String>,
}

/// The user as stored, if there is one, and as the arrival makes them.
type Welcomed = (Option<Arc<User>>, User);

/// What an event tells of the settings.
type MemberOf = fn(&SingleSignOn) -> Value;

/// Why somebody is turned away, for the person, and the account that it is about.
type TurnedAway = (&'static str, Option<Arc<User>>);

impl SingleSignOn {
    /// The role of somebody in these groups.
    fn role_of(&self, groups: &[String]) -> Option<&str> {
        let mapped = self.roles.iter().find(|(group, _)| groups.contains(group));
        mapped.map(|(_, role)| role.as_str()).or(self.default_role.as_deref())
    }

    fn all_roles(&self) -> impl Iterator<Item = &String> {
        self.roles.iter().map(|(_, role)| role).chain(&self.default_role)
    }
}

impl People {
    /// Signs in whom the provider named: with the role of their groups, as a new user when there is none yet.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`] with a sentence for the person, which is recorded; [`Refusal::Throttled`], [`Refusal::Failed`].
    pub async fn arrive(&self, arrival: &Arrival) -> Result<NewSession, Refusal> {
        let address = address("provider", &arrival.origin);
        self.throttle.attempt(&[address], self.now())?;
        let mut change = self.directory.change().await;
        let (before, user) = match self.welcomed(arrival) {
            Ok(welcomed) => welcomed,
            Err((why, account)) => {
                drop(change);
                let act = turned_away(arrival, why, account.as_deref());
                self.directory.record(&act).await?;
                return Err(Refusal::NotAllowed(why));
            }
        };
        self.throttle.take_back(&address, self.now());
        if let Some(before) = before.as_ref().filter(|before| before.identity.is_none()) {
            self.drop_links(&mut change, &before.id);
            if !before.email_verified {
                // Whoever was signed in has not shown to be the person who reads the mail.
                self.end_sessions(&mut change, &before.id);
            }
        }
        acts_of_arrival(arrival, before.as_deref(), &user)
            .into_iter()
            .for_each(|act| change.act(act));
        let secret = self.open_session(&mut change, &user, arrival.replaces)?;
        let act = Act::by(
            Actor::user(&user),
            arrival.origin.clone(),
            user.key(),
            "trailbook.user.signed_in",
        );
        change.act(
            act.with("method", "single_sign_on")
                .with("issuer", arrival.identity.issuer.as_str()),
        );
        change.put(user.clone())?;
        change.commit().await?;
        Ok(NewSession {
            user: Arc::new(user),
            secret,
        })
    }

    fn welcomed(&self, arrival: &Arrival) -> Result<Welcomed, TurnedAway> {
        let owner = owner(&arrival.organization);
        let settings = self.directory.get::<SingleSignOn>(&owner);
        let settings = settings.filter(|settings| settings.issuer == arrival.identity.issuer);
        let settings = settings.ok_or(("Single sign-on was changed in between: begin again.", None))?;
        let users = self.directory.of::<User>(&owner);
        let known = users
            .iter()
            .find(|user| user.identity.as_ref() == Some(&arrival.identity));
        let Some(role) = settings.role_of(&arrival.groups) else {
            let why = "None of your groups has a role here: ask an administrator of your organization.";
            return Err((why, known.cloned()));
        };
        if let Some(known) = known {
            if known.state == UserState::Deactivated {
                return Err((DEACTIVATED, Some(known.clone())));
            }
            let user = User {
                role: role.to_owned(),
                ..User::clone(known)
            };
            return Ok((Some(known.clone()), user));
        }
        let mut checks = Checks::default();
        let email = checks.email(arrival.email.as_deref().unwrap_or_default());
        let name = checks.name(arrival.name.as_deref());
        if checks.done().is_err() {
            let why = "Your identity provider tells no e-mail address, or one or a name that cannot be used.";
            return Err((why, None));
        }
        match users.iter().find(|user| user.email == email) {
            Some(account) => match self.linked(arrival, account, role, name) {
                Ok(user) => Ok((Some(account.clone()), user)),
                Err(why) => Err((why, Some(account.clone()))),
            },
            None if users.len() >= USERS_MAX => Err(("The organization has as many users as it may have.", None)),
            None => Ok((None, self.newcomer(arrival, email, role, name))),
        }
    }

    /// The account of the same address, bound to the provider's person from now on.
    fn linked(
        &self,
        arrival: &Arrival,
        account: &User,
        role: &str,
        name: Option<String>,
    ) -> Result<User, &'static str> {
        if account.state == UserState::Deactivated {
            return Err(DEACTIVATED);
        }
        if account.identity.is_some() || !arrival.email_verified {
            return Err(
                "Your e-mail address belongs to another account here: ask an administrator of your organization.",
            );
        }
        let policy = self.directory.policy(&arrival.organization);
        let held = Rights::of(&policy, Some(&account.role), &account.permissions);
        if !Rights::of(&policy, Some(role), &[]).contain(held) {
            return Err(
                "Your account here may do more than your groups allow, so they do not lead to it: ask an administrator of your organization.",
            );
        }
        Ok(User {
            identity: Some(arrival.identity.clone()),
            role: role.to_owned(),
            state: UserState::Active,
            // A password that was set before anybody showed to read the mail may be somebody else's.
            password: account.password.clone().filter(|_| account.email_verified),
            email_verified: true,
            name: account.name.clone().or(name),
            ..User::clone(account)
        })
    }

    fn newcomer(&self, arrival: &Arrival, email: String, role: &str, name: Option<String>) -> User {
        User {
            id: new_id("usr_", self.directory.random()),
            project: arrival.organization.project().to_owned(),
            organization: arrival.organization.organization().to_owned(),
            email,
            name,
            role: role.to_owned(),
            permissions: Vec::new(),
            state: UserState::Active,
            email_verified: arrival.email_verified,
            password: None,
            identity: Some(arrival.identity.clone()),
            created_at: self.wall(),
        }
    }
}

/// What an arrival changes, as events. The provider decides it, through us.
fn acts_of_arrival(arrival: &Arrival, before: Option<&User>, after: &User) -> Vec<Act> {
    let act = |action| {
        let (actor, organization) = (Actor::system("Single sign-on"), arrival.organization.clone());
        Act::by(actor, arrival.origin.clone(), organization, action).target(Target::user(after))
    };
    let identity = |user: &User| {
        let known = user.identity.as_ref();
        known.map(|known| json!(format!("{} at {}", known.subject, known.issuer)))
    };
    let (role, state) = (|user: &User| json!(user.role), |user: &User| json!(user.state));
    let Some(before) = before else {
        let created = act("trailbook.user.created").changed("role", None, Some(role(after)));
        return vec![created.changed("identity", None, identity(after))];
    };
    let acts = [
        act("trailbook.user.changed")
            .changed("identity", identity(before), identity(after))
            .changed("state", Some(state(before)), Some(state(after))),
        act("trailbook.user.role_changed").changed("role", Some(role(before)), Some(role(after))),
    ];
    acts.into_iter().filter(|act| !act.is_unchanged()).collect()
}

/// The event of somebody whom the provider knows and who may not come in.
fn turned_away(arrival: &Arrival, why: &'static str, account: Option<&User>) -> Act {
    let stranger = || Target {
        email: arrival.email.as_deref().map(normal_email),
        ..Target::new("user", arrival.identity.subject.as_str(), None)
    };
    let act = Act::by(
        Actor::anonymous(),
        arrival.origin.clone(),
        arrival.organization.clone(),
        "trailbook.user.sign_in_failed",
    );
    act.target(account.map_or_else(stranger, Target::user))
        .with("method", "single_sign_on")
        .with("issuer", arrival.identity.issuer.as_str())
        .with("reason", why)
        .failed()
}

impl Manager<'_> {
    /// The organization's provider.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] when there is none.
    pub fn provider(&self) -> Result<Arc<SingleSignOn>, Refusal> {
        let known = self.people.directory.get::<SingleSignOn>(&owner(&self.organization));
        known.ok_or(Refusal::Unknown)
    }

    /// Says which provider the organization has, and the roles of its groups.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`] for a role, wanted or given before, that allows more than the caller may do; [`Refusal::Invalid`].
    pub async fn set_provider(&self, wanted: ProviderSettings) -> Result<Arc<SingleSignOn>, Refusal> {
        check_texts(&wanted)?;
        let (mut change, rights) = self.begin().await?;
        if !rights.contain(self.policy().rights_of_somebody()) {
            return Err(Refusal::NotAllowed(
                "Whoever runs the identity provider signs in as anybody: only who holds every right may choose it.",
            ));
        }
        let before = self.provider().ok();
        let same = |before: &&Arc<SingleSignOn>| before.issuer == wanted.issuer && before.client_id == wanted.client_id;
        let kept = before.as_ref().filter(same).map(|before| before.client_secret.clone());
        let replaced = wanted.client_secret.is_some();
        let Some(client_secret) = wanted.client_secret.or(kept) else {
            return Err(Refusal::fault(
                "client_secret",
                "the client's secret is needed: the one that is stored is for the same issuer and client only",
            ));
        };
        let after = SingleSignOn {
            project: self.organization.project().to_owned(),
            organization: self.organization.organization().to_owned(),
            issuer: wanted.issuer,
            client_id: wanted.client_id,
            client_secret,
            groups_claim: wanted.groups_claim,
            roles: wanted.roles,
            default_role: wanted.default_role,
        };
        let act = self.provider_act(before.as_deref(), Some(&after));
        if act.is_unchanged() && !replaced {
            return Ok(Arc::new(after));
        }
        change.act(act.with("client_secret_replaced", replaced));
        change.put(after.clone())?;
        change.commit().await?;
        Ok(Arc::new(after))
    }

    /// Takes the provider away. Who is signed in stays so; nobody signs in by it any more.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] when there is none; [`Refusal::NotAllowed`] as in [`Self::set_provider`].
    pub async fn remove_provider(&self) -> Result<(), Refusal> {
        let (mut change, rights) = self.begin().await?;
        let before = self.provider()?;
        for role in before.all_roles() {
            self.check_grant(rights, role, &[])?;
        }
        change.act(self.provider_act(Some(&before), None));
        change.remove::<SingleSignOn>(&owner(&self.organization));
        Ok(change.commit().await?)
    }

    fn provider_act(&self, before: Option<&SingleSignOn>, after: Option<&SingleSignOn>) -> Act {
        let roles: MemberOf = |settings| {
            let rows = settings.roles.iter().map(|(group, role)| format!("{group}: {role}"));
            json!(rows.collect::<Vec<_>>())
        };
        let members: [(&str, MemberOf); 5] = [
            ("issuer", |settings| json!(settings.issuer)),
            ("client_id", |settings| json!(settings.client_id)),
            ("groups_claim", |settings| json!(settings.groups_claim)),
            ("roles", roles),
            ("default_role", |settings| json!(settings.default_role)),
        ];
        let act = Act::of(
            self.caller,
            self.organization.clone(),
            "trailbook.single_sign_on.changed",
        );
        let changed = |act: Act, (name, of): (&str, MemberOf)| act.changed(name, before.map(of), after.map(of));
        members.into_iter().fold(act, changed)
    }
}

fn check_texts(wanted: &ProviderSettings) -> Result<(), Refusal> {
    let mut checks = Checks::default();
    let good = |text: &str| (1..=TEXT_CHARS_MAX).contains(&text.chars().count()) && !text.contains(char::is_control);
    for (member, text) in [("client_id", &wanted.client_id), ("groups_claim", &wanted.groups_claim)] {
        if !good(text) {
            checks.fault(member, format!("it has 1 to {TEXT_CHARS_MAX} printable characters"));
        }
    }
    if wanted.roles.len() > GROUPS_MAX || !wanted.roles.iter().all(|(group, _)| good(group)) {
        let rule = format!("at most {GROUPS_MAX} groups with names of 1 to {TEXT_CHARS_MAX} printable characters");
        checks.fault("roles", rule);
    }
    for role in wanted.roles.iter().map(|(_, role)| role).chain(&wanted.default_role) {
        checks.role(role);
    }
    checks.done()
}
