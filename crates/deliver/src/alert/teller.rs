//! What the alerts of one organization found, told step by step: messages that wait go to whom they have not reached.
//!
//! Invariants
//! - Whoever was told is written down before the next try; one whom a message reached gets it again only after a crash in between.
//! - A letter goes to a user who may look at the time of sending, or to an address that somebody named who may name any.
//!
//! Not here: what is told (`notice`), how it is sent ([`Messenger`](super::Messenger)).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt as _, future::join_all, stream};
use trailbook_access::records::{Alert, AlertHealth, AlertMessage, owner};
use trailbook_ledger::{LEASE_MS, OrganizationKey};

use super::{Alerts, Notice, blocking, key, lease::Lease};
use crate::{
    Error,
    sink::Failure,
    stream::{
        Next,
        health::{REASON_MAX, pause_ms},
    },
};

/// Messages that are told in one step.
const AT_A_STEP: usize = 16;
/// Messages that are on their way at a time.
const AT_ONCE: usize = 4;
/// How long telling is tried, milliseconds.
const TRIED_FOR_MS: i64 = 3 * 24 * 3_600_000;

/// What the alerts of one organization found, on its way.
pub struct Teller {
    of: Arc<Alerts>,
    organization: OrganizationKey,
    lease: Lease,
}

/// What became of a try to tell everybody.
#[derive(Default)]
struct Tried {
    /// The addresses that it did not go to and that are tried again.
    to: Vec<String>,
    /// Whether the webhook is tried again.
    webhook: bool,
    /// Whom it did not reach, and why.
    notes: Vec<String>,
    /// How long somebody asked to wait.
    after: Option<Duration>,
}

impl Teller {
    /// The alerts of an organization.
    pub fn new(of: Arc<Alerts>, organization: OrganizationKey) -> Self {
        Self {
            lease: Lease::new(of.clone(), &organization),
            of,
            organization,
        }
    }

    /// Tells what is due, once.
    ///
    /// # Errors
    /// When the database fails; nothing is lost then.
    pub async fn step(&mut self) -> Result<Next, Error> {
        let alerts: Vec<Arc<Alert>> = self.of.directory.of(&owner(&self.organization));
        if alerts.is_empty() {
            return Ok(Next::Gone);
        }
        let now = self.of.clock.now().millis();
        let (mut due, mut later) = (Vec::new(), None::<i64>);
        for alert in alerts {
            for message in self.of.directory.of::<AlertMessage>(&alert.id) {
                match message.retry_at <= now {
                    true => due.push((alert.clone(), message)),
                    false => later = later.into_iter().chain([message.retry_at]).min(),
                }
            }
        }
        if due.is_empty() {
            return Ok(later.map_or(Next::Idle, Next::At));
        }
        if !self.lease.take().await? {
            return Ok(Next::At(now + LEASE_MS / 3));
        }
        due.sort_by_cached_key(|(_, message)| (message.fired_at, message.found.end(), message.id.clone()));
        due.truncate(AT_A_STEP);
        let of = self.of.clone();
        let telling = stream::iter(due).map(|(alert, message)| tell(of.clone(), alert, message));
        let telling = telling.buffered(AT_ONCE).collect::<Vec<_>>();
        if let Some(told) = self.lease.during(telling).await? {
            self.of.write(told).await?;
        }
        Ok(Next::Now)
    }
}

impl Alerts {
    /// Tells a made-up message to everybody, once.
    ///
    /// # Errors
    /// Whom it did not reach, and why.
    pub async fn test(self: &Arc<Self>, alert: &Arc<Alert>) -> Result<(), String> {
        let (of, tried) = (self.clone(), alert.clone());
        let notice = blocking(move || of.trial(&tried)).await;
        let notice = notice.and_then(|notice| notice).map_err(|error| error.to_string())?;
        let to: Vec<String> = alert
            .recipients
            .iter()
            .map(|recipient| recipient.address.clone())
            .collect();
        let notes = self.send(&notice, &to, alert.webhook.is_some()).await.notes;
        match notes.is_empty() {
            true => Ok(()),
            false => Err(notes.join(" ")),
        }
    }

