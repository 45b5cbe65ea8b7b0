//! Managing the people of an organization.
//!
//! Invariants
//! - Nobody grants more than they hold, manages who holds more, or changes their own role, permissions or state.
//! - An organization keeps somebody who may administer it, unless root decides otherwise.
//! - Rights are asked under the same lock under which the change is made.

use std::sync::Arc;

use serde_json::{Value, json};
use trailbook_ledger::OrganizationKey;

use super::{People, Refusal, check::Checks};
use crate::{
    Act, Caller, Change, DEFAULT_PROJECT, Policy, Principal, Right, Rights, SYSTEM,
    act::Target,
    password::NewPassword,
    records::{OwnerKind, User, UserState, owner},
    secret::{Secret, new_id},
};

/// Users of an organization.
pub const USERS_MAX: usize = 10_000;

/// Somebody who is to become a user.
#[derive(Debug)]
pub struct NewUser {
    /// E-mail address.
    pub email: String,
    /// Display name.
    pub name: Option<String>,
    /// A word of the policy.
    pub role: String,
    /// Named permissions.
    pub permissions: Vec<String>,
    /// A password, from root or an operator; without one the user is invited.
    pub password: Option<String>,
    /// Whether the invitation's link is mailed; else it is handed to the caller.
    pub mailed: bool,
}

/// What is to change; `None` stays.
#[derive(Debug, Default)]
pub struct UserChange {
    /// Display name; `Some(None)` removes it.
    pub name: Option<Option<String>>,
    /// E-mail address. It has to be verified anew.
    pub email: Option<String>,
    /// A word of the policy.
    pub role: Option<String>,
    /// Whether the user may sign in.
    pub active: Option<bool>,
}

/// A caller who may administer an organization.
pub struct Manager<'p> {
    pub(super) people: &'p People,
    pub(super) caller: &'p Caller,
    pub(super) organization: OrganizationKey,
}

impl People {
    /// The caller as a manager of an organization's people.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] and [`Refusal::NotAllowed`].
    pub fn manager<'p>(&'p self, caller: &'p Caller, organization: OrganizationKey) -> Result<Manager<'p>, Refusal> {
        let manager = Manager {
            people: self,
            caller,
            organization,
        };
        manager.rights()?;
        Ok(manager)
    }
}

