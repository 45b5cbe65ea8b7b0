//! Applying a mapping: one record in, one event (or one per exploded element) out, as it would be sent.

use std::{borrow::Cow, collections::HashSet, net::IpAddr};

use sha2::{Digest, Sha256};
use trailbook_event::{
    Fault, Limits, Pointer, Timestamp,
    json::{INTEGER_MAX, Value, write_canonical},
};

use super::{ChangeRule, Identity, Keep, Mapping, Party, Scope, hex, rule::Rule};
use crate::convert::{self, Converted};

/// Actors of these types need no id.
const WITHOUT_ID: [&str; 3] = ["system", "anonymous", "unknown"];

/// An event as it is sent, or why the record yields none.
pub(crate) type Mapped = Result<Value<'static>, Vec<Fault>>;

type Member = (Cow<'static, str>, Value<'static>);

impl Mapping {
    /// The events of one record: one, or one per element of the list at `explode`.
    pub(crate) fn apply(&self, organization: &str, record: &Converted<'_>, identity: &Identity) -> Vec<Mapped> {
        let opened = self.open(&record.value);
        let whole = Scope::of_record(self, &opened, identity);
        let organization = Some(organization);
        match self.explode.as_ref().and_then(|path| path.find(&whole)) {
            Some(Value::Array(items)) => {
                let part = |index| (items.len() > 1).then_some(index);
                let scope = |(index, item)| Scope {
                    index,
                    ..whole.within(item)
                };
                let scopes = items.iter().enumerate().map(scope);
                scopes
                    .map(|scope| self.event(organization, record, &scope, part(scope.index)))
                    .collect()
            }
            _ => vec![self.event(organization, record, &whole, None)],
        }
    }

    /// The event of a record that is one by itself; `organization` goes before what the record says.
    pub(super) fn apply_one(&self, organization: Option<&str>, record: &Converted<'_>, identity: &Identity) -> Mapped {
        let opened = self.open(&record.value);
        self.event(organization, record, &Scope::of_record(self, &opened, identity), None)
    }

    /// The record with the texts at `open` replaced by the JSON that they hold.
    pub(super) fn open<'r>(&self, record: &'r Value<'_>) -> Value<'r> {
        let mut opened = record.borrowed();
        for path in &self.open {
            path.replace(&mut opened, |value| match value {
                Value::String(text) => Some(convert::into_owned(convert::read(text).ok()?.value)),
                _ => None,
            });
        }
        opened
    }

    /// `part` is the number of this element when the record is exploded into several.
    fn event(
        &self,
        organization: Option<&str>,
        record: &Converted<'_>,
        scope: &Scope<'_>,
        part: Option<usize>,
    ) -> Mapped {
        let mut faults = Vec::new();
        let mut members = self.texts(organization, scope, &mut faults);
        members.extend(self.actor(scope, &mut faults));
        let targets = self.targets.iter().flat_map(|party| self.party(party, scope, false));
        members.push(("targets".into(), Value::Array(distinct(targets.collect()))));
        let mut beside = Vec::new();
        members.push(("context".into(), self.context(scope, &mut beside)));
        members.push(("changes".into(), self.changes(scope, &mut faults)));
        match self.keep {
            Keep::Raw => {
                let metadata = self.metadata(record, part, scope, beside);
                members.push(("metadata".into(), Value::Object(metadata)));
            }
            Keep::Metadata => {
                faults.extend(unkept(record));
                members.push(("metadata".into(), convert::into_owned(record.value.borrowed())));
            }
        }
        if faults.is_empty() {
            Ok(Value::Object(members))
        } else {
            Err(faults)
        }
    }

    /// The event's own texts, and its time.
    fn texts(&self, organization: Option<&str>, scope: &Scope<'_>, faults: &mut Vec<Fault>) -> Vec<Member> {
        let limits = Limits::default();
        let mut members = Vec::new();
        for (name, rule) in &self.event {
            let value = match name.as_str() {
                "organization" if organization.is_some() => None,
                "organization" => rule.text(scope).map(Cow::into_owned),
                "occurred_at" => match self.occurred_at(rule, scope) {
                    Ok(time) => Some(time.to_string()),
                    Err(detail) => {
                        faults.push(Fault::new(rule.pointer(scope).unwrap_or_default(), detail));
                        None
                    }
                },
                "client_id" => rule.text(scope).map(|id| shorten_id(&id, limits.client_id_chars_max)),
                "description" | "message" => rule.text(scope).map(Cow::into_owned),
                "security" => {
                    let truth = rule.text(scope).map(|text| Value::Bool(text == "true"));
                    members.extend(truth.map(|truth| ("security".into(), truth)));
                    None
                }
                _ => rule.text(scope).map(|text| shorten(&text, limits.word_chars_max)),
            };
            members.extend(value.map(|value| member(name, value)));
        }
        members.extend(organization.map(|organization| member("organization", organization)));
        self.check_texts(&members, scope, faults);
        members
    }

