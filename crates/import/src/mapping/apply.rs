//! Applying a mapping: one record in, one event (or one per exploded element) out, as it would be sent.

use std::{collections::HashSet, net::IpAddr};

use sha2::{Digest, Sha256};
use trailbook_event::{
    Fault, Limits, Pointer, Timestamp,
    json::{INTEGER_MAX, Value, write_canonical},
};

use super::{
    ChangeRule, Identity, Keep, Mapping, Party, Scope,
    draft::{Draft, Full, Member},
    hex,
    rule::Rule,
};
use crate::convert::{self, Converted};

/// Actors of these types need no id.
const WITHOUT_ID: [&str; 3] = ["system", "anonymous", "unknown"];

/// An event as it is sent, or why the record yields none.
pub(crate) type Mapped = Result<Value<'static>, Vec<Fault>>;

impl Mapping {
    /// The events of one record: one, or one per element of the list at `explode`.
    pub(crate) fn apply(&self, organization: &str, record: &Converted<'_>, identity: &Identity) -> Vec<Mapped> {
        let opened = self.open(&record.value);
        let whole = Scope::of_record(self, &opened, identity);
        let organization = Some(organization);
        let bytes_max = Limits::default().event_bytes_max;
        let event = |scope: &Scope<'_>, part| self.event(organization, record, scope, part, bytes_max);
        match self.explode.as_ref().and_then(|path| path.find(&whole)) {
            Some(Value::Array(items)) => {
                let part = |index| (items.len() > 1).then_some(index);
                let scope = |(index, item)| Scope {
                    index,
                    ..whole.within(item)
                };
                let scopes = items.iter().enumerate().map(scope);
                scopes.map(|scope| event(&scope, part(scope.index))).collect()
            }
            _ => vec![event(&whole, None)],
        }
    }

    /// The event of a record that is one by itself, of at most `bytes_max` bytes; `organization` goes before what the
    /// record says.
    pub(super) fn apply_one(
        &self,
        organization: Option<&str>,
        record: &Converted<'_>,
        identity: &Identity,
        bytes_max: usize,
    ) -> Mapped {
        let opened = self.open(&record.value);
        let scope = Scope::of_record(self, &opened, identity);
        self.event(organization, record, &scope, None, bytes_max)
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
        bytes_max: usize,
    ) -> Mapped {
        let mut draft = Draft::new(bytes_max);
        let built = self.build(organization, record, scope, part, &mut draft);
        draft.finish(built)
    }

    fn build(
        &self,
        organization: Option<&str>,
        record: &Converted<'_>,
        scope: &Scope<'_>,
        part: Option<usize>,
        draft: &mut Draft,
    ) -> Result<Vec<Member>, Full> {
        let mut members = self.texts(organization, scope, draft)?;
        members.extend(self.actor(scope, draft)?);
        members.push(("targets".into(), self.targets(scope, draft)?));
        let mut beside = Vec::new();
        members.push(("context".into(), self.context(scope, &mut beside, draft)?));
        members.push(("changes".into(), self.changes(scope, draft)?));
        members.push(match self.keep {
            Keep::Raw => {
                let metadata = self.metadata(record, part, scope, beside, draft)?;
                ("metadata".into(), Value::Object(metadata))
            }
            Keep::Metadata => {
                draft.faults.extend(unkept(record));
                draft.value("metadata", &record.value)?
            }
        });
        Ok(members)
    }

