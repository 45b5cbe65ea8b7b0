//! What the sinks that speak HTTP share: requests through the guarded door, and answers put into sentences.
//!
//! Invariants
//! - A sentence about an answer has no control characters, no secrets, and at most [`SAID_CHARS_MAX`] characters of the answer.
//! - Nobody is made to wait longer than [`AFTER_MAX`].
//!
//! Not here: which answer means what to a destination (its sink).

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use jiff::fmt::rfc2822::DateTimeParser;
use trailbook_event::{Fault, Pointer, Timestamp};
use trailbook_ledger::Clock;
use url::Url;

use super::{Failure, secrets::Mask};
use crate::outbound::{self, Outbound, Server};

/// What is quoted of an answer.
const SAID_CHARS_MAX: usize = 300;
/// The longest wait that a destination can ask for.
const AFTER_MAX: Duration = Duration::from_secs(60 * 60);

/// Sends the requests of one sink.
pub(super) struct Client {
    outbound: Arc<Outbound>,
    clock: Arc<dyn Clock>,
    mask: Mask,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// How long the server wants to be left alone.
    pub(super) after: Option<Duration>,
    pub(super) body: Vec<u8>,
    /// Whether the body says of itself that it is JSON.
    pub(super) is_json: bool,
}

impl Client {
    pub(super) fn new(outbound: &Arc<Outbound>, clock: &Arc<dyn Clock>, mask: Mask) -> Self {
        Self {
            outbound: outbound.clone(),
            clock: clock.clone(),
            mask,
        }
    }

    /// The same, and keeps a secret in this form as well out of sentences.
    #[must_use]
    pub(super) fn hiding(mut self, secret: String) -> Self {
        self.mask.add(secret);
        self
    }

    pub(super) fn outbound(&self) -> &Arc<Outbound> {
        &self.outbound
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Posts a body and reads the whole answer.
    pub(super) async fn post(&self, url: &Url, headers: HeaderMap, body: Bytes) -> Result<Answer, outbound::Error> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url
            .as_str()
            .parse()
            .map_err(|_| outbound::Error::Url("it is not one"))?;
        *request.headers_mut() = headers;
        Ok(self.read(self.outbound.send(request).await?))
    }

    /// An answer with what its headers say.
    pub(super) fn read(&self, response: http::Response<Vec<u8>>) -> Answer {
        let (head, body) = response.into_parts();
        let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        Answer {
            status: head.status,
            after: text(header::RETRY_AFTER).and_then(|value| self.wait(value)),
            is_json: text(header::CONTENT_TYPE).is_some_and(|value| value.starts_with("application/json")),
            body,
        }
    }

    /// Seconds, or until a date (RFC 9110, section 10.2.3).
    fn wait(&self, value: &str) -> Option<Duration> {
        let wait = match value.trim().parse() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => {
                let date = DateTimeParser::new().parse_timestamp(value.trim()).ok()?;
                let millis = date.as_millisecond().saturating_sub(self.now().millis());
                Duration::from_millis(u64::try_from(millis).unwrap_or(0))
            }
        };
        Some(wait.min(AFTER_MAX))
    }

    /// What an answer that is not the wanted one means to most destinations.
    pub(super) fn failure(&self, answer: &Answer) -> Failure {
        match answer.status.as_u16() {
            400 | 413 | 415 | 422 => self.refused(answer),
            _ => self.later(answer),
        }
    }

    /// The answer, as a failure that may pass.
    pub(super) fn later(&self, answer: &Answer) -> Failure {
        Failure::Later {
            reason: self.sentence(answer),
            after: answer.after,
        }
    }

    /// The answer, as a failure that lies in the events.
    pub(super) fn refused(&self, answer: &Answer) -> Failure {
        Failure::Refused {
            reason: self.sentence(answer),
        }
    }

    fn sentence(&self, answer: &Answer) -> String {
        let said = self.quoted(&said(&answer.body));
        match said.is_empty() {
            true => format!("The destination answered {}.", answer.status),
            false => format!("The destination answered {}: {said}", answer.status),
        }
    }

    /// Something that a destination said, fit to be shown.
    pub(super) fn quoted(&self, text: &str) -> String {
        let printable: String = text
            .chars()
            .map(|character| if is_printable(character) { character } else { ' ' })
            .collect();
        let words: Vec<&str> = printable.split_whitespace().collect();
        let masked = self.mask.hide(&words.join(" "));
        match masked.char_indices().nth(SAID_CHARS_MAX) {
            Some((end, _)) => format!("{}…", &masked[..end]),
            None => masked,
        }
    }
}

/// No answer: what our own door says, which is vague on purpose.
impl From<&outbound::Error> for Failure {
    fn from(error: &outbound::Error) -> Self {
        Self::later(format!("Nothing was delivered: {error}."))
    }
}

impl From<outbound::Error> for Failure {
    fn from(error: outbound::Error) -> Self {
        (&error).into()
    }
}

/// The URL of a destination at `at`, when requests to it can be made.
pub(super) fn url(text: &str, at: Pointer, outbound: &Outbound) -> Result<Url, Fault> {
    let fault = |why: &str| Fault::new(at.clone(), format!("The URL cannot be used: {why}."));
    let mut url = Url::parse(text).map_err(|_| fault("it is not one; give one such as https://example.com/path"))?;
    let server = Server::of(&url).map_err(fault)?;
    outbound
        .check(&server)
        .map_err(|error| Fault::new(at.clone(), sentence_of(&error)))?;
    url.set_fragment(None);
    Ok(url)
}

/// [`url`], for a server below which paths are added.
pub(super) fn base(text: &str, at: Pointer, outbound: &Outbound) -> Result<Url, Fault> {
    let url = url(text, at.clone(), outbound)?;
    match url.query() {
        Some(_) => Err(Fault::new(
            at,
            "The URL cannot be used: it has a query; leave out what follows `?`.",
        )),
        None => Ok(url),
    }
}

/// A path below a [`base`].
pub(super) fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

/// An error's text as a sentence.
pub(super) fn sentence_of(error: &outbound::Error) -> String {
    let text = error.to_string();
    match text.split_at_checked(1) {
        Some((first, rest)) => format!("{}{rest}.", first.to_uppercase()),
        None => text,
    }
}

/// Of an answer in XML its code and message, else all of it.
fn said(body: &[u8]) -> String {
    // Far more than is quoted, so that what is cut off cannot be half of a secret.
    let text = String::from_utf8_lossy(&body[..body.len().min(64 << 10)]);
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0)
    };
    match (element("Code"), element("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ => text.into_owned(),
    }
}

/// Neither a control character nor one that turns the direction of what follows.
fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
