//! The secrets that a destination was given, taken by name, and what keeps them out of sentences.
//!
//! Invariants
//! - A secret that the destination has no use for is a fault, and so is one that is empty.
//! - Nothing here can be printed.
//!
//! Not here: how they are stored (`trailbook`), what each is for (the sinks).

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use trailbook_access::records::Destination;
use trailbook_event::{Fault, Pointer};
use url::form_urlencoded;

/// What the names of secrets that are headers begin with.
const HEADER: &str = "header.";
/// Most headers that a destination may ask for.
const HEADERS_MAX: usize = 20;

/// Headers that belong to the connection, the body or the signature.
const OURS: [&str; 17] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
];
/// Headers that are credentials, whatever their value.
const CREDENTIALS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// The secrets of one destination.
pub(super) struct Secrets<'s>(&'s BTreeMap<String, String>);

impl<'s> Secrets<'s> {
    /// Those of a stream's destination, when it has a use for all of them.
    pub(super) fn of(destination: &Destination, given: &'s BTreeMap<String, String>) -> Result<Self, Fault> {
        let (known, headers): (&[&str], bool) = match destination {
            Destination::S3 { .. } => (&["access_key_id", "secret_access_key", "session_token"], false),
            Destination::Gcs { .. } => (&["service_account_key"], false),
            Destination::AzureBlob { .. } => (&["access_key", "sas_token"], false),
            Destination::Webhook { .. } => (&["secret", "previous_secret"], true),
            Destination::SplunkHec { .. } => (&["token"], false),
            Destination::Datadog { .. } => (&["api_key"], false),
            Destination::Elasticsearch { .. } => (&["api_key", "username", "password"], false),
            Destination::Syslog { .. } => (&[], false),
            Destination::Otlp { .. } => (&[], true),
        };
        Self::known(given, known, headers)
    }

    /// Those of a destination that knows these names, and perhaps headers.
    pub(super) fn known(given: &'s BTreeMap<String, String>, known: &[&str], headers: bool) -> Result<Self, Fault> {
        for (name, value) in given {
            let is_known = known.contains(&name.as_str()) || headers && name.starts_with(HEADER);
            if !is_known {
                return Err(secret_fault(name, unknown(known, headers)));
            }
            if value.is_empty() {
                return Err(secret_fault(name, "It is empty; give its value, or leave it out."));
            }
        }
        Ok(Self(given))
    }

    /// One that there has to be.
    pub(super) fn required(&self, name: &str) -> Result<&'s str, Fault> {
        self.optional(name)
            .ok_or_else(|| secret_fault(name, "It is missing; this destination cannot be used without it."))
    }

    /// One that there may be.
    pub(super) fn optional(&self, name: &str) -> Option<&'s str> {
        self.0.get(name).map(String::as_str)
    }

    /// One that is sent in a header, after `before`.
    pub(super) fn header(&self, name: &str, before: &str) -> Result<HeaderValue, Fault> {
        sensitive(&format!("{before}{}", self.required(name)?))
            .ok_or_else(|| secret_fault(name, "It has characters that a header cannot hold; copy it again."))
    }

    /// The headers that a customer wants to have sent: plain ones (at `at`), and those that are secrets.
    pub(super) fn headers(&self, plain: &BTreeMap<String, String>, at: &Pointer) -> Result<HeaderMap, Fault> {
        let mut headers = HeaderMap::new();
        for (name, value) in plain {
            let fault = |detail: String| Fault::new(at.child(name), detail);
            let parsed = header_name(name).map_err(fault)?;
            if CREDENTIALS.contains(&parsed.as_str()) {
                return Err(fault(format!(
                    "It holds a credential; give it as the secret `{HEADER}{name}`."
                )));
            }
            let value = HeaderValue::from_str(value)
                .map_err(|_| fault("Its value has characters that a header cannot hold.".into()))?;
            headers.insert(parsed, value);
        }
        for (secret, value) in self.0.iter() {
            let Some(name) = secret.strip_prefix(HEADER) else {
                continue;
            };
            let parsed = header_name(name).map_err(|detail| secret_fault(secret, detail))?;
            let value = sensitive(value)
                .ok_or_else(|| secret_fault(secret, "It has characters that a header cannot hold; copy it again."))?;
            if headers.insert(parsed, value).is_some() {
                return Err(secret_fault(secret, "This header is given twice; give it once."));
            }
        }
        match headers.len() <= HEADERS_MAX {
            true => Ok(headers),
            false => Err(Fault::new(
                at.clone(),
                format!("Up to {HEADERS_MAX} headers are sent; take some out."),
            )),
        }
    }

    /// What hides them in sentences.
    pub(super) fn mask(&self) -> Mask {
        let mut hidden: Vec<String> = self.0.values().cloned().collect();
        // Of a shared access signature answers may name the signature alone, encoded or not.
        let token = self.optional("sas_token").unwrap_or_default().trim_start_matches('?');
        for (_, signature) in form_urlencoded::parse(token.as_bytes()).filter(|(name, _)| name == "sig") {
            hidden.push(form_urlencoded::byte_serialize(signature.as_bytes()).collect());
            hidden.push(signature.into_owned());
        }
        hidden.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Mask(hidden)
    }
}

/// Hides secrets in what a destination says: it may say what it was sent.
pub(super) struct Mask(Vec<String>);

impl Mask {
    /// Hides this as well: a secret in another form.
    pub(super) fn add(&mut self, hidden: String) {
        self.0.insert(0, hidden);
    }

    /// The text without them.
    pub(super) fn hide(&self, text: &str) -> String {
        self.0
            .iter()
            .filter(|hidden| !hidden.is_empty())
            .fold(text.to_owned(), |text, hidden| text.replace(hidden.as_str(), "…"))
    }
}

/// A fault at a secret.
pub(super) fn secret_fault(name: &str, detail: impl Into<String>) -> Fault {
    Fault::new(Pointer::root().child("secrets").child(name), detail)
}

fn unknown(known: &[&str], headers: bool) -> String {
    let mut names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    if headers {
        names.push(format!("`{HEADER}NAME`"));
    }
    match names.is_empty() {
        true => "This destination has no secrets; leave it out.".into(),
        false => format!("This destination has no such secret; it has {}.", names.join(", ")),
    }
}

fn header_name(name: &str) -> Result<HeaderName, String> {
    let parsed = HeaderName::try_from(name).map_err(|_| "It is not the name of a header.".to_owned())?;
    match OURS.contains(&parsed.as_str()) {
        true => Err("Trailbook sets this header itself; leave it out.".into()),
        false => Ok(parsed),
    }
}

fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}
