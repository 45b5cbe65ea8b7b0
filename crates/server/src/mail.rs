//! Letters by SMTP: handed over at once, sent in the background, tried again when the mail server has a bad moment; or sent once, for
//! whoever keeps what is to be said and tries again on their own.
//!
//! Invariants
//! - At most [`WAITING_MAX`] letters wait; a further one is refused.
//! - Neither addresses nor links are logged; the mail server's sentences may hold addresses, so only its code is.
//! - Links lead to the configured `public_url`, never to what a request calls its host.
//!
//! Letters that wait in the background when the process stops are lost: an invitation or a reset can be asked for again.

mod letter;
pub(crate) mod report;

use std::{sync::Arc, time::Duration};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    address::Envelope,
    message::Mailbox,
    transport::smtp::{self, AsyncSmtpTransportBuilder},
};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use self::letter::Attachment;
pub(crate) use self::letter::{Letter, Subject};
use crate::config::Secret;

/// Letters that may wait.
const WAITING_MAX: usize = 1_000;
/// Connections to the mail server at a time.
const CONNECTIONS_MAX: usize = 2;
/// How long the mail server may take for one command.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(20);
/// What a mail server answers when an address is none of its mailboxes (RFC 5321, 4.2.3). What else it refuses for good may be set
/// right by the operator.
const NO_MAILBOX: [&str; 4] = ["501", "550", "551", "553"];
/// The pauses between tries.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(600),
];

/// How mail is sent.
#[derive(Debug, Clone)]
pub(crate) struct MailSettings {
    /// The mail server, such as `smtps://user:password@mail.example.com`.
    pub(crate) smtp_url: Secret,
    /// Who letters are from.
    pub(crate) from: Mailbox,
}

/// Why a letter is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotSent {
    /// No mail server is set up.
    NoServer,
    /// Too many letters wait.
    Full,
    /// The address is none that mail can be sent to.
    Address,
}

/// Why the mail server did not take a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// Another time it may; what went wrong.
    Later(&'static str),
    /// This letter it never will.
    Never,
}

/// The way to the mail server. Clones share it.
#[derive(Clone)]
pub(crate) struct Post {
    route: Option<Arc<Route>>,
    /// Letters that the mail server took.
    pub(crate) sent: Counter,
    /// Letters that were given up.
    pub(crate) failed: Counter,
}

struct Route {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    waiting: Arc<Semaphore>,
    connections: Semaphore,
}

/// The transport of a URL that was checked when the settings were read.
pub(crate) fn transport(smtp_url: &str) -> Result<AsyncSmtpTransportBuilder, smtp::Error> {
    Ok(AsyncSmtpTransport::<Tokio1Executor>::from_url(smtp_url)?.timeout(Some(COMMAND_TIMEOUT)))
}

impl Post {
    /// To the mail server of the settings; without them nothing can be sent.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub(crate) fn new(settings: Option<&MailSettings>) -> Result<Self, smtp::Error> {
        let route = |settings: &MailSettings| -> Result<_, smtp::Error> {
            Ok(Arc::new(Route {
                transport: transport(settings.smtp_url.expose())?.build(),
                from: settings.from.clone(),
                waiting: Arc::new(Semaphore::new(WAITING_MAX)),
                connections: Semaphore::new(CONNECTIONS_MAX),
            }))
        };
        Ok(Self {
            route: settings.map(route).transpose()?,
            sent: Counter::default(),
            failed: Counter::default(),
        })
    }

    /// Whether there is a mail server.
    pub(crate) fn has_server(&self) -> bool {
        self.route.is_some()
    }

    /// A place for a letter to somebody: once it is there, nothing that the caller could help is in its way.
    pub(crate) fn reserve(&self, to: &str) -> Result<Reserved, NotSent> {
        let route = self.route.clone().ok_or(NotSent::NoServer)?;
        let to = to.parse::<Address>().map_err(|_| NotSent::Address)?;
        let place = route.waiting.clone().try_acquire_owned().map_err(|_| NotSent::Full)?;
        Ok(Reserved {
            post: self.clone(),
            route,
            to,
            place,
        })
    }
}

