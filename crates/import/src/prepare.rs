//! From a record's text to events that the server will take: mapping, then the same admission as the server's.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use trailbook_event::{
    ActionDefaults, Admission, Defaults, Event, Fault, Limits, Origin, Pointer, Timestamp, admit,
    json::{Value, write_canonical},
};

use crate::{convert, mapping::Mapping, mapping::Path, own};

/// What the records are.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// Trailbook's own events, as sent or as returned.
    Trailbook,
    /// Foreign records.
    Mapped(Box<Mapping>),
}

/// An event that may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prepared {
    /// The event as JSON.
    pub(crate) body: Vec<u8>,
    pub(crate) client_id: Option<String>,
    /// When it happened; `None` when the server is to fill it in.
    pub(crate) occurred_at: Option<Timestamp>,
}

/// Turns the records of one input into events.
pub(crate) struct Preparation<'s> {
    source: &'s Source,
    organization: &'s str,
    now: Timestamp,
    limits: Limits,
    /// How often each record (by hash) has come, when the mapping asks.
    occurrences: HashMap<String, u64>,
}

impl Source {
    /// Where a document holds its records.
    pub(crate) fn records(&self) -> &[Path] {
        match self {
            Self::Trailbook => &[],
            Self::Mapped(mapping) => &mapping.records,
        }
    }

    /// What an import's state is bound to.
    pub(crate) fn digest(&self) -> [u8; 32] {
        match self {
            Self::Trailbook => Sha256::digest("trailbook").into(),
            Self::Mapped(mapping) => *mapping.digest(),
        }
    }
}

impl<'s> Preparation<'s> {
    pub(crate) fn new(source: &'s Source, organization: &'s str, now: Timestamp) -> Self {
        Self {
            source,
            organization,
            now,
            limits: Limits::default(),
            occurrences: HashMap::new(),
        }
    }

    /// The events of one record; each either may be sent or says why not.
    pub(crate) fn events(&mut self, text: &str) -> Vec<Result<Prepared, String>> {
        match self.source {
            Source::Trailbook => vec![own::event(text, self.organization).and_then(|event| self.prepare(&event))],
            Source::Mapped(mapping) => {
                let record = match convert::read(text) {
                    Ok(record) => record,
                    Err(reason) => return vec![Err(reason)],
                };
                if !matches!(record.value, Value::Object(_)) {
                    return vec![Err(not_an_object(&record))];
                }
                let mut identity = mapping.identify(&record.value);
                if mapping.counts_occurrences() {
                    let occurrence = self.occurrences.entry(identity.hash.clone()).or_default();
                    *occurrence += 1;
                    identity.occurrence = *occurrence;
                }
                let events = mapping.apply(self.organization, &record, &identity);
                events
                    .into_iter()
                    .map(|event| self.prepare(&event.map_err(|faults| reasons(&faults))?))
                    .collect()
            }
        }
    }

    fn prepare(&self, event: &Value<'_>) -> Result<Prepared, String> {
        let mut body = Vec::with_capacity(2048);
        write_canonical(event, &mut body);
        if body.len() > self.limits.event_bytes_max {
            return Err(format!(
                "The event is {} bytes, more than the {} that one may have.",
                body.len(),
                self.limits.event_bytes_max
            ));
        }
        let defaults = AnyActionType(match event.get("action_type") {
            Some(Value::String(own)) => vec![own.to_string()],
            _ => Vec::new(),
        });
        let admission = Admission {
            limits: &self.limits,
            now: self.now,
            defaults: &defaults,
            origin: Origin::Sender,
        };
        let admitted = admit(event, &Pointer::root(), &admission).map_err(|faults| sentences(&faults))?;
        let says_when = event.get("occurred_at").is_some_and(|time| *time != Value::Null);
        Ok(Prepared {
            body,
            client_id: admitted.client_id.map(|client_id| client_id.id),
            occurred_at: says_when.then_some(admitted.occurred_at),
        })
    }
}

fn not_an_object(record: &convert::Converted<'_>) -> String {
    if record.converted.is_empty() {
        return format!("This is {}; a record is an object.", record.value.kind());
    }
    "This object has the same key twice, or a key with a NUL character or half a surrogate pair; nobody can tell which value was meant."
        .to_owned()
}

/// What a mapping has against a record.
fn reasons(faults: &[Fault]) -> String {
    faults
        .iter()
        .map(|fault| fault.detail.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

fn sentences(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join(" ")
}

/// The server's catalog may name further action types, so here every one is let through.
struct AnyActionType(Vec<String>);

impl Defaults for AnyActionType {
    fn of(&self, _action: &str) -> Option<ActionDefaults<'_>> {
        None
    }

    fn action_types(&self) -> &[String] {
        &self.0
    }

    fn describe(&self, _event: &Event<'_>) -> Option<String> {
        None
    }

    fn complaints(&self, _event: &Event<'_>) -> Vec<Fault> {
        Vec::new()
    }
}