    /// Sends a letter to addresses and, where it is wanted, a request to the webhook.
    async fn send(&self, notice: &Notice, to: &[String], webhook: bool) -> Tried {
        let letters = to
            .iter()
            .map(async |address| match self.refuses(&notice.alert, address) {
                Some(reason) => Err(Failure::Refused { reason }),
                None => self.messenger.mail(address, notice).await,
            });
        let request = async {
            match webhook && notice.alert.webhook.is_some() {
                true => self.messenger.webhook(&notice.alert, &notice.id, notice.json()).await,
                false => Ok(()),
            }
        };
        let (letters, request) = futures::join!(join_all(letters), request);
        let mut tried = Tried::default();
        for (address, outcome) in to.iter().zip(letters) {
            if tried.is_left(address, outcome) {
                tried.to.push(address.clone());
            }
        }
        // A webhook that refuses today may have been repaired tomorrow.
        tried.webhook = tried.is_left("Webhook", request.map_err(later));
        tried
    }

    /// Why an address gets no letter; `None` when it may.
    fn refuses(&self, alert: &Alert, address: &str) -> Option<String> {
        let recipient = alert.recipients.iter().find(|recipient| recipient.address == address);
        let may = recipient
            .is_some_and(|recipient| recipient.vouched || self.directory.may_be_told(&key(alert), &recipient.address));
        (!may).then(|| "It was skipped, as it is no address of an active user who may view this log.".to_owned())
    }

    /// Writes what became of messages.
    async fn write(&self, told: Vec<(Arc<AlertMessage>, Tried)>) -> Result<(), Error> {
        let now = self.clock.now().millis();
        let mut change = self.directory.change().await;
        let mut last_errors = BTreeMap::new();
        for (message, mut tried) in told {
            // The alert may have been deleted or disabled meanwhile, and its messages with it.
            if self.directory.get::<AlertMessage>(&message.id).is_none() {
                continue;
            }
            let is_left = tried.webhook || !tried.to.is_empty();
            if is_left && now < message.fired_at + TRIED_FOR_MS {
                let failures = message.failures.saturating_add(1);
                change.put(AlertMessage {
                    failures,
                    retry_at: now + pause_ms(failures, tried.after, self.directory.random()),
                    to: tried.to,
                    webhook: tried.webhook,
                    ..AlertMessage::clone(&message)
                })?;
            } else {
                change.remove::<AlertMessage>(&message.id);
                if is_left {
                    tracing::warn!(
                        alert = message.alert,
                        "a message of an alert is given up after three days"
                    );
                    tried.notes.push("It was given up after three days.".to_owned());
                }
            }
            let notes = tried.notes.join(" ").chars().take(REASON_MAX).collect::<String>();
            last_errors.insert(message.alert.clone(), Some(notes).filter(|notes| !notes.is_empty()));
        }
        for (alert, last_error) in last_errors {
            let known = self.directory.get::<AlertHealth>(&alert);
            if known.is_none_or(|known| known.last_error != last_error) {
                change.put(AlertHealth { alert, last_error })?;
            }
        }
        match change.is_empty() {
            true => Ok(()),
            false => Ok(change.commit().await?),
        }
    }
}

impl Tried {
    /// Whether somebody is tried again; notes why the message did not reach them.
    fn is_left(&mut self, to: &str, outcome: Result<(), Failure>) -> bool {
        let Err(failure) = outcome else { return false };
        self.notes.push(format!("{to}: {failure}"));
        match failure {
            Failure::Later { after, .. } => {
                self.after = self.after.max(after);
                true
            }
            Failure::Refused { .. } => false,
        }
    }
}

/// Tells a message to everybody whom it has not reached.
async fn tell(of: Arc<Alerts>, alert: Arc<Alert>, message: Arc<AlertMessage>) -> (Arc<AlertMessage>, Tried) {
    let (reader, told, fired) = (of.clone(), message.clone(), alert.clone());
    let notice = blocking(move || reader.notice(&fired, (&told.id, told.fired_at), &told.found)).await;
    let tried = match notice.and_then(|notice| notice) {
        Ok(notice) => of.send(&notice, &message.to, message.webhook).await,
        Err(error) => {
            tracing::error!(%error, alert = alert.id, "what an alert found could not be read and will be tried again");
            Tried {
                to: message.to.clone(),
                webhook: message.webhook,
                notes: vec!["What it found could not be read.".to_owned()],
                after: None,
            }
        }
    };
    (message, tried)
}

fn later(failure: Failure) -> Failure {
    match failure {
        Failure::Refused { reason } => Failure::later(reason),
        later @ Failure::Later { .. } => later,
    }
}
