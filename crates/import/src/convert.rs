//! Foreign records, read without loss into what Trailbook keeps.
//!
//! Invariants
//! - The smallest value that strict reading refuses (an integer beyond ±(2^53−1), a text with NUL or half a surrogate
//!   pair, an object with a key twice, what is nested too deep) is held as a text: its own JSON. Nothing else changes.
//! - Every such place is named in `converted`.
//!
//! Not here: strict reading itself (`trailbook_event::json`).

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use trailbook_event::{
    Pointer,
    json::{self, ErrorKind, Limits, Value},
};

/// How deep a record may nest when it stands at `/metadata/raw` of an event of depth 32.
pub(crate) const DEPTH_MAX: usize = 30;

/// A record as Trailbook keeps it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Converted<'a> {
    /// The record.
    pub(crate) value: Value<'a>,
    /// The places that hold their own JSON as text.
    pub(crate) converted: Vec<Pointer>,
}

/// Reads one JSON text.
///
/// # Errors
/// A sentence, when the text is not JSON.
pub(crate) fn read(text: &str) -> Result<Converted<'_>, String> {
    let mut converted = Vec::new();
    let value = read_at(text, DEPTH_MAX, Pointer::root(), &mut converted)?;
    Ok(Converted { value, converted })
}

fn read_at<'a>(
    text: &'a str,
    depth_max: usize,
    at: Pointer,
    converted: &mut Vec<Pointer>,
) -> Result<Value<'a>, String> {
    match json::parse(text, &Limits { depth_max }) {
        Ok(value) => return Ok(value),
        Err(error) if error.kind == ErrorKind::Syntax => {
            return Err(format!("This is not JSON: {} (byte {})", error.detail, error.offset));
        }
        Err(_) => {}
    }
    if depth_max > 0 {
        if let Some(items) = items(text) {
            let read =
                |(index, item): (usize, &'a RawValue)| read_at(item.get(), depth_max - 1, at.index(index), converted);
            return items
                .into_iter()
                .enumerate()
                .map(read)
                .collect::<Result<_, _>>()
                .map(Value::Array);
        }
        if let Some(members) = members(text) {
            let read = |(key, value): (Cow<'a, str>, &'a RawValue)| {
                let value = read_at(value.get(), depth_max - 1, at.child(&key), converted)?;
                Ok((key, value))
            };
            return members
                .into_iter()
                .map(read)
                .collect::<Result<_, String>>()
                .map(Value::Object);
        }
    }
    converted.push(at);
    Ok(Value::String(Cow::Borrowed(text.trim())))
}

/// The elements of a list, unread; `None` when this is no list.
pub(crate) fn items(text: &str) -> Option<Vec<&RawValue>> {
    text.trim_start()
        .starts_with('[')
        .then(|| serde_json::from_str(text).ok())?
}

/// The members of an object, values unread; `None` when this is no object or its keys cannot be kept.
pub(crate) fn members(text: &str) -> Option<Vec<(Cow<'_, str>, &RawValue)>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let Members(members) = serde_json::from_str(text).ok()?;
    let mut seen = HashSet::with_capacity(members.len());
    let keepable = members
        .iter()
        .all(|(key, _)| !key.contains('\0') && seen.insert(key.as_ref()));
    keepable.then_some(members)
}

/// An object as the list of its members, a repeated key included.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    members.push((Cow::Owned(key), value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// The same value, owning its texts.
pub(crate) fn into_owned(value: Value<'_>) -> Value<'static> {
    let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    match value {
        Value::Null => Value::Null,
        Value::Bool(truth) => Value::Bool(truth),
        Value::Number(number) => Value::Number(number),
        Value::String(text) => Value::String(owned(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(into_owned).collect()),
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(key, value)| (owned(key), into_owned(value)))
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str, places: &[&str]) {
        let read = read(text).expect("JSON");
        let mut canonical = Vec::new();
        json::write_canonical(&read.value, &mut canonical);
        assert_eq!(String::from_utf8(canonical).expect("UTF-8"), expected);
        assert_eq!(read.converted.iter().map(Pointer::as_str).collect::<Vec<_>>(), places);
    }

    #[test]
    fn what_is_kept_is_unchanged() {
        check(r#"{"b":[1,null,"é"],"a":true}"#, r#"{"a":true,"b":[1,null,"é"]}"#, &[]);
    }

    #[test]
    fn large_integers_become_text_where_they_stand() {
        check(
            r#"{"k":-9218868437227405312,"s":[9007199254740992,1]}"#,
            r#"{"k":"-9218868437227405312","s":["9007199254740992",1]}"#,
            &["/k", "/s/0"],
        );
    }

    #[test]
    fn texts_with_nul_or_half_a_pair_become_their_own_json() {
        check(
            r#"{"n":"a\u0000b","l":"\ud800"}"#,
            r#"{"l":"\"\\ud800\"","n":"\"a\\u0000b\""}"#,
            &["/n", "/l"],
        );
    }

    #[test]
    fn an_object_with_a_key_twice_becomes_its_own_json() {
        check(r#"{"o":{"k":1,"k":2}}"#, r#"{"o":"{\"k\":1,\"k\":2}"}"#, &["/o"]);
    }

    #[test]
    fn what_is_nested_too_deep_becomes_its_own_json() {
        let text = format!("{}1{}", "[".repeat(DEPTH_MAX + 2), "]".repeat(DEPTH_MAX + 2));
        let read = read(&text).expect("JSON");
        assert_eq!(read.converted.len(), 1);
        assert_eq!(read.converted[0].as_str(), "/0".repeat(DEPTH_MAX));
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        assert!(read("{\"a\":").is_err());
    }
}
