//! An event as one line of the Common Event Format, version 0.
//!
//! Invariants
//! - The line has no control characters: line breaks in values are `\n` and `\r`, all others become spaces.
//! - What the format has no key for stands under keys that begin with `Trailbook`, so that nothing is left out.
//!
//! Not here: limits of consumers, which cut long values (docs/mappings-out.md), syslog around it (`syslog`).

use std::{borrow::Cow, fmt::Write as _, net::IpAddr};

use trailbook_event::{Event, Part};
use trailbook_ledger::Row;

use super::{Severity, address, filled, opened::Opened, sentence};
use crate::{Error, json::Envelope};

/// The event as a CEF message; `version` is that of the Trailbook that sends it.
///
/// # Errors
/// The stored parts are not what admission writes.
pub fn cef(row: &Row, envelope: &Envelope<'_>, version: &str) -> Result<String, Error> {
    let opened = Opened::of(row)?;
    let event = opened.event()?;
    let mut line = Line::new(row.parts.bytes().len() + 1024);
    for field in ["Trailbook", "Trailbook", version, &event.action, &event.action] {
        line.header(field);
    }
    line.header(&Severity::of(&event).of_ten().to_string());
    line.end_header();
    what(row, &event, envelope, &mut line);
    who(&event, &mut line);
    origin(row, &event, &mut line);
    details(row, &event, envelope, &mut line);
    details_whole(row, &opened, &event, &mut line);
    Ok(line.text)
}

fn what(row: &Row, event: &Event<'_>, envelope: &Envelope<'_>, line: &mut Line) {
    line.pair("rt", &row.received_at.millis().to_string());
    line.pair("start", &event.occurred_at.millis().to_string());
    line.pair("externalId", &row.id.to_string());
    line.pair("deviceExternalId", envelope.project);
    line.pair("act", &event.action);
    line.pair("cat", &event.action_type);
    line.pair("outcome", &event.result);
    line.pair("msg", sentence(event));
    line.optional("reason", filled(&event.message));
    line.pair("cn1", &row.sequence.to_string());
    line.pair("cn1Label", "sequence");
}

fn who(event: &Event<'_>, line: &mut Line) {
    let actor = &event.actor;
    line.optional("suid", filled(&actor.id));
    line.optional("suser", filled(&actor.name).or(filled(&actor.email)));
    line.pair("TrailbookActorType", &actor.kind);
    line.optional("TrailbookActorEmail", filled(&actor.email));
    line.optional("TrailbookActorTeam", filled(&actor.team));
    if let Some(target) = event.targets.first() {
        line.optional("duid", filled(&target.id));
        line.optional("duser", filled(&target.name).or(filled(&target.email)));
    }
}

fn origin(row: &Row, event: &Event<'_>, line: &mut Line) {
    let context = &event.context;
    let sent = filled(&context.ip);
    match address(event) {
        Some(IpAddr::V4(_)) => line.optional("src", sent),
        Some(IpAddr::V6(_)) => line.labelled("c6a2", "Source IPv6 Address", sent),
        None => line.optional("TrailbookAddress", sent),
    }
    line.optional("TrailbookCountry", row.country());
    line.optional("requestClientApplication", filled(&context.user_agent));
    line.optional("request", filled(&context.url));
    line.optional("requestContext", filled(&context.referrer));
}

fn details(row: &Row, event: &Event<'_>, envelope: &Envelope<'_>, line: &mut Line) {
    line.labelled("cs1", "organization", Some(&event.organization));
    line.labelled("cs2", "area", filled(&event.area));
    line.labelled("cs3", "trace", filled(&event.trace_id));
    line.labelled("cs5", "security", event.security.then_some("true"));
    line.optional("deviceFacility", filled(&event.product));
    line.optional("TrailbookClientId", filled(&event.client_id));
    line.pair("TrailbookEpoch", &row.epoch.to_string());
    let expires_at = envelope.expires_at(row).map(|time| time.to_string());
    line.optional("TrailbookExpiresAt", expires_at.as_deref());
    let redacted: Vec<&str> = row.redacted().iter().map(|part| part.name()).collect();
    line.optional("TrailbookRedacted", Some(redacted.join(",").as_str()));
}

/// What has no keys of its own, as JSON.
fn details_whole(row: &Row, opened: &Opened<'_>, event: &Event<'_>, line: &mut Line) {
    if !event.targets.is_empty() {
        line.labelled("cs4", "targets", Some(&json(row.parts.part(Part::Targets))));
    }
    if opened.metadata.is_some() || !event.changes.is_empty() {
        line.labelled("cs6", "details", Some(&json(row.parts.part(Part::Details))));
    }
}

/// A part as JSON without control characters; those that JSON may hold as they are, and only texts do, are escaped.
fn json(part: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(part);
    if !text.contains(char::is_control) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if character.is_control() {
            write!(out, "\\u{:04x}", u32::from(character)).expect("a string takes all text");
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// The line so far.
struct Line {
    text: String,
    /// Whether nothing stands after the header yet.
    is_header: bool,
}

impl Line {
    fn new(capacity: usize) -> Self {
        let mut text = String::with_capacity(capacity);
        text.push_str("CEF:0");
        Self { text, is_header: true }
    }

    /// The bar before a field of the header, and the field.
    fn header(&mut self, field: &str) {
        self.text.push('|');
        self.escaped(field, |character| match character {
            '|' => Some("\\|"),
            '\\' => Some("\\\\"),
            control if control.is_control() => Some(" "),
            _ => None,
        });
    }

    fn end_header(&mut self) {
        self.text.push('|');
    }

    fn optional(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.pair(key, value);
        }
    }

    /// A custom field and what it is called; nothing without a value.
    fn labelled(&mut self, key: &str, label: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.pair(key, value);
            self.pair(&[key, "Label"].concat(), label);
        }
    }

    fn pair(&mut self, key: &str, value: &str) {
        if !std::mem::take(&mut self.is_header) {
            self.text.push(' ');
        }
        self.text.push_str(key);
        self.text.push('=');
        self.escaped(value, |character| match character {
            '=' => Some("\\="),
            '\\' => Some("\\\\"),
            '\n' => Some("\\n"),
            '\r' => Some("\\r"),
            control if control.is_control() => Some(" "),
            _ => None,
        });
    }

    /// A text with other texts in the place of some characters.
    fn escaped(&mut self, text: &str, instead: impl Fn(char) -> Option<&'static str>) {
        let mut begin = 0;
        for (at, character) in text.char_indices() {
            if let Some(other) = instead(character) {
                self.text.push_str(&text[begin..at]);
                self.text.push_str(other);
                begin = at + character.len_utf8();
            }
        }
        self.text.push_str(&text[begin..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_extension_escape_what_would_end_them() {
        let mut line = Line::new(0);
        line.header("a|b\\c=d\ne\u{85}f");
        line.end_header();
        line.pair("msg", "a|b\\c=d\ne\r\tf|");
        line.pair("last", "");
        line.optional("absent", Some(""));
        line.labelled("cs1", "colour", Some("red"));
        assert_eq!(
            line.text,
            "CEF:0|a\\|b\\\\c=d e f|msg=a|b\\\\c\\=d\\ne\\r f| last= cs1=red cs1Label=colour"
        );
    }

    #[test]
    fn json_keeps_control_characters_as_escapes() {
        assert_eq!(json("[\"a\u{85}b\u{7f}\"]".as_bytes()), "[\"a\\u0085b\\u007f\"]");
    }
}
