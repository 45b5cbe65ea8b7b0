//! Signing in and out, and changing the own password.

use std::sync::Arc;

use trailbook_ledger::OrganizationKey;

use super::{People, Refusal, account, address, check::normal_email};
use crate::{
    Act, Caller, Change, Error, Origin, Principal,
    act::{Actor, Target},
    password::NewPassword,
    records::{Link, Session, User, UserState, owner},
    secret::{Secret, SecretHash, SecretKind, new_id},
    throttle::Patience,
};

/// Sessions of one person at a time; a further one ends the one that was unused for longest.
pub const SESSIONS_MAX: usize = 20;

/// Somebody who says that an account is theirs.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// Project of the organization.
    pub project: &'a str,
    /// The organization; when it is left out, the only one of the project where the address can sign in.
    pub organization: Option<&'a str>,
    /// The account's e-mail address, as typed.
    pub email: &'a str,
    /// Where the request came from.
    pub origin: &'a Origin,
    /// The session that the browser already had. It ends, whoever's it was: a session never survives a sign-in.
    pub replaces: Option<SecretHash>,
}

/// A session, and the secret that opens it.
#[derive(Debug)]
pub struct NewSession {
    /// Who is signed in.
    pub user: Arc<User>,
    /// For the cookie.
    pub secret: Secret,
}

impl People {
    /// Signs somebody in with a password.
    ///
    /// # Errors
    /// [`Refusal::Unproven`] for everything that does not fit together, after the same work.
    pub async fn sign_in(&self, attempt: &Attempt<'_>, password: &str) -> Result<NewSession, Refusal> {
        let email = normal_email(attempt.email);
        let account = account(Patience::ACCOUNT, "account", attempt.project, &email);
        let address = address("account", attempt.origin);
        self.throttle.attempt(&[account, address], self.now())?;
        let known = self.find(attempt.project, attempt.organization, &email);
        let kept = known.as_ref().filter(|user| user.state == UserState::Active);
        let kept = kept.and_then(|user| user.password.as_ref());
        let proven = self.passwords.verify(password, kept).await;
        let proven = proven.inspect_err(|_| {
            // Nobody's fault, so it does not count.
            self.throttle.take_back(&account, self.now());
            self.throttle.take_back(&address, self.now());
        })?;
        let Some(user) = known else {
            return Err(Refusal::Unproven);
        };
        if !proven {
            self.record_failure(&user, attempt.origin);
            return Err(Refusal::Unproven);
        }
        self.throttle.forgive(&account);
        self.throttle.take_back(&address, self.now());
        let mut change = self.directory.change().await;
        let user = self.unchanged(&user)?;
        let secret = self.open_session(&mut change, &user, attempt.replaces)?;
        let act = Act::by(
            Actor::user(&user),
            attempt.origin.clone(),
            user.key(),
            "trailbook.user.signed_in",
        );
        change.act(act.with("method", "password"));
        change.commit().await?;
        Ok(NewSession { user, secret })
    }

    /// Begins a session of somebody who has proved who they are; whoever calls this records that. `replaces` ends.
    ///
    /// # Errors
    /// When the session cannot be written.
    pub fn open_session(
        &self,
        change: &mut Change,
        user: &User,
        replaces: Option<SecretHash>,
    ) -> Result<Secret, Error> {
        let secret = Secret::make(SecretKind::Session, self.directory.random());
        let now = self.wall();
        let mut ended = self.surplus(user);
        if let Some(replaced) = replaces.and_then(|hash| self.directory.by_credential::<Session>(hash.bytes())) {
            ended.push(replaced.id.clone());
        }
        ended.sort();
        ended.dedup();
        ended.iter().for_each(|id| change.remove::<Session>(id));
        change.put(Session {
            id: new_id("ses_", self.directory.random()),
            hash: secret.hash(),
            user: user.id.clone(),
            created_at: now,
            last_used_at: now,
        })?;
        Ok(secret)
    }

