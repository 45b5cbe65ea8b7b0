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
    fn translate(&self, record: &Value<'_>, bytes_max: usize) -> Result<Translated, Vec<Fault>> {
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
        let event = self
            .mapping
            .apply_one(self.organization, &record, &identity, bytes_max)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vocabulary;

    /// What every mapping of these tests begins with.
    const BEGINNING: &str = "
        [input.m]
        name = \"m\"
        event = { action = \"a.b\", occurred_at = \"/at\", organization = \"acme\", description = [\"/description\"] }
        context = { url = \"/url\" }
        actor = [{ type = \"user\", id = \"u_1\" }]
    ";

    fn translated(rules: &str, payload: &str, bytes_max: usize) -> Result<Translated, Vec<Fault>> {
        let vocabulary = Vocabulary::from_toml(&format!("{BEGINNING}{rules}")).expect("a catalog");
        let mapping = vocabulary.input("m").expect("the mapping");
        let text = format!("{{\"at\":\"2026-11-20T09:14:07Z\",{payload}}}");
        let record = trailbook_event::json::parse(&text, &Default::default()).expect("JSON");
        let organization = None;
        Call { mapping, organization }.translate(&record, bytes_max)
    }

    #[test]
    fn an_event_stops_growing_at_its_limit_whatever_repeats_a_large_value() {
        let note = "x".repeat(20_000);
        let elements = |of: &dyn Fn(usize) -> String| (0..300).map(of).collect::<Vec<_>>().join(",");
        let metadata: String = (0..100).map(|name| format!("m{name} = \"/note\"\n")).collect();
        let texts = format!("\"description\":\"{note}\",\"url\":\"{note}\"");
        let cases = [
            (
                format!("[input.m.metadata]\n{metadata}"),
                format!("\"note\":\"{note}\""),
            ),
            (
                "changes = [{ each = \"/list\", field = \"f\", after = \"/note\" }]".to_owned(),
                format!("\"note\":\"{note}\",\"list\":[{}]", elements(&|_| "0".to_owned())),
            ),
            (
                "targets = [{ each = \"/list\", type = \"t\", id = \"@\", name = \"/note\" }]".to_owned(),
                format!(
                    "\"note\":\"{note}\",\"list\":[{}]",
                    elements(&|index| index.to_string())
                ),
            ),
            (String::new(), texts.clone()),
            ("keep = \"metadata\"".to_owned(), texts),
        ];
        for (rules, payload) in cases {
            let refused = translated(&rules, &payload, 60_000);
            assert_eq!(refused, Err(vec![Translated::too_large(60_000)]), "{rules}");
        }
    }

    #[test]
    fn an_event_may_be_as_large_as_the_limit_and_what_is_there_twice_counts_once() {
        let repeated = format!("\"list\":[{}0]", "0,".repeat(9_999));
        let rules = "targets = [{ each = \"/list\", type = \"thing\", id = \"@\" }]
            [input.m.metadata]
            first = \"/list/0\"";
        let whole = translated(rules, &repeated, 1 << 20).expect("one target");
        let bytes = whole.event.text_bytes();
        assert_eq!(translated(rules, &repeated, bytes), Ok(whole));
        assert!(translated(rules, &repeated, bytes / 2).is_err());
    }
}
