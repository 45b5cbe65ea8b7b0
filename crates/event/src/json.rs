//! Strict JSON: what Trailbook reads from strangers, and the one canonical way of writing it back.
//!
//! Reading borrows from the text wherever no escape is in the way, never recurses deeper than [`DEPTH_CEILING`], and tells
//! text that is not JSON ([`ErrorKind::Syntax`]) from JSON that Trailbook will not keep ([`ErrorKind::Refused`]).
//!
//! Invariants
//! - `parse(write_canonical(v))` gives back `v` with sorted keys, and writing that again gives the same bytes (RFC 8785).
//! - A parsed value holds no key twice, no NUL, no lone surrogate, and no number whose canonical form is an integer
//!   beyond ±(2^53−1).
//!
//! Not here: what members an event has (admit).
//! See docs/formats/event.md.

mod number;
mod read;
mod skip;
mod string;
mod write;

use std::borrow::Cow;

use crate::{Fault, Pointer};

pub(crate) use read::{Path, Reader, Stop};
pub use write::{write_canonical, write_string};

/// The deepest nesting that any setting allows; a larger `depth_max` counts as this, so that no input exhausts the stack.
pub const DEPTH_CEILING: usize = 128;

/// 2^53 − 1, the largest integer that every JSON implementation keeps exactly.
pub const INTEGER_MAX: f64 = 9_007_199_254_740_991.0;

/// How many faults a reader remembers; further ones are only counted.
pub(crate) const FAULTS_MAX: usize = 100;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// null
    Null,
    /// true or false
    Bool(bool),
    /// A finite number whose canonical form is not an integer beyond ±(2^53−1).
    Number(f64),
    /// Text without NUL or lone surrogates.
    String(Cow<'a, str>),
    /// A list.
    Array(Vec<Value<'a>>),
    /// An object, in the order in which its members were read; no key twice.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl Value<'_> {
    /// The same value, borrowing every text from this one.
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(truth) => Value::Bool(*truth),
            Value::Number(number) => Value::Number(*number),
            Value::String(text) => Value::String(Cow::Borrowed(text)),
            Value::Array(items) => Value::Array(items.iter().map(Value::borrowed).collect()),
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, value)| (Cow::Borrowed(key.as_ref()), value.borrowed()))
                    .collect(),
            ),
        }
    }

    /// The member of an object, or `None` when there is none or this is no object.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Value::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Bytes of all its texts and keys, and at least one for every other value: about its length as JSON, at the least.
    pub fn text_bytes(&self) -> usize {
        match self {
            Value::Null | Value::Bool(_) | Value::Number(_) => 1,
            Value::String(text) => text.len() + 2,
            Value::Array(items) => 2 + items.iter().map(Value::text_bytes).sum::<usize>(),
            Value::Object(members) => {
                2 + members
                    .iter()
                    .map(|(key, value)| key.len() + 4 + value.text_bytes())
                    .sum::<usize>()
            }
        }
    }

    /// What this is, as a noun with its article, for sentences: `a text`, `null`.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        }
    }
}

/// Bounds of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many objects and lists may be nested, the outermost counting as one; at most [`DEPTH_CEILING`].
    pub depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth_max: 32 }
    }
}

/// Why a text was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// It is not JSON.
    Syntax,
    /// It is JSON, but says something that Trailbook does not keep.
    Refused,
}

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Not JSON, or not acceptable.
    pub kind: ErrorKind,
    /// The byte at which it was noticed, from 0.
    pub offset: usize,
    /// The value in which it was noticed.
    pub pointer: Pointer,
    /// A sentence for the sender.
    pub detail: String,
}

impl std::error::Error for Error {}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} offset={} pointer={}",
            self.detail, self.offset, self.pointer
        )
    }
}

/// Reads one JSON text; only whitespace may surround it.
///
/// # Errors
/// `Syntax` with the first offending byte; otherwise `Refused` with the first thing that Trailbook does not keep.
pub fn parse<'a>(text: &'a str, limits: &Limits) -> Result<Value<'a>, Error> {
    let mut reader = Reader::new(text, limits);
    reader.check_byte_order_mark()?;
    reader.skip_whitespace();
    let start = reader.at();
    let value = match reader.value(&Path::Root) {
        Ok(value) => value,
        Err(Stop::Syntax(error)) => return Err(*error),
        Err(Stop::TooDeep(refused)) => {
            reader.skip_from(start)?;
            reader.end()?;
            return Err(*refused);
        }
        Err(Stop::TooLarge) => unreachable!("no size limit was set"),
    };
    reader.end()?;
    match reader.take_refusals().first {
        Some(refused) => Err(refused),
        None => Ok(value),
    }
}

/// Like [`parse`], for bytes that nobody has looked at yet: they must be UTF-8.
///
/// # Errors
/// As [`parse`]; bytes that are not UTF-8 are `Syntax`.
pub fn parse_bytes<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Value<'a>, Error> {
    parse(validate_utf8(bytes)?, limits)
}

/// The bytes as text.
pub(crate) fn validate_utf8(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(|error| Error {
        kind: ErrorKind::Syntax,
        offset: error.valid_up_to(),
        pointer: Pointer::root(),
        detail: "The body is not UTF-8 from this byte on; encode it as UTF-8.".into(),
    })
}

/// What a reader refused in one value: the first with its offset, all (up to a bound) as faults, and how many in all.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    pub(crate) first: Option<Error>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) count: usize,
}

impl Refusals {
    fn push(&mut self, error: Error) {
        self.count += 1;
        if self.faults.len() < FAULTS_MAX {
            self.faults
                .push(Fault::new(error.pointer.clone(), error.detail.clone()));
        }
        if self.first.is_none() {
            self.first = Some(error);
        }
    }
}