    /// Ends the caller's session. Of callers without one nothing is ended.
    ///
    /// # Errors
    /// [`Refusal::Failed`].
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), Refusal> {
        let Principal::User(user, session) = &caller.principal else {
            return Ok(());
        };
        let mut change = self.directory.change().await;
        change.remove::<Session>(&session.id);
        change.act(Act::of(caller, user.key(), "trailbook.user.signed_out"));
        Ok(change.commit().await?)
    }

    /// Changes the caller's own password, after the current one was given. Every session ends; the caller gets a new one.
    ///
    /// # Errors
    /// [`Refusal`] with a fault for a wrong current or an unacceptable new password.
    pub async fn change_password(&self, caller: &Caller, current: &str, new: &str) -> Result<NewSession, Refusal> {
        let Principal::User(user, _) = &caller.principal else {
            return Err(Refusal::NotAllowed("Only a person who is signed in has a password."));
        };
        let new = NewPassword::check(new, &user.email).map_err(|why| Refusal::fault("new", why))?;
        let account = account(Patience::ACCOUNT, "account", &user.project, &user.email);
        self.throttle.attempt(&[account], self.now())?;
        if !self.passwords.verify(current, user.password.as_ref()).await? {
            return Err(Refusal::fault("current", "this is not your password"));
        }
        self.throttle.forgive(&account);
        let password = self.passwords.hash(new).await?;
        let mut change = self.directory.change().await;
        let user = User {
            password: Some(password),
            ..User::clone(&*self.unchanged(user)?)
        };
        self.end_sessions(&mut change, &user.id);
        self.drop_links(&mut change, &user.id);
        let secret = self.open_session(&mut change, &user, None)?;
        change.act(Act::of(caller, user.key(), "trailbook.user.password_changed").target(Target::user(&user)));
        change.put(user.clone())?;
        change.commit().await?;
        Ok(NewSession {
            user: Arc::new(user),
            secret,
        })
    }

    /// The user as it is stored now, under the lock of a change, when nothing that was relied on changed since.
    fn unchanged(&self, user: &User) -> Result<Arc<User>, Refusal> {
        let now = self.directory.get::<User>(&user.id);
        now.filter(|now| now.state == UserState::Active && now.password == user.password)
            .ok_or(Refusal::Unproven)
    }

    /// The account that somebody means. Without an organization it is the only one that can sign in with the address.
    pub(super) fn find(&self, project: &str, organization: Option<&str>, email: &str) -> Option<Arc<User>> {
        // What is no project's name could join with an organization's to the name of another account.
        if !self.directory.has_project(project) {
            return None;
        }
        let state = self.directory.state();
        if let Some(organization) = organization {
            let organization = owner(&OrganizationKey::new(project, organization));
            return state.users.of(&organization).find(|user| user.email == email).cloned();
        }
        let can_sign_in = |user: &&Arc<User>| {
            user.project == project && user.email == email && user.state == UserState::Active && user.password.is_some()
        };
        let mut users = state.users.all().filter(can_sign_in);
        let (one, another) = (users.next(), users.next());
        one.filter(|_| another.is_none()).cloned()
    }

    /// Records a failed sign-in after the answer: the time until it tells nothing of whether there is an account.
    fn record_failure(&self, user: &User, origin: &Origin) {
        let act = Act::by(
            Actor::anonymous(),
            origin.clone(),
            user.key(),
            "trailbook.user.sign_in_failed",
        );
        let (act, directory) = (act.target(Target::user(user)).failed(), Arc::clone(&self.directory));
        tokio::spawn(async move {
            if let Err(error) = directory.record(&act).await {
                tracing::error!(%error, "a failed sign-in could not be recorded");
            }
        });
    }

    /// Ends every session of a user, and the viewer tokens that they made.
    pub(super) fn end_sessions(&self, change: &mut Change, user: &str) {
        self.directory.remove_tokens_made_by(change, user);
        self.directory
            .of::<Session>(user)
            .iter()
            .for_each(|session| change.remove::<Session>(&session.id));
    }

    /// Takes back every link that was sent to a user.
    pub(super) fn drop_links(&self, change: &mut Change, user: &str) {
        self.directory
            .of::<Link>(user)
            .iter()
            .for_each(|link| change.remove::<Link>(&link.id));
    }

    /// Sessions that have to end for a further one, those unused for longest first.
    fn surplus(&self, user: &User) -> Vec<String> {
        let sessions = self.directory.of::<Session>(&user.id);
        let mut by_use: Vec<(Option<i64>, String)> = sessions
            .iter()
            .map(|session| {
                let used = self.directory.last_used(&session.id, Some(session.last_used_at));
                (used, session.id.clone())
            })
            .collect();
        by_use.sort();
        let surplus = (by_use.len() + 1).saturating_sub(SESSIONS_MAX);
        by_use.into_iter().take(surplus).map(|(_, id)| id).collect()
    }
}
