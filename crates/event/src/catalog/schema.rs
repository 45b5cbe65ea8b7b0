//! JSON Schema (2020-12) of an action's metadata. Nothing is fetched: references stay inside the schema.

use jsonschema::{Draft, PatternOptions, Validator};

use crate::{Fault, Pointer, json};

/// Complaints about one event's metadata; further ones are not looked for.
const COMPLAINTS_MAX: usize = 20;
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A compiled schema.
#[derive(Debug)]
pub struct MetadataSchema {
    written: serde_json::Value,
    validator: Validator,
}

impl MetadataSchema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// Every fault: the place inside the schema as a JSON pointer, and a sentence.
    pub(super) fn compile(schema: &json::Value<'_>) -> Result<Self, Vec<(String, String)>> {
        let written = plain(schema);
        if let Some(dialect) = written.get("$schema").filter(|dialect| **dialect != DIALECT) {
            return Err(vec![(
                "/$schema".to_owned(),
                format!("schemas are JSON Schema 2020-12, not {dialect}"),
            )]);
        }
        let faults: Vec<_> = jsonschema::draft202012::meta::validator()
            .iter_errors(&written)
            .map(|error| (error.instance_path().as_str().to_owned(), error.to_string()))
            .collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        let options = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex());
        match options.offline().build(&written) {
            Ok(validator) => Ok(Self { written, validator }),
            Err(error) => Err(vec![(String::new(), format!("the schema does not compile: {error}"))]),
        }
    }

    /// The schema as it was written.
    pub fn written(&self) -> &serde_json::Value {
        &self.written
    }

    /// What the schema has against metadata; none at all count as an empty object. `at` is the metadata's place.
    pub(super) fn complaints(&self, metadata: Option<&json::Value<'_>>, at: &Pointer) -> Vec<Fault> {
        let metadata = metadata.map_or_else(|| serde_json::Value::Object(serde_json::Map::new()), plain);
        let complaints = self.validator.iter_errors(&metadata).take(COMPLAINTS_MAX).map(|error| {
            let place = error
                .instance_path()
                .as_str()
                .split('/')
                .skip(1)
                .fold(at.clone(), |place, token| {
                    place.child(&token.replace("~1", "/").replace("~0", "~"))
                });
            Fault::new(
                place,
                format!(
                    "the catalog's schema of this action says: {}",
                    error.masked_with("the value")
                ),
            )
        });
        complaints.collect()
    }
}

fn plain(value: &json::Value<'_>) -> serde_json::Value {
    match value {
        json::Value::Null => serde_json::Value::Null,
        json::Value::Bool(truth) => (*truth).into(),
        // Whole numbers become integers, exact up to 2^53, so that messages and `multipleOf` see them as written.
        json::Value::Number(number) if number.fract() == 0.0 && number.abs() <= json::INTEGER_MAX => {
            (*number as i64).into()
        }
        json::Value::Number(number) => (*number).into(),
        json::Value::String(text) => text.as_ref().into(),
        json::Value::Array(elements) => elements.iter().map(plain).collect(),
        json::Value::Object(members) => members
            .iter()
            .map(|(key, member)| (key.clone().into_owned(), plain(member)))
            .collect(),
    }
}