    fn check_texts(&self, members: &[Member], scope: &Scope<'_>, faults: &mut Vec<Fault>) {
        let needed = [
            ("action", "No action"),
            ("organization", "The call names no organization"),
        ];
        for (name, lacking) in needed {
            if !members.iter().any(|(member, _)| member == name) {
                let rule = self
                    .event
                    .iter()
                    .find(|(member, _)| member == name)
                    .map(|(_, rule)| rule);
                let pointer = rule.and_then(|rule| rule.pointer(scope)).unwrap_or_default();
                let places = rule.map_or_else(|| "no place for it".to_owned(), Rule::places);
                let detail = format!("{lacking}: the mapping looks at {places}, and there is none.");
                faults.push(Fault::new(pointer, detail));
            }
        }
    }

    /// The first actor that fits.
    fn actor(&self, scope: &Scope<'_>, faults: &mut Vec<Fault>) -> Option<Member> {
        let actor = self
            .actors
            .iter()
            .flat_map(|party| self.party(party, scope, true))
            .next();
        if actor.is_none() {
            let detail = "No actor: none of the mapping's actors fits this record.";
            faults.push(Fault::new(Pointer::root(), detail));
        }
        actor.map(|actor| ("actor".into(), actor))
    }

    fn metadata(
        &self,
        record: &Converted<'_>,
        part: Option<usize>,
        scope: &Scope<'_>,
        beside: Vec<Member>,
    ) -> Vec<Member> {
        let mut metadata = vec![member("source", &self.name)];
        metadata.extend(beside);
        for (name, rule) in &self.metadata {
            metadata.extend(rule.text(scope).map(|text| member(name, text)));
        }
        raw(record, part, &mut metadata);
        metadata
    }

    fn occurred_at(&self, rule: &Rule, scope: &Scope<'_>) -> Result<Timestamp, String> {
        let mut unread = None;
        for alternative in &rule.0 {
            let Some(found) = alternative.found(scope) else {
                continue;
            };
            match alternative
                .formats()
                .iter()
                .find_map(|format| format.read(&found, &self.zone))
            {
                Some(time) => return Ok(time),
                None => unread = unread.or(Some(found)),
            }
        }
        Err(match unread {
            Some(found) => format!(
                "No time: `{}` is not written in a format that the mapping names.",
                shorten(&found, 80)
            ),
            None => format!("No time: the mapping looks at {}, and there is none.", rule.places()),
        })
    }

    /// The actor or targets that a rule yields; an actor needs an id (or a type that has none), a target an id or a name.
    fn party(&self, party: &Party, scope: &Scope<'_>, is_actor: bool) -> Vec<Value<'static>> {
        let limits = Limits::default();
        let one = |scope: &Scope<'_>| {
            let text = |name: &str, rule: &Rule| {
                let limit = if name == "type" {
                    limits.word_chars_max
                } else {
                    limits.name_chars_max
                };
                Some(member(name, shorten(&rule.text(scope)?, limit)))
            };
            let members: Vec<_> = party
                .members
                .iter()
                .filter_map(|(name, rule)| text(name, rule))
                .collect();
            let has = |name: &str| members.iter().any(|(member, _)| member == name);
            let kind = members.iter().find(|(name, _)| name == "type").map(|(_, kind)| kind)?;
            let without_id = matches!(kind, Value::String(kind) if WITHOUT_ID.contains(&kind.as_ref()));
            let complete = has("id") || if is_actor { without_id } else { has("name") };
            complete.then_some(Value::Object(members))
        };
        scope.each(party.each.as_ref()).iter().filter_map(one).collect()
    }

