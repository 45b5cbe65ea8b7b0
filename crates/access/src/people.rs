//! People of the console: how they prove who they are, and how they are managed.
//!
//! Invariants
//! - Whoever asks from outside cannot tell whether an account or an organization exists: refusals are the same, and the work done before
//!   them as well. What only a known account needs (an event, a link) is done after the answer.
//! - Every act is an event of the organization's ledger, in the same commit.
//! - Being deactivated, deleted, or given a new password ends every session at once.
//!
//! Not here: cookies and HTTP, mail (the server), what roles allow (`rights`).

mod check;
mod links;
mod manage;
mod provider;
mod sign_in;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use trailbook_event::{Fault, Pointer};
use trailbook_ledger::Clock;

pub use self::{
    check::{EMAIL_BYTES_MAX, NAME_CHARS_MAX, PERMISSIONS_MAX, WORD_CHARS_MAX, normal_email},
    links::{INVITATION_MS, PASSWORD_RESET_MS, ResetRequest},
    manage::{Manager, NewUser, USERS_MAX, UserChange},
    provider::{Arrival, GROUPS_MAX, ProviderSettings},
    sign_in::{Attempt, NewSession, SESSIONS_MAX},
};
use crate::{
    Denied, Directory, Error, Origin,
    password::{Busy, Passwords},
    throttle::{Patience, Subject, Throttle, Throttled},
};

/// Why somebody gets nothing.
#[derive(Debug)]
pub enum Refusal {
    /// Nobody proved who they are: a wrong password, no such account, an account that may not sign in. Never says which.
    Unproven,
    /// Too many tries.
    Throttled(Throttled),
    /// Too many passwords are being checked.
    Busy,
    /// What was sent breaks rules.
    Invalid(Vec<Fault>),
    /// There is no such organization or user, or the caller must not know.
    Unknown,
    /// The caller may not do this, with a sentence that says why.
    NotAllowed(&'static str),
    /// It could not be stored.
    Failed(Error),
}

impl Refusal {
    fn fault(member: &str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault::new(Pointer::root().child(member), detail)])
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Throttled> for Refusal {
    fn from(throttled: Throttled) -> Self {
        Self::Throttled(throttled)
    }
}

impl From<Busy> for Refusal {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unknown => Self::Unknown,
            Denied::BoundElsewhere => Self::NotAllowed("This key is bound to another organization."),
        }
    }
}

/// The people of a deployment.
pub struct People {
    directory: Arc<Directory>,
    clock: Arc<dyn Clock>,
    passwords: Passwords,
    throttle: Throttle,
}

impl People {
    /// The people of a directory.
    pub fn new(directory: Arc<Directory>, clock: Arc<dyn Clock>, passwords: Passwords) -> Self {
        Self {
            directory,
            clock,
            passwords,
            throttle: Throttle::default(),
        }
    }

    /// Password hashes computed since the start.
    pub fn hashes(&self) -> u64 {
        self.passwords.computed()
    }

    fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Milliseconds.
    fn wall(&self) -> i64 {
        self.directory.now().millis()
    }
}

/// The subject of tries for an account. The organization is left out on purpose: it may be left out of a sign-in too, and two ways to the
/// same account must not be twice the tries.
fn account(patience: Patience, what: &str, project: &str, email: &str) -> Subject {
    Subject::new(patience, &[what, project, email])
}

/// The subject of tries from an address. Whoever has an IPv6 address has all of its /64.
fn address(what: &str, origin: &Origin) -> Subject {
    let client = match origin.ip.map(|ip| ip.to_canonical()) {
        None => "unknown".to_owned(),
        Some(std::net::IpAddr::V4(ip)) => ip.to_string(),
        Some(std::net::IpAddr::V6(ip)) => format!("{:x?}", &ip.segments()[..4]),
    };
    Subject::new(Patience::ADDRESS, &[what, &client])
}
