//! A mapping as admission asks it: payloads of calls become events, and faults speak of the payload.

use trailbook_event::{Fault, Pointer, Translated, Translation, json::Value};

use super::{Identity, Keep, Mapping, Scope};
use crate::convert::Converted;

/// A mapping in one call.
#[derive(Debug, Clone, Copy)]
pub struct Call<'m> {
    /// How payloads become events.
    pub mapping: &'m Mapping,
    /// Whose events they are; `None` when the payloads are to say.
    pub organization: Option<&'m str>,
}

impl Translation for Call<'_> {
    fn translate(&self, record: &Value<'_>) -> Result<Translated, Vec<Fault>> {
        if !matches!(record, Value::Object(_)) {
            let detail = format!("This is {}; a payload is an object.", record.kind());
            return Err(vec![Fault::new(Pointer::root(), detail)]);
        }
        let identity = self.mapping.identify(record);
        let content = identity.content;
        let record = Converted {
            value: record.borrowed(),
            converted: Vec::new(),
        };
        let event = self.mapping.apply_one(self.organization, &record, &identity)?;
        Ok(Translated { event, content })
    }

    fn of_record(&self, record: &Value<'_>, fault: Fault) -> Fault {
        match self.mapping.origin(record, &fault.pointer) {
            Some(pointer) => Fault::new(pointer, fault.detail),
            None => {
                let member = fault.pointer.as_str();
                Fault::new(
                    Pointer::root(),
                    format!(
                        "At `{member}` of the event that the mapping makes of this: {}",
                        fault.detail
                    ),
                )
            }
        }
    }
}

impl Mapping {
    /// The place of a record that a place of its event was made from.
    fn origin(&self, record: &Value<'_>, place: &Pointer) -> Option<Pointer> {
        let kept = match self.keep {
            Keep::Raw => "/metadata/raw",
            Keep::Metadata => "/metadata",
        };
        if let Some(below) = place.below(kept) {
            return Some(below);
        }
        let identity = Identity::default();
        let opened = self.open(record);
        let scope = Scope::of_record(self, &opened, &identity);
        let name = place.as_str().strip_prefix('/')?;
        let rules = match name.strip_prefix("context/") {
            Some(name) => self.context.iter().find(|(member, _)| member == name),
            None => self.event.iter().find(|(member, _)| member == name),
        };
        rules?.1.pointer(&scope)
    }
}