    /// The context; an address that is no IP goes to `metadata.source_address`.
    fn context(&self, scope: &Scope<'_>, metadata: &mut Vec<Member>) -> Value<'static> {
        let mut members = Vec::new();
        for (name, rule) in &self.context {
            let Some(text) = rule.text(scope) else { continue };
            match name.as_str() {
                "ip" if text.parse::<IpAddr>().is_err() => metadata.push(member("source_address", text)),
                _ => members.push(member(name, text)),
            }
        }
        Value::Object(members)
    }
}

impl Mapping {
    /// The changes, until they are larger than an event may be: a list whose every element repeats a large value would
    /// otherwise take memory without bound.
    fn changes(&self, scope: &Scope<'_>, faults: &mut Vec<Fault>) -> Value<'static> {
        let bytes_max = Limits::default().event_bytes_max;
        let mut changes = Vec::new();
        let mut bytes = 0;
        for rule in &self.changes {
            for change in scope
                .each(rule.each.as_ref())
                .iter()
                .filter_map(|scope| change(rule, scope))
            {
                bytes += change.text_bytes();
                if bytes > bytes_max {
                    let detail =
                        format!("The changes that the mapping makes of this are larger than {bytes_max} bytes.");
                    faults.push(Fault::new(Pointer::root(), detail));
                    return Value::Null;
                }
                changes.push(change);
            }
        }
        Value::Array(changes)
    }
}

impl super::rule::Alternative {
    fn formats(&self) -> &[super::time::Format] {
        if self.format.is_empty() {
            &[super::time::Format::Iso]
        } else {
            &self.format
        }
    }
}

/// The change that a rule yields at one place, unless neither side is there.
fn change(rule: &ChangeRule, scope: &Scope<'_>) -> Option<Value<'static>> {
    let side = |name: &'static str, source: &Option<super::Source>| {
        let value = source.as_ref()?.value(scope)?;
        Some((Cow::Borrowed(name), convert::into_owned(value.borrowed())))
    };
    let mut members = vec![member(
        "field",
        shorten(&rule.field.text(scope)?, Limits::default().name_chars_max),
    )];
    members.extend(side("before", &rule.before));
    members.extend(side("after", &rule.after));
    (members.len() > 1).then_some(Value::Object(members))
}

/// What of a record cannot be kept as it is.
fn unkept(record: &Converted<'_>) -> impl Iterator<Item = Fault> {
    let detail = "This value cannot be kept as it is: an integer beyond 2^53-1, a text with NUL or half a surrogate pair, \
                  a key twice, or nested too deep. Send it as a text.";
    record
        .converted
        .iter()
        .map(move |place| Fault::new(place.clone(), detail))
}

/// Adds the whole record, and what was done to keep it.
fn raw(record: &Converted<'_>, part: Option<usize>, metadata: &mut Vec<Member>) {
    if let Some(index) = part {
        debug_assert!((index as f64) < INTEGER_MAX, "an index is small");
        metadata.push(("raw_event".into(), Value::Number(index as f64)));
    }
    if !record.converted.is_empty() {
        let places = record
            .converted
            .iter()
            .map(|place| Value::String(place.as_str().to_owned().into()))
            .collect();
        metadata.push(("converted".into(), Value::Array(places)));
    }
    metadata.push(("raw".into(), convert::into_owned(record.value.borrowed())));
}

fn member(name: &str, text: impl Into<String>) -> Member {
    (name.to_owned().into(), Value::String(Cow::Owned(text.into())))
}

/// The same values without repetitions, in order.
fn distinct(values: Vec<Value<'static>>) -> Vec<Value<'static>> {
    let mut seen = HashSet::with_capacity(values.len());
    let is_new = |value: &Value<'static>| {
        let mut bytes = Vec::new();
        write_canonical(value, &mut bytes);
        seen.insert(bytes)
    };
    values.into_iter().filter(is_new).collect()
}

/// The text, or its beginning with `…`: the whole stands in the record.
fn shorten(text: &str, chars_max: usize) -> String {
    if text.char_indices().nth(chars_max).is_none() {
        return text.to_owned();
    }
    text.chars().take(chars_max - 1).chain(['…']).collect()
}

/// The id, or its hash when it is too long: an id that was cut might stand for two.
fn shorten_id(id: &str, chars_max: usize) -> String {
    if id.chars().count() <= chars_max {
        id.to_owned()
    } else {
        format!("sha256:{}", hex(&Sha256::digest(id)[..16]))
    }
}
