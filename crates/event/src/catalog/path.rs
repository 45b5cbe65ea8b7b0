//! Paths into an event, such as `actor.name` or `targets.0.name`, and the text found there.
//!
//! Not here: what stands in the envelope, of which only the names are known ([`ENVELOPE`]); whoever has one reads it.

use std::borrow::Cow;

use crate::{
    Actor, Change, Context, Event, Target,
    filter::{MetadataPath, split_keys},
    json::{Value, write_canonical},
    language::near,
};

/// What stands for a missing value.
pub(super) const MISSING: &str = "—";

/// The members of the envelope that a path may name where an envelope is at hand.
pub const ENVELOPE: [&str; 8] = [
    "id",
    "project",
    "sequence",
    "epoch",
    "received_at",
    "expires_at",
    "country",
    "redacted",
];

type EventText = for<'t, 'a> fn(&'t Event<'a>) -> Option<Cow<'t, str>>;
type TargetText = for<'t, 'a> fn(&'t Target<'a>) -> Option<Cow<'t, str>>;
type ChangeTexts = for<'t, 'a> fn(&'t Change<'a>, &mut Vec<Found<'t>>);

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
    /// Keys and positions below `metadata`, and the path's name without positions.
    Metadata(Vec<String>, String),
    /// A member of the envelope, by its position in `ENVELOPE`.
    Envelope(usize),
}

/// One text that a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<'e> {
    /// What people's words for it go by: `targets.type`, `metadata.plan`; for a change's `before` and `after`, the field.
    pub of: Cow<'e, str>,
    /// The text; `None` where there is nothing or null.
    pub text: Option<Cow<'e, str>>,
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
    ("targets.type", |target| some(&target.kind)),
    ("targets.id", |target| lent(&target.id)),
    ("targets.name", |target| lent(&target.name)),
    ("targets.email", |target| lent(&target.email)),
];

const CHANGE: [(&str, ChangeTexts); 3] = [
    ("changes.field", |change, found| {
        found.push(Found {
            of: Cow::Borrowed("changes.field"),
            text: some(&change.field),
        });
    }),
    ("changes.before", |change, found| {
        push_value(change, change.before.as_ref(), found)
    }),
    ("changes.after", |change, found| {
        push_value(change, change.after.as_ref(), found)
    }),
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
            Some(("metadata", rest)) => keys(rest).map(|keys| {
                let name = format!("metadata.{}", names(&keys));
                Place::Metadata(keys, name)
            }),
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

    /// Reads a path into an event as it is returned: one of [`EventPath::parse`], or a member of the [`ENVELOPE`].
    ///
    /// # Errors
    /// A sentence that says why no event has such a path.
    pub fn parse_returned(text: &str) -> Result<Self, String> {
        match ENVELOPE.iter().position(|name| *name == text) {
            Some(member) => Ok(Self(Place::Envelope(member))),
            None => Self::parse(text),
        }
    }

    /// The path, when it leads to one member of the event, its actor, its context or its envelope.
    pub fn member(&self) -> Option<&'static str> {
        match self.0 {
            Place::Own(member) => Some(OWN[member].0),
            Place::Envelope(member) => Some(ENVELOPE[member]),
            _ => None,
        }
    }

    /// The text at this path of an event; `—` stands for what is missing, and for the envelope.
    pub fn text<'e>(&'e self, event: &'e Event<'_>) -> Cow<'e, str> {
        if let Place::Own(member) = self.0 {
            return (OWN[member].1)(event).unwrap_or(Cow::Borrowed(MISSING));
        }
        let texts = self.found(event).into_iter().map(|found| found.text);
        joined(texts.map(|text| text.unwrap_or(Cow::Borrowed(MISSING))).collect())
    }

    /// Each text at this path of an event, in their order. Nothing is found in the envelope.
    pub fn found<'e>(&'e self, event: &'e Event<'_>) -> Vec<Found<'e>> {
        let mut found = Vec::new();
        match &self.0 {
            Place::Own(member) => found.push(Found {
                of: Cow::Borrowed(OWN[*member].0),
                text: (OWN[*member].1)(event),
            }),
            Place::Target(at, member) => {
                let (name, text) = TARGET[*member];
                let of = Cow::Borrowed(name);
                found.extend(picked(&event.targets, *at).map(|target| Found {
                    of: of.clone(),
                    text: text(target),
                }));
            }
            Place::Change(at, member) => {
                picked(&event.changes, *at).for_each(|change| CHANGE[*member].1(change, &mut found));
            }
            Place::Metadata(keys, name) => {
                let mut texts = Vec::new();
                event
                    .metadata
                    .iter()
                    .for_each(|metadata| collect(metadata, keys, &mut texts));
                found.extend(texts.into_iter().map(|text| Found {
                    of: Cow::Borrowed(name),
                    text,
                }));
            }
            Place::Envelope(_) => {}
        }
        found
    }
}

/// The keys of a path into metadata without positions in lists, as filters and labels name it.
fn names(keys: &[String]) -> String {
    let keys: Vec<&String> = keys.iter().filter(|key| key.parse::<usize>().is_err()).collect();
    MetadataPath::from_keys(&keys).map_or_else(|_| String::new(), |path| path.to_string())
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
    Some((
        at,
        members
            .iter()
            .position(|known| known.rsplit('.').next() == Some(name))?,
    ))
}

fn keys(text: &str) -> Option<Vec<String>> {
    split_keys(text).filter(|keys| keys.iter().all(|key| !key.is_empty()))
}

/// One element of a list, or all of them.
fn picked<T>(elements: &[T], at: Option<usize>) -> std::slice::Iter<'_, T> {
    match at {
        Some(at) => elements.get(at..=at).unwrap_or_default().iter(),
        None => elements.iter(),
    }
}

/// A changed value: each element of a list by itself.
fn push_value<'t>(change: &'t Change<'_>, value: Option<&'t Value<'_>>, found: &mut Vec<Found<'t>>) {
    let of = || Cow::Borrowed(&*change.field);
    match value {
        Some(Value::Array(elements)) if !elements.is_empty() => {
            found.extend(elements.iter().map(|element| Found {
                of: of(),
                text: value_text(element),
            }));
        }
        other => found.push(Found {
            of: of(),
            text: other.and_then(value_text),
        }),
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
fn collect<'e>(value: &'e Value<'_>, keys: &[String], found: &mut Vec<Option<Cow<'e, str>>>) {
    match (value, keys.split_first()) {
        (Value::Array(elements), None) => elements.iter().for_each(|element| collect(element, keys, found)),
        (leaf, None) => found.push(value_text(leaf)),
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
