//! Applying a mapping: one record in, one event (or one per exploded element) out, as it would be sent.

use std::{borrow::Cow, net::IpAddr};

use sha2::{Digest, Sha256};
use trailbook_event::{
    Limits, Timestamp,
    json::{INTEGER_MAX, Value},
};

use super::{ChangeRule, Identity, Mapping, Party, Scope, hex, rule::Rule};
use crate::convert::{self, Converted};

/// Actors of these types need no id.
const WITHOUT_ID: [&str; 3] = ["system", "anonymous", "unknown"];

/// An event as it is sent, or why the record yields none.
pub(crate) type Mapped = Result<Value<'static>, String>;

impl Mapping {
    /// The events of one record: one, or one per element of the list at `explode`.
    pub(crate) fn apply(&self, organization: &str, record: &Converted<'_>, identity: &Identity) -> Vec<Mapped> {
        let opened = self.open(&record.value);
        let scope = Scope {
            mapping: self,
            record: &opened,
            element: None,
            identity,
            index: 0,
        };
        match self.explode.as_ref().and_then(|path| path.find(&scope)) {
            Some(Value::Array(items)) => {
                let scopes = items.iter().enumerate().map(|(index, item)| Scope {
                    index,
                    ..scope.within(item)
                });
                scopes
                    .map(|scope| self.event(organization, record, &scope, items.len() > 1))
                    .collect()
            }
            _ => vec![self.event(
                organization,
                record,
                &Scope {
                    element: Some(&opened),
                    ..scope
                },
                false,
            )],
        }
    }

    /// The record with the texts at `open` replaced by the JSON that they hold.
    fn open<'r>(&self, record: &'r Value<'_>) -> Value<'r> {
        let mut opened = record.borrowed();
        for path in &self.open {
            path.replace(&mut opened, |value| match value {
                Value::String(text) => Some(convert::into_owned(convert::read(text).ok()?.value)),
                _ => None,
            });
        }
        opened
    }

    fn event(&self, organization: &str, record: &Converted<'_>, scope: &Scope<'_>, one_of_many: bool) -> Mapped {
        let limits = Limits::default();
        let mut members = vec![member("organization", organization)];
        for (name, rule) in &self.event {
            let value = match name.as_str() {
                "occurred_at" => Some(self.occurred_at(rule, scope)?.to_string()),
                "client_id" => rule.text(scope).map(|id| shorten_id(&id, limits.client_id_chars_max)),
                "description" | "message" => rule.text(scope).map(Cow::into_owned),
                "security" => {
                    members.extend(
                        rule.text(scope)
                            .map(|text| ("security".into(), Value::Bool(text == "true"))),
                    );
                    None
                }
                _ => rule.text(scope).map(|text| shorten(&text, limits.word_chars_max)),
            };
            members.extend(value.map(|value| member(name, value)));
        }
        if !members.iter().any(|(name, _)| name == "action") {
            return Err("No action: none of the places that the mapping names for it holds anything.".to_owned());
        }
        let actor = self
            .actors
            .iter()
            .flat_map(|party| self.party(party, scope, true))
            .next();
        members.push((
            "actor".into(),
            actor.ok_or("No actor: none of the mapping's actors fits this record.")?,
        ));
        let targets: Vec<Value<'static>> = self
            .targets
            .iter()
            .flat_map(|party| self.party(party, scope, false))
            .collect();
        members.push(("targets".into(), Value::Array(distinct(targets))));
        let mut metadata = vec![member("source", &self.name)];
        members.push(("context".into(), self.context(scope, &mut metadata)));
        members.push((
            "changes".into(),
            Value::Array(self.changes.iter().flat_map(|rule| changes(rule, scope)).collect()),
        ));
        for (name, rule) in &self.metadata {
            metadata.extend(rule.text(scope).map(|text| member(name, text)));
        }
        raw(record, one_of_many.then_some(scope.index), &mut metadata);
        members.push(("metadata".into(), Value::Object(metadata)));
        Ok(Value::Object(members))
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
            None => "No time: none of the places that the mapping names for occurred_at holds anything.".to_owned(),
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
    fn context(&self, scope: &Scope<'_>, metadata: &mut Vec<(Cow<'static, str>, Value<'static>)>) -> Value<'static> {
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

impl super::rule::Alternative {
    fn formats(&self) -> &[super::time::Format] {
        if self.format.is_empty() {
            &[super::time::Format::Iso]
        } else {
            &self.format
        }
    }
}

fn changes(rule: &ChangeRule, scope: &Scope<'_>) -> Vec<Value<'static>> {
    let one = |scope: &Scope<'_>| {
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
    };
    scope.each(rule.each.as_ref()).iter().filter_map(one).collect()
}

/// Adds the whole record, and what was done to keep it.
fn raw(record: &Converted<'_>, part: Option<usize>, metadata: &mut Vec<(Cow<'static, str>, Value<'static>)>) {
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

fn member(name: &str, text: impl Into<String>) -> (Cow<'static, str>, Value<'static>) {
    (name.to_owned().into(), Value::String(Cow::Owned(text.into())))
}

/// The same values without repetitions, in order.
fn distinct(values: Vec<Value<'static>>) -> Vec<Value<'static>> {
    let mut kept: Vec<Value<'static>> = Vec::with_capacity(values.len());
    for value in values {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}

/// The text, or its beginning with `…`: the whole stands in the record.
fn shorten(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
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
