//! A catalog with its mappings: what one file says of a project's events, in our form and in foreign ones.
//!
//! Invariant: a `Vocabulary` is whole; reading reports the faults of the catalog and of every mapping at once.
//!
//! Not here: what a catalog is (`trailbook_event::catalog`), where catalogs are kept (server). See docs/catalog.md.

use std::{collections::BTreeMap, sync::Arc};

use trailbook_event::{
    catalog::{Catalog, CatalogFault, Document, Place},
    json::Value,
};

use crate::mapping::{Mapping, Output};

/// The members of a catalog that hold mappings.
const MAPPINGS: [&str; 2] = ["input", "output"];

/// A catalog and its mappings by name.
#[derive(Debug, Default)]
pub struct Vocabulary {
    /// The catalog.
    pub catalog: Arc<Catalog>,
    inputs: BTreeMap<String, Mapping>,
    outputs: BTreeMap<String, Arc<Output>>,
}

impl Vocabulary {
    /// Reads a catalog with its mappings, written in TOML.
    ///
    /// # Errors
    /// Every fault, with its path and line.
    pub fn from_toml(text: &str) -> Result<Self, Vec<CatalogFault>> {
        let document = Document::from_toml(text)?;
        Self::read(&document, &document.root())
    }

    /// Reads a catalog with its mappings, written in JSON of the same shape.
    ///
    /// # Errors
    /// Every fault, with its path.
    pub fn from_json(text: &str) -> Result<Self, Vec<CatalogFault>> {
        let document = Document::from_json(text)?;
        Self::read(&document, &document.root())
    }

    /// Reads the catalog that stands at a place of a document.
    ///
    /// # Errors
    /// Every fault, with its path in the document and, in TOML, its line.
    pub fn read(document: &Document<'_>, at: &Place<'_>) -> Result<Self, Vec<CatalogFault>> {
        let mut faults = Vec::new();
        let catalog = Catalog::read(document, at, &MAPPINGS);
        let catalog = catalog.map_err(|found| faults.extend(found)).unwrap_or_default();
        let inputs = named(document, at, "input", Mapping::of_call, &mut faults);
        let outputs = named(document, at, "output", Output::read, &mut faults);
        if !faults.is_empty() {
            faults.sort_by_key(|fault| fault.line);
            return Err(faults);
        }
        Ok(Self {
            catalog: Arc::new(catalog),
            inputs,
            outputs: outputs
                .into_iter()
                .map(|(name, output)| (name, Arc::new(output)))
                .collect(),
        })
    }

    /// The mapping that makes events of payloads.
    pub fn input(&self, name: &str) -> Option<&Mapping> {
        self.inputs.get(name)
    }

    /// The mapping that makes payloads of events.
    pub fn output(&self, name: &str) -> Option<&Arc<Output>> {
        self.outputs.get(name)
    }

    /// The names of all input mappings.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.inputs.keys().map(String::as_str)
    }

    /// The names of all output mappings.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.outputs.keys().map(String::as_str)
    }
}

/// Reads each member of the table at `key`.
fn named<T>(
    document: &Document<'_>,
    catalog: &Place<'_>,
    key: &str,
    read: impl Fn(&Document<'_>, &Place<'_>) -> Result<T, Vec<CatalogFault>>,
    faults: &mut Vec<CatalogFault>,
) -> BTreeMap<String, T> {
    let Some(table) = catalog.member(key) else {
        return BTreeMap::new();
    };
    let Value::Object(members) = table.value else {
        let detail = format!("this must be a table of mappings, not {}", table.value.kind());
        faults.push(document.fault(&table.path, detail));
        return BTreeMap::new();
    };
    let places = members.iter().filter_map(|(name, _)| Some((name, table.member(name)?)));
    let mappings = places.filter_map(|(name, place)| match read(document, &place) {
        Ok(mapping) => Some((name.to_string(), mapping)),
        Err(found) => {
            faults.extend(found);
            None
        }
    });
    mappings.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_catalog_and_mappings_is_named_with_its_line() {
        let text = "\
[[areas]]
id = \"doors\"
name = \"Doors\"
why = \"Doors let people in.\"

[[actions]]
id = \"door.opened\"
name = \"Opened\"
area = \"dors\"

[input.doors]
records = \"/rows\"
keep = \"all\"
event = { action = \"/kind\", client_id = \"{@hash}-{@occurrence}\" }

[output.doors]
rest = \"metadata\"
payloads = [{ fields = { kind = 7 } }]
";
        let faults = Vocabulary::from_toml(text).expect_err("faulty");
        let places: Vec<(&str, Option<usize>)> = faults.iter().map(|fault| (fault.path.as_str(), fault.line)).collect();
        let expected = [
            ("actions[0].area", Some(9)),
            ("input.doors.name", Some(11)),
            ("input.doors.actor", Some(11)),
            ("input.doors.records", Some(12)),
            ("input.doors.keep", Some(13)),
            ("input.doors.event", Some(14)),
            ("input.doors.event.client_id", Some(14)),
            ("output.doors.rest", Some(17)),
            ("output.doors.payloads[0].fields.kind", Some(18)),
            ("output.doors.payloads[0].action", Some(18)),
        ];
        assert_eq!(places, expected, "{faults:#?}");
        assert!(Vocabulary::from_json(r#"{"input":{"doors":{}}}"#).is_err());
        assert!(Vocabulary::from_json(r#"{"input":[]}"#).is_err());
    }

    #[test]
    fn an_area_says_why_for_actions_that_do_not() {
        let text = r#"{"areas":[{"id":"a","name":"A","why":"Because."}],
            "actions":[{"id":"x","name":"X","area":"a"},{"id":"y","name":"Y","area":"a","why":"Else."},{"id":"z","name":"Z"}]}"#;
        let vocabulary = Vocabulary::from_json(text).expect("whole");
        let why = |id| vocabulary.catalog.action(id).and_then(|action| action.why.as_deref());
        assert_eq!((why("x"), why("y"), why("z")), (Some("Because."), Some("Else."), None));
    }
}
