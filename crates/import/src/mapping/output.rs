//! Output mappings: events as returned become payloads of a foreign form, field for field.
//!
//! Not here: finding and reading the events (server), input ([`super::Mapping`]).

use std::{borrow::Cow, collections::HashMap};

use trailbook_event::{
    catalog::{CatalogFault, Document, Place},
    json::Value,
};

use super::{
    path::Path,
    read::{Reading, path},
};

/// How events become the payloads of one foreign form.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The object of the event whose members are added under their own names.
    rest: Option<Path>,
    /// The fields of the payload of each action.
    payloads: HashMap<String, Vec<Field>>,
}

/// A member of a payload and where its value is looked for, in order.
#[derive(Debug, Clone, PartialEq)]
struct Field {
    name: String,
    from: Vec<Source>,
}

#[derive(Debug, Clone, PartialEq)]
enum Source {
    Constant(String),
    Place(Path),
}

impl Output {
    /// Reads the output mapping that stands at a place of a document.
    pub(crate) fn read(document: &Document<'_>, at: &Place<'_>) -> Result<Self, Vec<CatalogFault>> {
        let mut reader = Reading::new(document);
        let output = reader.output(at);
        reader.finish(output)
    }

    /// The payload of an event as returned. The values are the event's own; null counts as missing, but for the members
    /// of `rest`, which are added as they are. An action that is not listed gives the members of `rest` alone.
    pub fn payload<'e>(&'e self, event: &'e Value<'e>) -> Value<'e> {
        let mut members: Vec<(Cow<'e, str>, Value<'e>)> = Vec::new();
        if let Some(Value::String(action)) = event.get("action") {
            let fields = self.payloads.get(action.as_ref()).into_iter().flatten();
            members.extend(fields.filter_map(|field| field.of(event)));
        }
        if let Some(Value::Object(rest)) = self.rest.as_ref().and_then(|rest| rest.of(event)) {
            let stated = members.len();
            for (key, value) in rest {
                if members[..stated].iter().all(|(known, _)| known != key) {
                    members.push((Cow::Borrowed(key), value.borrowed()));
                }
            }
        }
        Value::Object(members)
    }
}

impl Field {
    fn of<'e>(&'e self, event: &'e Value<'e>) -> Option<(Cow<'e, str>, Value<'e>)> {
        let value = self.from.iter().find_map(|source| match source {
            Source::Constant(text) => Some(Value::String(Cow::Borrowed(text))),
            Source::Place(place) => place
                .of(event)
                .filter(|value| **value != Value::Null)
                .map(Value::borrowed),
        })?;
        Some((Cow::Borrowed(&self.name), value))
    }
}

impl<'d> Reading<'d> {
    fn output(&mut self, root: &Place<'d>) -> Output {
        self.only(root, &["about", "rest", "payloads"]);
        let rest = self.paths(root, "rest").into_iter().next();
        let mut payloads = HashMap::new();
        for payload in self.tables(root, "payloads") {
            self.only(&payload, &["action", "fields"]);
            let fields = self.fields(&payload);
            let Some(action) = self.text(&payload, "action") else {
                self.fault(&path(&payload, "action"), "say which action's payload this is");
                continue;
            };
            if payloads.insert(action, fields).is_some() {
                self.fault(&path(&payload, "action"), "this action has a payload already");
            }
        }
        if ["rest", "payloads"].iter().all(|key| root.member(key).is_none()) {
            self.fault(
                &root.path,
                "`rest` or `payloads` is needed; otherwise every payload is empty",
            );
        }
        Output { rest, payloads }
    }

    fn fields(&mut self, payload: &Place<'d>) -> Vec<Field> {
        let Some(fields) = payload.member("fields") else {
            return Vec::new();
        };
        let mut read = Vec::new();
        for name in self.keys(&fields) {
            let texts = self.texts(&fields, name);
            read.push(Field {
                name: name.to_owned(),
                from: texts.iter().map(|text| source(text)).collect(),
            });
        }
        read
    }
}

/// What begins with `/` is a place in the event, anything else a constant.
fn source(text: &str) -> Source {
    match Path::parse(text) {
        Some(place) if text.starts_with('/') => Source::Place(place),
        _ => Source::Constant(text.to_owned()),
    }
}