    /// The event's own texts, and its time.
    fn texts(&self, organization: Option<&str>, scope: &Scope<'_>, draft: &mut Draft) -> Result<Vec<Member>, Full> {
        let limits = Limits::default();
        let mut members = Vec::new();
        for (name, rule) in &self.event {
            let text = match name.as_str() {
                "organization" if organization.is_some() => None,
                "organization" | "description" | "message" => rule.text(scope),
                "occurred_at" => match self.occurred_at(rule, scope) {
                    Ok(time) => Some(time.to_string().into()),
                    Err(detail) => {
                        let pointer = rule.pointer(scope).unwrap_or_default();
                        draft.faults.push(Fault::new(pointer, detail));
                        None
                    }
                },
                "client_id" => rule
                    .text(scope)
                    .map(|id| shorten_id(&id, limits.client_id_chars_max).into()),
                "security" => {
                    let truth = rule.text(scope).map(|text| Value::Bool(text == "true"));
                    members.extend(truth.map(|truth| ("security".into(), truth)));
                    None
                }
                _ => rule
                    .text(scope)
                    .map(|text| shorten(&text, limits.word_chars_max).into()),
            };
            if let Some(text) = text {
                members.push(draft.text(name, text)?);
            }
        }
        if let Some(organization) = organization {
            members.push(draft.text("organization", organization.into())?);
        }
        self.check_texts(&members, scope, &mut draft.faults);
        Ok(members)
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
    fn actor(&self, scope: &Scope<'_>, draft: &mut Draft) -> Result<Option<Member>, Full> {
        let first = |party: &Party| {
            let scopes = scope.each(party.each.as_ref());
            scopes.iter().find_map(|scope| party.at(scope, true))
        };
        match self.actors.iter().find_map(first) {
            Some(actor) => Ok(Some(draft.value("actor", &actor)?)),
            None => {
                let detail = "No actor: none of the mapping's actors fits this record.";
                draft.faults.push(Fault::new(Pointer::root(), detail));
                Ok(None)
            }
        }
    }

    /// All targets without repetitions, in order.
    fn targets(&self, scope: &Scope<'_>, draft: &mut Draft) -> Result<Value<'static>, Full> {
        let mut seen = HashSet::new();
        let mut targets = Vec::new();
        for party in &self.targets {
            let scopes = scope.each(party.each.as_ref());
            for target in scopes.iter().filter_map(|scope| party.at(scope, false)) {
                let mut bytes = Vec::new();
                write_canonical(&target, &mut bytes);
                if seen.insert(bytes) {
                    draft.take(target.text_bytes())?;
                    targets.push(target);
                }
            }
        }
        Ok(Value::Array(targets))
    }

    fn metadata(
        &self,
        record: &Converted<'_>,
        part: Option<usize>,
        scope: &Scope<'_>,
        beside: Vec<Member>,
        draft: &mut Draft,
    ) -> Result<Vec<Member>, Full> {
        let mut metadata = vec![draft.text("source", self.name.as_str().into())?];
        metadata.extend(beside);
        for (name, rule) in &self.metadata {
            if let Some(text) = rule.text(scope) {
                metadata.push(draft.text(name, text)?);
            }
        }
        raw(record, part, &mut metadata, draft)?;
        Ok(metadata)
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

    /// The context; an address that is no IP goes to `metadata.source_address`.
    fn context(
        &self,
        scope: &Scope<'_>,
        metadata: &mut Vec<Member>,
        draft: &mut Draft,
    ) -> Result<Value<'static>, Full> {
        let mut members = Vec::new();
        for (name, rule) in &self.context {
            let Some(text) = rule.text(scope) else { continue };
            match name.as_str() {
                "ip" if text.parse::<IpAddr>().is_err() => metadata.push(draft.text("source_address", text)?),
                _ => members.push(draft.text(name, text)?),
            }
        }
        Ok(Value::Object(members))
    }

    fn changes(&self, scope: &Scope<'_>, draft: &mut Draft) -> Result<Value<'static>, Full> {
        let mut changes = Vec::new();
        for rule in &self.changes {
            for scope in scope.each(rule.each.as_ref()) {
                changes.extend(change(rule, &scope, draft)?);
            }
        }
        Ok(Value::Array(changes))
    }
}

impl Party {
    /// The actor or target at one place; an actor needs an id (or a type that has none), a target an id or a name. Its
    /// texts are shortened, so that one alone is small.
    fn at(&self, scope: &Scope<'_>, is_actor: bool) -> Option<Value<'static>> {
        let limits = Limits::default();
        let text = |(name, rule): &(String, Rule)| {
            let limit = if name == "type" {
                limits.word_chars_max
            } else {
                limits.name_chars_max
            };
            let text = shorten(&rule.text(scope)?, limit);
            Some((name.clone().into(), Value::String(text.into())))
        };
        let members: Vec<Member> = self.members.iter().filter_map(text).collect();
        let has = |name: &str| members.iter().any(|(member, _)| member == name);
        let kind = members.iter().find(|(name, _)| name == "type").map(|(_, kind)| kind)?;
        let without_id = matches!(kind, Value::String(kind) if WITHOUT_ID.contains(&kind.as_ref()));
        let complete = has("id") || if is_actor { without_id } else { has("name") };
        complete.then_some(Value::Object(members))
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
fn change(rule: &ChangeRule, scope: &Scope<'_>, draft: &mut Draft) -> Result<Option<Value<'static>>, Full> {
    let side = |source: &Option<super::Source>| source.as_ref()?.value(scope);
    let sides = [("before", side(&rule.before)), ("after", side(&rule.after))];
    let Some(field) = rule.field.text(scope) else {
        return Ok(None);
    };
    if sides.iter().all(|(_, value)| value.is_none()) {
        return Ok(None);
    }
    let field = shorten(&field, Limits::default().name_chars_max);
    let mut members = vec![draft.text("field", field.into())?];
    for (name, value) in sides {
        if let Some(value) = value {
            members.push(draft.value(name, value)?);
        }
    }
    Ok(Some(Value::Object(members)))
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
fn raw(record: &Converted<'_>, part: Option<usize>, metadata: &mut Vec<Member>, draft: &mut Draft) -> Result<(), Full> {
    if let Some(index) = part {
        debug_assert!((index as f64) < INTEGER_MAX, "an index is small");
        metadata.push(("raw_event".into(), Value::Number(index as f64)));
    }
    if !record.converted.is_empty() {
        let places = record.converted.iter();
        let places = places.map(|place| Value::String(place.as_str().into()));
        metadata.push(draft.value("converted", &Value::Array(places.collect()))?);
    }
    metadata.push(draft.value("raw", &record.value)?);
    Ok(())
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
