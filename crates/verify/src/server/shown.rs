//! An event as a server shows it, against the parts that were proved.

use std::collections::BTreeMap;

use trailbook_event::{
    Part, Timestamp,
    json::{self, Value},
};
use trailbook_merkle::LeafRecord;

use crate::event::id_text;

/// Members of the envelope, which no part holds.
const ENVELOPE: [&str; 8] = [
    "id",
    "project",
    "sequence",
    "epoch",
    "received_at",
    "expires_at",
    "country",
    "redacted",
];

/// An event's own members with their canonical bytes.
#[derive(Debug, Default)]
pub(super) struct Members {
    members: BTreeMap<String, Vec<u8>>,
    parts: Vec<Part>,
}

impl Members {
    /// Adds what a proved part says.
    pub(super) fn add_part(&mut self, part: Part, value: &Value<'_>) {
        self.parts.push(part);
        match (part, value) {
            (Part::Core | Part::Details, Value::Object(members)) => {
                members.iter().for_each(|(name, value)| self.add(name, value));
            }
            _ => self.add(part.name(), value),
        }
    }

    fn add(&mut self, name: &str, value: &Value<'_>) {
        let mut bytes = Vec::new();
        json::write_canonical(value, &mut bytes);
        self.members.insert(name.to_owned(), bytes);
    }
}

/// What differs between an event as shown and what was proved of it. Members of redacted parts cannot be compared.
pub(super) fn compare(shown: &[u8], record: &LeafRecord, proved: &Members) -> Vec<String> {
    let limits = json::Limits {
        depth_max: json::DEPTH_CEILING,
    };
    let Ok(Value::Object(members)) = json::parse_bytes(shown, &limits) else {
        return vec!["what the server shows of it is not a JSON object".to_owned()];
    };
    let mut faults = Vec::new();
    let mut own = Members::default();
    for (name, value) in &members {
        if ENVELOPE.contains(&name.as_ref()) {
            faults.extend(envelope_fault(name, value, record));
        } else {
            own.add(name, value);
        }
    }
    for (name, bytes) in &proved.members {
        if own.members.get(name) != Some(bytes) {
            faults.push(format!("the server shows another `{name}` than it proves"));
        }
    }
    if proved.parts.len() == Part::ALL.len() {
        let more = own.members.keys().filter(|name| !proved.members.contains_key(*name));
        faults.extend(more.map(|name| format!("the server shows `{name}`, which it does not prove")));
    }
    faults
}

/// What the envelope says against the leaf record; project, country and expiry are in no leaf record.
fn envelope_fault(name: &str, value: &Value<'_>, record: &LeafRecord) -> Option<String> {
    let expected = match name {
        "id" => Value::String(id_text(&record.id).into()),
        "sequence" => Value::Number(record.sequence as f64),
        "epoch" => Value::Number(record.epoch.into()),
        "received_at" => Value::String(Timestamp::from_millis(record.received_at_millis).to_string().into()),
        _ => return None,
    };
    (*value != expected).then(|| format!("the server shows another `{name}` than its leaf record says"))
}
