//! Paths into an event, such as `actor.name` or `targets.0.name`, and the text found there.

use std::borrow::Cow;

use crate::{
    Actor, Change, Context, Event, Target,
    filter::split_keys,
    json::{Value, write_canonical},
    language::near,
};

/// What stands for a missing value.
const MISSING: &str = "—";

type EventText = for<'t, 'a> fn(&'t Event<'a>) -> Option<Cow<'t, str>>;
type TargetText = for<'t, 'a> fn(&'t Target<'a>) -> Option<Cow<'t, str>>;
type ChangeText = for<'t, 'a> fn(&'t Change<'a>) -> Option<Cow<'t, str>>;

/// A path into an event. Lists are joined with `, `; a number picks one element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPath(Place);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A member of the event, of the actor or of the context.
    Own(usize),
    /// A member of one target or of all, by its position in `TARGET`.
    Target(Option<usize>, usize),
    /// A member of one change or of all, by its position in `CHANGE`.
    Change(Option<usize>, usize),
    /// Keys and positions below `metadata`.
    Metadata(Vec<String>),
}

const OWN: [(&str, EventText); 21] = [
    ("organization", |event| some(&event.organization)),
    ("client_id", |event| lent(&event.client_id)),
    ("action", |event| some(&event.action)),
    ("action_type", |event| some(&event.action_type)),
    ("area", |event| lent(&event.area)),
    ("product", |event| lent(&event.product)),
    ("security", |event| {
        Some(Cow::Borrowed(if event.security { "true" } else { "false" }))
    }),
    ("result", |event| some(&event.result)),
    ("trace_id", |event| lent(&event.trace_id)),
    ("message", |event| lent(&event.message)),
    ("occurred_at", |event| Some(Cow::Owned(event.occurred_at.to_string()))),
    ("actor.type", |event| some(&event.actor.kind)),
    ("actor.id", |event| actor(event, |actor| &actor.id)),
    ("actor.name", |event| actor(event, |actor| &actor.name)),
    ("actor.email", |event| actor(event, |actor| &actor.email)),
    ("actor.team", |event| actor(event, |actor| &actor.team)),
    ("context.ip", |event| context(event, |context| &context.ip)),
    ("context.user_agent", |event| {
        context(event, |context| &context.user_agent)
    }),
    ("context.url", |event| context(event, |context| &context.url)),
    ("context.referrer", |event| context(event, |context| &context.referrer)),
    ("description", |event| lent(&event.description)),
];

const TARGET: [(&str, TargetText); 4] = [
    ("type", |target| some(&target.kind)),
    ("id", |target| lent(&target.id)),
    ("name", |target| lent(&target.name)),
    ("email", |target| lent(&target.email)),
];

const CHANGE: [(&str, ChangeText); 3] = [
    ("field", |change| some(&change.field)),
    ("before", |change| change.before.as_ref().and_then(value_text)),
    ("after", |change| change.after.as_ref().and_then(value_text)),
];

impl EventPath {
    /// Reads a path; in keys of metadata, `\` takes the next character literally.
    ///
    /// # Errors
    /// A sentence that says why no event has such a path.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(place) = OWN.iter().position(|(name, _)| *name == text) {
            return Ok(Self(Place::Own(place)));
        }
        let place = match text.split_once('.') {
            Some(("metadata", rest)) => keys(rest).map(Place::Metadata),
            Some(("targets", rest)) => {
                member(rest, TARGET.map(|(name, _)| name).as_slice()).map(|(at, member)| Place::Target(at, member))
            }
            Some(("changes", rest)) => {
                member(rest, CHANGE.map(|(name, _)| name).as_slice()).map(|(at, member)| Place::Change(at, member))
            }
            _ => None,
        };
        place.map(Self).ok_or_else(|| {
            let near = near(text, OWN.iter().map(|(name, _)| *name));
            let advice = if near.is_empty() {
                "use a member of the event, actor.NAME, context.NAME, targets.NAME, targets.0.NAME, changes.NAME or metadata.PATH"
                    .to_owned()
            } else {
                format!("did you mean {}?", near.join(" or "))
            };
            format!("an event has no `{text}`; {advice}")
        })
    }

    /// The text at this path of an event; `—` stands for what is missing.
    pub fn text<'e>(&self, event: &'e Event<'_>) -> Cow<'e, str> {
        match &self.0 {
            Place::Own(member) => (OWN[*member].1)(event).unwrap_or(Cow::Borrowed(MISSING)),
            Place::Target(at, member) => listed(&event.targets, *at, TARGET[*member].1),
            Place::Change(at, member) => listed(&event.changes, *at, CHANGE[*member].1),
            Place::Metadata(keys) => {
                let mut found = Vec::new();
                event
                    .metadata
                    .iter()
                    .for_each(|metadata| collect(metadata, keys, &mut found));
                joined(found)
            }
        }
    }
}

