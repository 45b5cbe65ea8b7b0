//! Links that let somebody choose a password: invitations and password resets. Each works once, and a new one takes the place of the old.

use std::sync::Arc;

use trailbook_event::{Fault, Pointer};

use super::{People, Refusal, account, address, check::Checks, check::normal_email};
use crate::{
    Act, Change, Error, Origin,
    act::{Actor, Target},
    password::NewPassword,
    records::{Link, LinkPurpose, User, UserState},
    secret::{Secret, SecretHash, SecretKind, new_id},
    throttle::Patience,
};

/// How long an invitation can be accepted, milliseconds.
pub const INVITATION_MS: i64 = 7 * 24 * 3_600_000;
/// How long a password reset can be used, milliseconds.
pub const PASSWORD_RESET_MS: i64 = 3_600_000;

/// Somebody who says that they forgot the password of an account.
#[derive(Debug, Clone)]
pub struct ResetRequest {
    /// Project of the organization.
    pub project: String,
    /// The organization; when it is left out, as for a sign-in.
    pub organization: Option<String>,
    /// The account's e-mail address, as typed.
    pub email: String,
    /// Where the request came from.
    pub origin: Origin,
}

impl People {
    /// Whether a request for a password reset is to be looked at. An account's patience ends silently: that there is one is not said.
    ///
    /// # Errors
    /// [`Refusal::Throttled`] when the client asks too often, for whatever accounts.
    pub fn may_request_reset(&self, request: &ResetRequest) -> Result<bool, Refusal> {
        let (email, now) = (normal_email(&request.email), self.now());
        self.throttle.attempt(&[address("reset", &request.origin)], now)?;
        let account = account(Patience::MAILED, "reset", &request.project, &email);
        Ok(self.throttle.attempt(&[account], now).is_ok())
    }

    /// Makes a link for whoever forgot the password, to be mailed; `None` when there is nobody who could use it. To be done after the
    /// answer: how long it takes tells whether there is an account.
    ///
    /// # Errors
    /// [`Refusal::Failed`].
    pub async fn request_reset(&self, request: &ResetRequest) -> Result<Option<(Arc<User>, Secret)>, Refusal> {
        let mut change = self.directory.change().await;
        let email = normal_email(&request.email);
        let user = self.find(&request.project, request.organization.as_deref(), &email);
        let can_use = |user: &Arc<User>| user.state == UserState::Active && user.password.is_some();
        let Some(user) = user.filter(can_use) else {
            return Ok(None);
        };
        let secret = self.make_link(&mut change, &user, true)?;
        let act = Act::by(
            Actor::anonymous(),
            request.origin.clone(),
            user.key(),
            "trailbook.user.password_reset_requested",
        );
        change.act(act.target(Target::user(&user)));
        change.commit().await?;
        Ok(Some((user, secret)))
    }

    /// A new link for a user in place of earlier ones: an invitation for who has not come yet, else a password reset. `mailed` says
    /// that it goes to the user's address and nowhere else.
    pub(super) fn make_link(&self, change: &mut Change, user: &User, mailed: bool) -> Result<Secret, Error> {
        self.drop_links(change, &user.id);
        let secret = Secret::make(SecretKind::Link, self.directory.random());
        let (purpose, lasts) = match user.state {
            UserState::Invited => (LinkPurpose::Invitation, INVITATION_MS),
            UserState::Active | UserState::Deactivated => (LinkPurpose::PasswordReset, PASSWORD_RESET_MS),
        };
        change.put(Link {
            id: new_id("lnk_", self.directory.random()),
            hash: secret.hash(),
            user: user.id.clone(),
            purpose,
            mailed,
            expires_at: self.wall() + lasts,
        })?;
        Ok(secret)
    }

    /// Sets the password of whoever holds a link, which is of no use afterwards. Every session ends.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for a link that was used, is over or never was, and for an unacceptable password.
    pub async fn use_link(
        &self,
        token: &str,
        password: &str,
        name: Option<&str>,
        origin: &Origin,
    ) -> Result<Arc<User>, Refusal> {
        let client = address("link", origin);
        self.throttle.attempt(&[client], self.now())?;
        let hash = SecretHash::of(token);
        let (_, user) = self.opened(&hash)?;
        self.throttle.take_back(&client, self.now());
        let mut checks = Checks::default();
        let name = checks.name(name);
        let password = NewPassword::check(password, &user.email);
        if let Err(why) = &password {
            checks.0.push(Fault::new(Pointer::root().child("password"), why));
        }
        checks.done()?;
        let password = self
            .passwords
            .hash(password.map_err(|why| Refusal::fault("password", why))?)
            .await?;
        let mut change = self.directory.change().await;
        let (link, user) = self.opened(&hash)?;
        let user = User {
            password: Some(password),
            state: UserState::Active,
            // Whoever was handed the link in another way did not prove that they read the mail.
            email_verified: user.email_verified || link.mailed,
            name: name.or_else(|| user.name.clone()),
            ..User::clone(&user)
        };
        let action = match link.purpose {
            LinkPurpose::Invitation => "trailbook.user.invitation_accepted",
            LinkPurpose::PasswordReset => "trailbook.user.password_reset",
        };
        self.drop_links(&mut change, &user.id);
        self.end_sessions(&mut change, &user.id);
        let act = Act::by(Actor::user(&user), origin.clone(), user.key(), action);
        change.act(act.target(Target::user(&user)));
        change.put(user.clone())?;
        change.commit().await?;
        self.throttle
            .forgive(&account(Patience::ACCOUNT, "account", &user.project, &user.email));
        Ok(Arc::new(user))
    }

    /// The link of a token and its user, when it can be used now.
    fn opened(&self, hash: &SecretHash) -> Result<(Arc<Link>, Arc<User>), Refusal> {
        let link = self.directory.by_credential::<Link>(hash.bytes());
        let link = link.filter(|link| self.wall() < link.expires_at);
        let user = link.as_ref().and_then(|link| self.directory.get::<User>(&link.user));
        match (link, user.filter(|user| user.state != UserState::Deactivated)) {
            (Some(link), Some(user)) => Ok((link, user)),
            _ => Err(Refusal::fault(
                "token",
                "this link was used, is over or is not complete; ask for a new one",
            )),
        }
    }
}
