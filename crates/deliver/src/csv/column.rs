//! Columns: which value of an event stands in a cell. A column's id is the value's path in the event as it is returned.

use std::{borrow::Cow, fmt::Write as _, sync::Arc};

use jiff::tz::TimeZone;
use trailbook_event::{
    Change, Event, Part, Target, Timestamp,
    catalog::{EventPath, Template},
    json::{Value, write_canonical},
};
use trailbook_ledger::Row;

use crate::{Error, json::Envelope, labels::Labels};

/// The columns of an export that names none: every field of an event, and where it stands in the ledger.
pub const DEFAULT_COLUMNS: [&str; 31] = [
    "id",
    "sequence",
    "occurred_at",
    "received_at",
    "organization",
    "action",
    "action_type",
    "area",
    "product",
    "description",
    "security",
    "result",
    "actor.type",
    "actor.id",
    "actor.name",
    "actor.email",
    "actor.team",
    "targets.type",
    "targets.id",
    "targets.name",
    "targets.email",
    "context.ip",
    "country",
    "context.user_agent",
    "context.url",
    "context.referrer",
    "trace_id",
    "client_id",
    "changes",
    "metadata",
    "message",
];

/// One column, parsed from its id: a member's path such as `actor.email`; `targets.name` for all targets, `targets.0.name` for
/// one; `changes.field`; `metadata.PATH`, where `\.` is a dot within a key.
#[derive(Debug, Clone)]
pub struct Column {
    id: String,
    what: What,
}

/// What a cell is made of.
pub(crate) struct Source<'s> {
    pub(crate) row: &'s Row,
    pub(crate) envelope: &'s Envelope<'s>,
    pub(crate) event: &'s Event<'s>,
    pub(crate) zone: Option<&'s TimeZone>,
}

