//! An event as one line of the Common Event Format, version 0.
//!
//! Invariants
//! - The line has no control characters: line breaks in values are `\n` and `\r`, all others become spaces.
//! - What the format has no key for stands under keys that begin with `Trailbook`, so that nothing is left out.
//!
//! Not here: limits of consumers, which cut long values (docs/mappings-out.md), syslog around it (`syslog`).

use std::{fmt::Write as _, net::IpAddr};

use trailbook_event::{Event, Part};
use trailbook_ledger::Row;

use super::{Severity, address, filled, parsed, sentence};
use crate::{Error, json::Envelope};

/// The event as a CEF message; `version` is that of the Trailbook that sends it.
///
/// # Errors
/// The stored parts are not what admission writes.
pub fn cef(row: &Row, envelope: &Envelope<'_>, version: &str) -> Result<String, Error> {
    let event = parsed(row)?;
    let mut line = Line(String::with_capacity(1024));
    line.0.push_str("CEF:0");
    for field in ["Trailbook", "Trailbook", version, &event.action, &event.action] {
        line.header(field);
    }
    write!(line.0, "|{}|", Severity::of(&event).of_ten()).expect("a string takes all text");
    what(row, &event, envelope, &mut line);
    who(&event, &mut line);
    origin(row, &event, &mut line);
    details(row, &event, envelope, &mut line);
    Ok(line.0)
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
    let targets = (!event.targets.is_empty()).then(|| text(row.parts.part(Part::Targets)));
    line.labelled("cs4", "targets", targets.as_deref());
    line.labelled("cs5", "security", event.security.then_some("true"));
    let has_details = event.metadata.is_some() || !event.changes.is_empty();
    let details = has_details.then(|| text(row.parts.part(Part::Details)));
    line.labelled("cs6", "details", details.as_deref());
    line.optional("deviceFacility", filled(&event.product));
    line.optional("TrailbookClientId", filled(&event.client_id));
    line.pair("TrailbookEpoch", &row.epoch.to_string());
    let expires_at = envelope.expires_at(row).map(|time| time.to_string());
    line.optional("TrailbookExpiresAt", expires_at.as_deref());
    let redacted: Vec<&str> = row.redacted().iter().map(|part| part.name()).collect();
    line.optional("TrailbookRedacted", Some(redacted.join(",").as_str()));
}

fn text(part: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(part)
}

/// The line so far.
struct Line(String);

impl Line {
    /// The bar before a field of the header, and the field.
    fn header(&mut self, field: &str) {
        self.0.push('|');
        for character in field.chars() {
            match character {
                '|' | '\\' => self.0.extend(['\\', character]),
                control if control.is_control() => self.0.push(' '),
                plain => self.0.push(plain),
            }
        }
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
        if !self.0.ends_with('|') {
            self.0.push(' ');
        }
        self.0.push_str(key);
        self.0.push('=');
        for character in value.chars() {
            match character {
                '=' | '\\' => self.0.extend(['\\', character]),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                control if control.is_control() => self.0.push(' '),
                plain => self.0.push(plain),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn header_and_extension_escape_what_would_end_them() {
        let mut line = Line("CEF:0".into());
        line.header("a|b\\c=d\ne\u{85}f");
        line.0.push('|');
        line.pair("msg", "a|b\\c=d\ne\r\tf");
        line.pair("last", "");
        line.optional("absent", Some(""));
        line.labelled("cs1", "colour", Some("red"));
        assert_eq!(
            line.0,
            "CEF:0|a\\|b\\\\c=d e f|msg=a|b\\\\c\\=d\\ne\\r f last= cs1=red cs1Label=colour"
        );
    }
}