/// A place for one letter.
pub(crate) struct Reserved {
    post: Post,
    route: Arc<Route>,
    to: Address,
    place: OwnedSemaphorePermit,
}

impl Reserved {
    /// Sends the letter in the background.
    pub(crate) fn send(self, subject: Subject, link: String) {
        let Self { post, route, to, place } = self;
        let letter = Letter {
            to,
            subject,
            link,
            id: None,
        };
        tokio::spawn(async move {
            let outcome = if route.deliver(&letter).await {
                &post.sent
            } else {
                &post.failed
            };
            outcome.inc();
            drop(place);
        });
    }

    /// Sends the letter, once. The same `id` says that it is the same letter, sent again.
    pub(crate) async fn deliver(self, subject: Subject, link: String, id: String) -> Result<(), NotTaken> {
        let Self {
            post,
            route,
            to,
            place: _place,
        } = self;
        let letter = Letter {
            to,
            subject,
            link,
            id: Some(id),
        };
        let outcome = route.deliver_once(&letter).await;
        match outcome {
            Ok(()) => drop(post.sent.inc()),
            Err(NotTaken::Never) => drop(post.failed.inc()),
            // Whoever sends it tries again, or gives it up.
            Err(NotTaken::Later(_)) => {}
        }
        outcome
    }
}

impl Route {
    /// Whether the mail server took the letter, sooner or later.
    async fn deliver(&self, letter: &Letter) -> bool {
        let kind = letter.kind();
        let Ok(message) = letter.message(&self.from) else {
            tracing::error!(kind, "a letter could not be written");
            return false;
        };
        let (envelope, bytes) = (message.envelope().clone(), message.formatted());
        for pause in PAUSES.into_iter().map(Some).chain([None]) {
            let Err(error) = self.attempt(&envelope, &bytes).await else {
                return true;
            };
            let code = error.status().map(|code| code.to_string());
            match pause {
                Some(pause) if !error.is_permanent() => {
                    let seconds = pause.as_secs();
                    tracing::warn!(
                        kind,
                        code,
                        reason = reason(&error),
                        seconds,
                        "a letter could not be sent and is tried again"
                    );
                    tokio::time::sleep(pause).await;
                }
                _ => {
                    tracing::error!(
                        kind,
                        code,
                        reason = reason(&error),
                        "a letter could not be sent and is given up"
                    );
                    return false;
                }
            }
        }
        false
    }

    /// Whether the mail server takes the letter now.
    async fn deliver_once(&self, letter: &Letter) -> Result<(), NotTaken> {
        let kind = letter.kind();
        let Ok(message) = letter.message(&self.from) else {
            tracing::error!(kind, "a letter could not be written");
            return Err(NotTaken::Never);
        };
        let taken = self.attempt(message.envelope(), &message.formatted()).await;
        taken.map_err(|error| {
            let code = error.status().map(|code| code.to_string());
            let why = reason(&error);
            tracing::warn!(kind, code, reason = why, "a letter could not be sent");
            match code.is_some_and(|code| NO_MAILBOX.contains(&code.as_str())) {
                true => NotTaken::Never,
                false => NotTaken::Later(why),
            }
        })
    }

    async fn attempt(&self, envelope: &Envelope, bytes: &[u8]) -> Result<(), smtp::Error> {
        // It is never closed.
        let _connection = self.connections.acquire().await;
        self.transport.send_raw(envelope, bytes).await.map(drop)
    }
}

/// What went wrong, without what the mail server said.
fn reason(error: &smtp::Error) -> &'static str {
    match error {
        error if error.is_timeout() => "timeout",
        error if error.is_tls() => "tls",
        error if error.is_permanent() => "refused",
        error if error.is_transient() => "refused for now",
        error if error.is_response() => "not understood",
        _ => "connection",
    }
}