type OfSource = fn(&Source<'_>, &mut String);
/// Takes a time from an event; `None` when it has none.
pub(crate) type OfTime = fn(&Source<'_>) -> Option<Timestamp>;
type OfEvent = for<'e> fn(&'e Event<'_>) -> Option<&'e str>;
type OfTarget = for<'t> fn(&'t Target<'_>) -> Option<&'t str>;

#[derive(Debug, Clone)]
enum What {
    Of(OfSource),
    Time(OfTime),
    Text(OfEvent),
    Targets(OfTarget),
    Target(usize, OfTarget),
    Metadata(Vec<String>),
    Rendered(Template, Arc<Labels>),
}

/// Their texts are empty only where nothing is said.
const SOURCES: [(&str, OfSource); 11] = [
    ("id", |source, cell| push(cell, source.row.id)),
    ("project", |source, cell| cell.push_str(source.envelope.project)),
    ("sequence", |source, cell| push(cell, source.row.sequence)),
    ("epoch", |source, cell| push(cell, source.row.epoch)),
    ("country", |source, cell| {
        cell.push_str(source.row.country().unwrap_or_default())
    }),
    ("redacted", |source, cell| {
        join(source.row.redacted().iter().map(|part| part.name()), cell);
    }),
    ("security", |source, cell| push(cell, source.event.security)),
    ("changes", |source, cell| push_changes(&source.event.changes, cell)),
    ("changes.field", |source, cell| {
        join(source.event.changes.iter().map(|change| &*change.field), cell);
    }),
    ("metadata", |source, cell| {
        source
            .event
            .metadata
            .iter()
            .for_each(|metadata| push_json(metadata, cell))
    }),
    ("targets", |source, cell| {
        if !source.event.targets.is_empty() {
            cell.push_str(&String::from_utf8_lossy(source.row.parts.part(Part::Targets)));
        }
    }),
];

const TIMES: [(&str, OfTime); 3] = [
    ("received_at", |source| Some(source.row.received_at)),
    ("occurred_at", |source| Some(source.event.occurred_at)),
    ("expires_at", |source| source.envelope.expires_at(source.row)),
];

const TEXTS: [(&str, OfEvent); 19] = [
    ("organization", |event| Some(&event.organization)),
    ("action", |event| Some(&event.action)),
    ("action_type", |event| Some(&event.action_type)),
    ("area", |event| event.area.as_deref()),
    ("product", |event| event.product.as_deref()),
    ("description", |event| event.description.as_deref()),
    ("result", |event| Some(&event.result)),
    ("trace_id", |event| event.trace_id.as_deref()),
    ("client_id", |event| event.client_id.as_deref()),
    ("message", |event| event.message.as_deref()),
    ("actor.type", |event| Some(&event.actor.kind)),
    ("actor.id", |event| event.actor.id.as_deref()),
    ("actor.name", |event| event.actor.name.as_deref()),
    ("actor.email", |event| event.actor.email.as_deref()),
    ("actor.team", |event| event.actor.team.as_deref()),
    ("context.ip", |event| event.context.ip.as_deref()),
    ("context.user_agent", |event| event.context.user_agent.as_deref()),
    ("context.url", |event| event.context.url.as_deref()),
    ("context.referrer", |event| event.context.referrer.as_deref()),
];

const OF_TARGETS: [(&str, OfTarget); 4] = [
    ("targets.type", |target| Some(&target.kind)),
    ("targets.id", |target| target.id.as_deref()),
    ("targets.name", |target| target.name.as_deref()),
    ("targets.email", |target| target.email.as_deref()),
];

impl Column {
    /// The column with this id.
    ///
    /// # Errors
    /// [`Error::UnknownColumn`] with the nearest names.
    pub fn parse(id: &str) -> Result<Self, Error> {
        let what = of_source(id)
            .or_else(|| find(&TEXTS, id).map(What::Text))
            .or_else(|| find(&OF_TARGETS, id).map(What::Targets))
            .or_else(|| one_target(id))
            .or_else(|| metadata_path(id).map(What::Metadata))
            .ok_or_else(|| Error::UnknownColumn {
                name: id.to_owned(),
                near: near(id),
            })?;
        Ok(Self {
            id: id.to_owned(),
            what,
        })
    }

    /// A column with a template over the event as it is returned, its values as they are labelled.
    ///
    /// # Errors
    /// [`Error::Template`] with everything that is wrong with it.
    pub fn rendered(id: &str, template: &str, labels: Arc<Labels>) -> Result<Self, Error> {
        let template = Template::parse_column(template).map_err(|faults| Error::Template {
            id: id.to_owned(),
            detail: faults.join("; "),
        })?;
        Ok(Self {
            id: id.to_owned(),
            what: What::Rendered(template, labels),
        })
    }

    /// The columns of a comma-separated list of ids.
    ///
    /// # Errors
    /// As [`Column::parse`].
    pub fn parse_list(ids: &str) -> Result<Vec<Self>, Error> {
        ids.split(',').map(|id| Self::parse(id.trim())).collect()
    }

    /// The columns of [`DEFAULT_COLUMNS`].
    pub fn defaults() -> Vec<Self> {
        DEFAULT_COLUMNS
            .iter()
            .map(|id| Self::parse(id).expect("the default columns are columns"))
            .collect()
    }

    /// The id that the column was parsed from.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the column shows, when that is a time.
    pub(crate) fn of_time(&self) -> Option<OfTime> {
        match &self.what {
            What::Time(time) => Some(*time),
            _ => None,
        }
    }

    /// Appends the cell's text, not yet neutralised; `false` when the event says nothing there.
    pub(crate) fn write(&self, source: &Source<'_>, cell: &mut String) -> bool {
        self.what.write(source, cell)
    }
}

impl What {
    fn write(&self, source: &Source<'_>, cell: &mut String) -> bool {
        let (event, start) = (source.event, cell.len());
        match self {
            What::Of(write) => write(source, cell),
            What::Time(time) => time(source).into_iter().for_each(|at| push_time(at, source.zone, cell)),
            What::Text(text) => return push_text(text(event), cell),
            What::Targets(text) => return join(event.targets.iter().filter_map(text), cell),
            What::Target(position, text) => return push_text(event.targets.get(*position).and_then(text), cell),
            What::Rendered(template, labels) => {
                cell.push_str(&template.render_with(|path| labelled(path, labels, source)));
            }
            What::Metadata(path) => {
                let metadata = event.metadata.as_ref();
                let value = metadata.and_then(|root| path.iter().try_fold(root, |value, key| value.get(key)));
                return value.is_some_and(|value| push_value(value, cell));
            }
        }
        cell.len() > start
    }
}

/// The text at a path of a template, in the words of the labels; `None` when nothing is there.
fn labelled<'s>(path: &'s EventPath, labels: &'s Labels, source: &Source<'s>) -> Option<Cow<'s, str>> {
    if let Some(name) = path.member()
        && let Some(what) = of_source(name)
    {
        let mut text = String::new();
        let is_set = what.write(source, &mut text);
        return is_set.then(|| labels.value(name, &text).into_owned().into());
    }
    let found = path.found(source.event);
    if found.iter().all(|found| found.text.is_none()) {
        return None;
    }
    let words = found.iter().map(|found| match &found.text {
        Some(text) => labels.value(&found.of, text),
        None => Cow::Borrowed("—"),
    });
    let shown: Vec<Cow<'_, str>> = words.filter(|word| !word.is_empty()).collect();
    Some(shown.join(", ").into())
}

/// What stands in the envelope, or is written in a way of its own.
fn of_source(id: &str) -> Option<What> {
    let of = find(&SOURCES, id).map(What::Of);
    of.or_else(|| find(&TIMES, id).map(What::Time))
}

