//! Which metadata can be searched, and as what text.
//!
//! Metadata are walked depth first in canonical order. Every text, number, true or false is a leaf; null is no value.
//! Elements of an array have the array's path. A leaf below the top-level key `raw`, one whose text is longer than
//! [`METADATA_VALUE_BYTES_MAX`] and one whose path is longer than [`MetadataPath::BYTES_MAX`] are passed over. Of what
//! remains, leaves at the first [`METADATA_PATHS_MAX`] distinct paths are searched.

use super::field::{MetadataPath, push_key};
use crate::{
    Event,
    json::{Value, write_canonical},
};

/// Paths of one event's metadata that are searched.
pub const METADATA_PATHS_MAX: usize = 64;
/// Longest text form of a searched metadata value, in bytes.
pub const METADATA_VALUE_BYTES_MAX: usize = 256;

/// Hands over the searched metadata of an event: the written form of each leaf's path ([`MetadataPath`]) and its text.
///
/// The text of a text is itself, of a number its canonical JSON, of a truth value `true` or `false`.
pub fn indexed_metadata(event: &Event<'_>, each: &mut dyn FnMut(&str, &str)) {
    if let Some(Value::Object(members)) = &event.metadata {
        let mut walk = Walk {
            path: String::new(),
            seen: Vec::new(),
            scratch: String::new(),
            each,
        };
        for (key, value) in members.iter().filter(|(key, _)| key != "raw") {
            walk.member(key, value);
        }
    }
}

/// Hands over the text of every leaf in a value; null has none.
pub(super) fn scalars(value: &Value<'_>, scratch: &mut String, each: &mut dyn FnMut(&str)) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| scalars(element, scratch, each)),
        Value::Object(members) => members.iter().for_each(|(_, member)| scalars(member, scratch, each)),
        leaf => text_form(leaf, scratch).into_iter().for_each(each),
    }
}

struct Walk<'w> {
    /// The keys of the path, each after a dot.
    path: String,
    /// The distinct paths so far; its length is what `METADATA_PATHS_MAX` bounds.
    seen: Vec<Box<str>>,
    scratch: String,
    each: &'w mut dyn FnMut(&str, &str),
}

impl Walk<'_> {
    fn member(&mut self, key: &str, value: &Value<'_>) {
        let length = self.path.len();
        push_key(&mut self.path, key);
        self.value(value);
        self.path.truncate(length);
    }

    fn value(&mut self, value: &Value<'_>) {
        match value {
            Value::Array(elements) => elements.iter().for_each(|element| self.value(element)),
            Value::Object(members) => members.iter().for_each(|(key, member)| self.member(key, member)),
            leaf => self.leaf(leaf),
        }
    }

    fn leaf(&mut self, leaf: &Value<'_>) {
        let Some(text) = text_form(leaf, &mut self.scratch) else {
            return;
        };
        let path = &self.path[1..];
        if text.len() > METADATA_VALUE_BYTES_MAX || path.len() > MetadataPath::BYTES_MAX {
            return;
        }
        if !self.seen.iter().rev().any(|seen| **seen == *path) {
            if self.seen.len() == METADATA_PATHS_MAX {
                return;
            }
            self.seen.push(path.into());
        }
        (self.each)(path, text);
    }
}

/// The text that a leaf is compared as; `None` for null and for what is not a leaf.
fn text_form<'t>(leaf: &'t Value<'_>, scratch: &'t mut String) -> Option<&'t str> {
    match leaf {
        Value::String(text) => Some(text),
        Value::Bool(true) => Some("true"),
        Value::Bool(false) => Some("false"),
        Value::Number(_) => {
            let mut digits = std::mem::take(scratch).into_bytes();
            digits.clear();
            write_canonical(leaf, &mut digits);
            *scratch = String::from_utf8(digits).unwrap_or_default();
            Some(scratch)
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