impl Manager<'_> {
    /// All users, by address.
    pub fn list(&self) -> Vec<Arc<User>> {
        let mut users = self.people.directory.of::<User>(&owner(&self.organization));
        users.sort_by(|one, other| one.email.cmp(&other.email));
        users
    }

    /// One user.
    ///
    /// # Errors
    /// [`Refusal::Unknown`].
    pub fn get(&self, id: &str) -> Result<Arc<User>, Refusal> {
        let user = self.people.directory.get::<User>(id);
        user.filter(|user| user.key() == self.organization)
            .ok_or(Refusal::Unknown)
    }

    /// Creates a user: invited, unless a password is given. An invitation's secret is answered.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn create(&self, new: &NewUser) -> Result<(Arc<User>, Option<Secret>), Refusal> {
        let people = self.people;
        let mut checks = Checks::default();
        let (email, name) = (checks.email(&new.email), checks.name(new.name.as_deref()));
        let (role, permissions) = (checks.role(&new.role), checks.permissions(&new.permissions));
        let password = new.password.as_deref().map(|text| NewPassword::check(text, &email));
        if let Some(Err(why)) = &password {
            checks.fault("password", why);
        }
        checks.done()?;
        let password = match password.and_then(Result::ok) {
            Some(password) => Some(people.passwords.hash(password).await?),
            None => None,
        };
        let (mut change, rights) = self.begin().await?;
        self.check_outside_powers(password.is_some(), new.mailed)?;
        self.check_grant(rights, &role, &permissions)?;
        self.check_free(&email)?;
        let user = User {
            id: new_id("usr_", people.directory.random()),
            project: self.organization.project().to_owned(),
            organization: self.organization.organization().to_owned(),
            email,
            name,
            role,
            permissions,
            state: if password.is_some() {
                UserState::Active
            } else {
                UserState::Invited
            },
            email_verified: false,
            password,
            identity: None,
            created_at: people.wall(),
        };
        let secret = match user.state {
            UserState::Invited => Some(people.make_link(&mut change, &user, new.mailed)?),
            UserState::Active | UserState::Deactivated => None,
        };
        let action = if secret.is_some() {
            "trailbook.user.invited"
        } else {
            "trailbook.user.created"
        };
        let granted = Some(json!(user.permissions)).filter(|_| !user.permissions.is_empty());
        let act = self.act(action, &user).changed("role", None, Some(json!(user.role)));
        change.act(act.changed("permissions", None, granted));
        change.put(user.clone())?;
        change.commit().await?;
        Ok((Arc::new(user), secret))
    }

    /// Changes a user. Deactivating ends every session.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn change(&self, id: &str, wanted: &UserChange) -> Result<Arc<User>, Refusal> {
        let mut checks = Checks::default();
        let name = wanted.name.as_ref().map(|name| checks.name(name.as_deref()));
        let email = wanted.email.as_ref().map(|email| checks.email(email));
        let role = wanted.role.as_ref().map(|role| checks.role(role));
        checks.done()?;
        let (mut change, rights) = self.begin().await?;
        let before = self.get(id)?;
        self.check_reach(rights, &before)?;
        let mut after = User {
            name: name.unwrap_or_else(|| before.name.clone()),
            role: role.unwrap_or_else(|| before.role.clone()),
            state: new_state(&before, wanted.active)?,
            ..User::clone(&before)
        };
        if let Some(email) = email.filter(|email| *email != before.email) {
            self.check_free(&email)?;
            after.email = email;
            after.email_verified = false;
        }
        if after.role != before.role || after.state != before.state {
            self.check_not_oneself(&before)?;
        }
        if after.role != before.role {
            self.check_grant(rights, &after.role, &after.permissions)?;
        }
        self.check_administered(&before, Some(&after))?;
        let acts = self.acts_of_change(&before, &after);
        if acts.is_empty() {
            return Ok(before);
        }
        acts.into_iter().for_each(|act| change.act(act));
        if after.state == UserState::Deactivated {
            self.people.end_sessions(&mut change, id);
        }
        if after.state == UserState::Deactivated || after.email != before.email {
            // A link is for whoever reads the address that it was sent to.
            self.people.drop_links(&mut change, id);
        }
        change.put(after.clone())?;
        change.commit().await?;
        Ok(Arc::new(after))
    }

    /// Gives a user exactly these permissions.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn set_permissions(&self, id: &str, permissions: &[String]) -> Result<Arc<User>, Refusal> {
        let mut checks = Checks::default();
        let permissions = checks.permissions(permissions);
        checks.done()?;
        let (mut change, rights) = self.begin().await?;
        let before = self.get(id)?;
        self.check_reach(rights, &before)?;
        self.check_not_oneself(&before)?;
        self.check_grant(rights, &before.role, &permissions)?;
        let after = User {
            permissions,
            ..User::clone(&before)
        };
        self.check_administered(&before, Some(&after))?;
        for (action, from, to) in [
            ("trailbook.user.permissions_added", &after, &*before),
            ("trailbook.user.permissions_removed", &*before, &after),
        ] {
            let is_new = |word: &&String| !to.permissions.contains(word);
            let words: Vec<&String> = from.permissions.iter().filter(is_new).collect();
            if !words.is_empty() {
                let (old, new) = (json!(before.permissions), json!(after.permissions));
                let act = self.act(action, &after).changed("permissions", Some(old), Some(new));
                change.act(act.with("permissions", json!(words)));
            }
        }
        if change.is_empty() {
            return Ok(before);
        }
        change.put(after.clone())?;
        change.commit().await?;
        Ok(Arc::new(after))
    }

    /// Deletes a user, every session and link.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn remove(&self, id: &str) -> Result<(), Refusal> {
        let (mut change, rights) = self.begin().await?;
        let user = self.get(id)?;
        self.check_reach(rights, &user)?;
        self.check_not_oneself(&user)?;
        self.check_administered(&user, None)?;
        self.people.end_sessions(&mut change, id);
        self.people.drop_links(&mut change, id);
        let directory = &self.people.directory;
        directory.remove_private_views(&mut change, OwnerKind::User, id);
        change.remove::<User>(id);
        change.act(self.act("trailbook.user.deleted", &user));
        Ok(change.commit().await?)
    }

    /// Makes a link for a user: a new invitation, or a password reset.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn link(&self, id: &str, mailed: bool) -> Result<(Arc<User>, Secret), Refusal> {
        let (mut change, rights) = self.begin().await?;
        self.check_outside_powers(false, mailed)?;
        let user = self.get(id)?;
        self.check_reach(rights, &user)?;
        if user.state == UserState::Deactivated {
            return Err(Refusal::NotAllowed(
                "The user is deactivated: a link would be of no use.",
            ));
        }
        let secret = self.people.make_link(&mut change, &user, mailed)?;
        let action = match user.state {
            UserState::Invited => "trailbook.user.invited",
            UserState::Active | UserState::Deactivated => "trailbook.user.password_reset_requested",
        };
        change.act(self.act(action, &user));
        change.commit().await?;
        Ok((user, secret))
    }

    /// The lock under which people change, and what the caller may do under it.
    pub(super) async fn begin(&self) -> Result<(Change, Rights), Refusal> {
        let change = self.people.directory.change().await;
        if !self.caller.stands(&self.people.directory) {
            return Err(Refusal::Unproven);
        }
        Ok((change, self.rights()?))
    }

    fn rights(&self) -> Result<Rights, Refusal> {
        let directory = &self.people.directory;
        let organization = &self.organization;
        let rights = self.caller.rights(organization, directory)?;
        let operators = organization.project() == DEFAULT_PROJECT && organization.organization() == SYSTEM;
        if !operators && (organization.organization() == SYSTEM || !directory.has_organization(organization)) {
            return Err(Refusal::Unknown);
        }
        if !rights.has(Right::Administer) {
            return Err(Refusal::NotAllowed(
                "Your role and permissions do not allow to administer users.",
            ));
        }
        Ok(rights)
    }

    pub(super) fn policy(&self) -> Arc<Policy> {
        self.people.directory.policy(&self.organization)
    }

    fn check_reach(&self, rights: Rights, user: &User) -> Result<(), Refusal> {
        let held = Rights::of(&self.policy(), Some(&user.role), &user.permissions);
        if rights.contain(held) {
            return Ok(());
        }
        Err(Refusal::NotAllowed(
            "The user holds rights that you do not hold; somebody who holds them can do this.",
        ))
    }

    pub(super) fn check_grant(&self, rights: Rights, role: &str, permissions: &[String]) -> Result<(), Refusal> {
        let granted = Rights::of(&self.policy(), Some(role), permissions);
        if rights.contain(granted) {
            return Ok(());
        }
        Err(Refusal::NotAllowed(
            "Nobody grants more than they hold; choose another role or other permissions.",
        ))
    }

    fn check_not_oneself(&self, user: &User) -> Result<(), Refusal> {
        match &self.caller.principal {
            Principal::User(caller, _) if caller.id == user.id => Err(Refusal::NotAllowed(
                "Nobody changes their own role, permissions or state; somebody else can.",
            )),
            _ => Ok(()),
        }
    }

    /// Passwords and links in the open are for the operator: whoever has one can act as the user.
    fn check_outside_powers(&self, password: bool, mailed: bool) -> Result<(), Refusal> {
        if (mailed && !password) || self.caller.is_operator(&self.people.directory) {
            return Ok(());
        }
        Err(Refusal::NotAllowed(
            "Only an operator sets passwords of others or is answered their links.",
        ))
    }

    fn check_free(&self, email: &str) -> Result<(), Refusal> {
        let users = self.list();
        if users.iter().any(|user| user.email == email) {
            return Err(Refusal::fault(
                "email",
                "the organization already has a user with this address",
            ));
        }
        if users.len() >= USERS_MAX {
            return Err(Refusal::fault(
                "email",
                format!("an organization has at most {USERS_MAX} users"),
            ));
        }
        Ok(())
    }

    /// Somebody has to be left who may administer.
    fn check_administered(&self, before: &User, after: Option<&User>) -> Result<(), Refusal> {
        let policy = self.policy();
        let administers = |user: &User| {
            user.state == UserState::Active && Rights::of(&policy, Some(&user.role), &user.permissions).administer
        };
        let lost = administers(before) && !after.is_some_and(administers);
        let others = || self.list().iter().any(|user| user.id != before.id && administers(user));
        if !lost || self.caller.is_root() || others() {
            return Ok(());
        }
        Err(Refusal::NotAllowed(
            "The user is the last one who may administer; give somebody else that right first.",
        ))
    }

    fn act(&self, action: &'static str, user: &User) -> Act {
        Act::of(self.caller, self.organization.clone(), action).target(Target::user(user))
    }

    /// What a change of a user is, act by act.
    fn acts_of_change(&self, before: &User, after: &User) -> Vec<Act> {
        let some = |text: &str| Some(json!(text));
        let state = if after.state == UserState::Deactivated {
            "trailbook.user.deactivated"
        } else {
            "trailbook.user.reactivated"
        };
        let name = |user: &User| user.name.as_ref().map(|name| Value::from(name.as_str()));
        let acts = [
            self.act("trailbook.user.changed", after)
                .changed("name", name(before), name(after))
                .changed("email", some(&before.email), some(&after.email)),
            self.act("trailbook.user.role_changed", after)
                .changed("role", some(&before.role), some(&after.role)),
            self.act(state, after)
                .changed("state", Some(json!(before.state)), Some(json!(after.state))),
        ];
        acts.into_iter().filter(|act| !act.is_unchanged()).collect()
    }
}

fn new_state(user: &User, active: Option<bool>) -> Result<UserState, Refusal> {
    match (active, user.state) {
        (None, state) | (Some(true), state @ UserState::Active) => Ok(state),
        (Some(false), _) => Ok(UserState::Deactivated),
        (Some(true), UserState::Invited) => Err(Refusal::fault(
            "state",
            "the user has not accepted the invitation yet; a new one can be sent",
        )),
        // Who never had a way in needs a new invitation.
        (Some(true), UserState::Deactivated) if user.password.is_none() && user.identity.is_none() => {
            Ok(UserState::Invited)
        }
        (Some(true), UserState::Deactivated) => Ok(UserState::Active),
    }
}