fn some(text: &str) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(text))
}

fn lent<'t>(text: &'t Option<Cow<'_, str>>) -> Option<Cow<'t, str>> {
    text.as_deref().map(Cow::Borrowed)
}

fn actor<'e, 'a>(event: &'e Event<'a>, of: fn(&'e Actor<'a>) -> &'e Option<Cow<'a, str>>) -> Option<Cow<'e, str>> {
    lent(of(&event.actor))
}

fn context<'e, 'a>(event: &'e Event<'a>, of: fn(&'e Context<'a>) -> &'e Option<Cow<'a, str>>) -> Option<Cow<'e, str>> {
    lent(of(&event.context))
}

/// The position and member of `0.name`, or the member of `name`.
fn member(text: &str, members: &[&str]) -> Option<(Option<usize>, usize)> {
    let (at, name) = match text.split_once('.') {
        Some((at, name)) => (Some(at.parse().ok()?), name),
        None => (None, text),
    };
    Some((at, members.iter().position(|known| *known == name)?))
}

fn keys(text: &str) -> Option<Vec<String>> {
    split_keys(text).filter(|keys| keys.iter().all(|key| !key.is_empty()))
}

fn listed<'e, T>(elements: &'e [T], at: Option<usize>, text: fn(&'e T) -> Option<Cow<'e, str>>) -> Cow<'e, str> {
    match at {
        Some(at) => elements.get(at).and_then(text).unwrap_or(Cow::Borrowed(MISSING)),
        None => joined(
            elements
                .iter()
                .map(|element| text(element).unwrap_or(Cow::Borrowed(MISSING)))
                .collect(),
        ),
    }
}

fn joined(mut texts: Vec<Cow<'_, str>>) -> Cow<'_, str> {
    match texts.len() {
        0 => Cow::Borrowed(MISSING),
        1 => texts.remove(0),
        _ => Cow::Owned(texts.join(", ")),
    }
}

/// Collects the texts at a path: a key looks into an object or into every element of a list, a number may pick one.
fn collect<'e>(value: &'e Value<'_>, keys: &[String], found: &mut Vec<Cow<'e, str>>) {
    match (value, keys.split_first()) {
        (Value::Array(elements), None) => elements.iter().for_each(|element| collect(element, keys, found)),
        (leaf, None) => found.push(value_text(leaf).unwrap_or(Cow::Borrowed(MISSING))),
        (Value::Object(_), Some((key, rest))) => {
            value.get(key).into_iter().for_each(|inner| collect(inner, rest, found))
        }
        (Value::Array(elements), Some((key, rest))) => match key.parse::<usize>() {
            Ok(at) => elements
                .get(at)
                .into_iter()
                .for_each(|element| collect(element, rest, found)),
            Err(_) => elements.iter().for_each(|element| collect(element, keys, found)),
        },
        _ => {}
    }
}

/// A text as it is, null as missing, the elements of a list joined, anything else as canonical JSON.
fn value_text<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Array(elements) => {
            let texts = elements
                .iter()
                .map(|element| value_text(element).unwrap_or(Cow::Borrowed(MISSING)));
            Some(joined(texts.collect()))
        }
        other => {
            let mut bytes = Vec::new();
            write_canonical(other, &mut bytes);
            Some(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()))
        }
    }
}