fn find<T: Copy>(table: &[(&str, T)], id: &str) -> Option<T> {
    table.iter().find(|(name, _)| *name == id).map(|(_, what)| *what)
}

/// `targets.0.name`
fn one_target(id: &str) -> Option<What> {
    let (position, field) = id.strip_prefix("targets.")?.split_once('.')?;
    let position = position
        .parse()
        .ok()
        .filter(|parsed: &usize| parsed.to_string() == position)?;
    Some(What::Target(position, find(&OF_TARGETS, &format!("targets.{field}"))?))
}

/// The keys of `metadata.PATH`.
fn metadata_path(id: &str) -> Option<Vec<String>> {
    let mut keys = vec![String::new()];
    let mut characters = id.strip_prefix("metadata.").filter(|path| !path.is_empty())?.chars();
    while let Some(character) = characters.next() {
        match character {
            '.' => keys.push(String::new()),
            '\\' => keys.last_mut()?.push(characters.next()?),
            other => keys.last_mut()?.push(other),
        }
    }
    Some(keys)
}

/// The names most like `id`: at most three, at most three typing errors away or with the same last word.
fn near(id: &str) -> Vec<&'static str> {
    let of_events = names(&SOURCES).chain(names(&TIMES)).chain(names(&TEXTS));
    let mut found: Vec<(usize, &str)> = of_events
        .chain(names(&OF_TARGETS))
        .map(|name| {
            (
                if name.rsplit('.').next() == Some(id) {
                    0
                } else {
                    distance(id, name)
                },
                name,
            )
        })
        .filter(|(distance, name)| *distance <= 3 && *distance < name.len().div_ceil(2))
        .collect();
    found.sort();
    found.into_iter().map(|(_, name)| name).take(3).collect()
}

fn names<T>(table: &'static [(&'static str, T)]) -> impl Iterator<Item = &'static str> {
    table.iter().map(|(name, _)| *name)
}

/// Levenshtein's distance in bytes, which is near enough for names in ASCII.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, from) in left.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], above + 1);
        for (column, to) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

fn push(cell: &mut String, value: impl std::fmt::Display) {
    write!(cell, "{value}").expect("a string takes all text");
}

fn push_text(text: Option<&str>, cell: &mut String) -> bool {
    cell.push_str(text.unwrap_or_default());
    text.is_some()
}

/// `false` when there is no value.
fn join<'v>(values: impl Iterator<Item = &'v str>, cell: &mut String) -> bool {
    let mut is_first = true;
    for value in values {
        if !std::mem::take(&mut is_first) {
            cell.push_str(", ");
        }
        cell.push_str(value);
    }
    !is_first
}

/// A time in UTC, or in a zone with the offset that holds there at that time.
fn push_time(time: Timestamp, zone: Option<&TimeZone>, cell: &mut String) {
    let instant = jiff::Timestamp::from_millisecond(time.millis());
    let (Some(zone), Ok(instant)) = (zone, instant) else {
        return push(cell, time);
    };
    let offset_seconds = zone.to_offset(instant).seconds();
    let local = Timestamp::from_millis(time.millis() + i64::from(offset_seconds) * 1000).to_string();
    let minutes = offset_seconds.abs() / 60;
    let sign = if offset_seconds < 0 { '-' } else { '+' };
    push(
        cell,
        format_args!(
            "{}{sign}{:02}:{:02}",
            local.trim_end_matches('Z'),
            minutes / 60,
            minutes % 60
        ),
    );
}

/// A metadata value: a text as it is, null as nothing, anything else as JSON.
fn push_value(value: &Value<'_>, cell: &mut String) -> bool {
    match value {
        Value::Null => return false,
        Value::String(text) => cell.push_str(text),
        other => push_json(other, cell),
    }
    true
}

/// The changes as they are returned; nothing when there are none.
fn push_changes(changes: &[Change<'_>], cell: &mut String) {
    if !changes.is_empty() {
        push_json(&Value::Array(changes.iter().map(change_object).collect()), cell);
    }
}

fn change_object<'v>(change: &'v Change<'_>) -> Value<'v> {
    let sides = [("after", change.after.as_ref()), ("before", change.before.as_ref())];
    let mut members: Vec<_> = sides
        .into_iter()
        .filter_map(|(name, value)| Some((Cow::Borrowed(name), value?.borrowed())))
        .collect();
    members.push((Cow::Borrowed("field"), Value::String(Cow::Borrowed(&change.field))));
    Value::Object(members)
}

fn push_json(value: &Value<'_>, cell: &mut String) {
    let mut json = Vec::new();
    write_canonical(value, &mut json);
    cell.push_str(&String::from_utf8_lossy(&json));
}
