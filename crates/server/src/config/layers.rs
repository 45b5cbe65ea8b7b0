//! One layer of settings: names and texts of one origin (command line, environment, file), not yet understood.
//!
//! Not here: which layer wins, and what the texts mean (`config`).

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::NAMES;

/// A text that was given for a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sourced {
    /// Where it comes from, such as `TRAILBOOK_DATA` or `trailbook.toml, line 3, data`.
    pub(super) source: String,
    /// The text, which may be a secret.
    pub(super) value: String,
}

/// What one origin says of the settings, and what is wrong with how it says it.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    pub(super) given: BTreeMap<&'static str, Sourced>,
    pub(super) faults: Vec<String>,
}

impl Layer {
    /// The flags of the command line; `None` values were not given.
    pub(super) fn flags(given: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Self {
        let flag = |name: &str| format!("--{}", name.replace('_', "-"));
        let given = given.into_iter();
        Self::of(given.filter_map(|(name, value)| Some((name, flag(name), value?))))
    }

    /// The variables `TRAILBOOK_*`, looked up by `variable`; an empty one is none.
    pub(super) fn environment(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        Self::of(NAMES.into_iter().filter_map(|name| {
            let key = format!("TRAILBOOK_{}", name.to_ascii_uppercase());
            let value = variable(&key).filter(|value| !value.is_empty())?;
            Some((name, key, value))
        }))
    }

    /// The text of a TOML file called `path`.
    pub(super) fn file(path: &str, text: &str) -> Self {
        let at = |offset: usize| format!("{path}, line {}", 1 + text[..offset].matches('\n').count());
        let mut layer = Self::default();
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                let place = at(error.span().map_or(0, |span| span.start));
                return Self::fault(format!("{place}: {}.", error.message().trim_end_matches('.')));
            }
        };
        for (key, value) in table.get_ref() {
            let (place, key) = (at(key.span().start), key.get_ref().as_ref());
            match (NAMES.into_iter().find(|name| *name == key), plain(value.get_ref())) {
                (None, _) => layer
                    .faults
                    .push(format!("{place}: unknown key {key:?}{}", suggestion(key))),
                (Some(_), None) => layer.faults.push(format!(
                    "{place}: {key} must be a string, a whole number, true or false."
                )),
                (Some(name), Some(value)) => {
                    let source = format!("{place}, {name}");
                    layer.given.insert(name, Sourced { source, value });
                }
            }
        }
        layer
    }

    /// A layer that says nothing, but that it could not be had.
    pub(super) fn fault(sentence: String) -> Self {
        Self {
            faults: vec![sentence],
            ..Self::default()
        }
    }

    /// What an origin without names of its own knows.
    pub(super) fn of(given: impl Iterator<Item = (&'static str, String, String)>) -> Self {
        Self {
            given: given
                .map(|(name, source, value)| (name, Sourced { source, value }))
                .collect(),
            faults: Vec::new(),
        }
    }
}

fn plain(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(|n| n.to_string()),
        _ => None,
    }
}

/// `; did you mean …?` when a known name is near.
fn suggestion(key: &str) -> String {
    let nearest = NAMES.into_iter().map(|name| (distance(key, name), name)).min();
    match nearest {
        Some((steps, name)) if steps <= 1 + key.len() / 3 => format!("; did you mean {name:?}?"),
        _ => format!("; the known keys are {}.", NAMES.join(", ")),
    }
}

/// Levenshtein's distance between two short names.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, character) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for column in 0..right.len() {
            let replaced = diagonal + usize::from(character != right[column]);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
