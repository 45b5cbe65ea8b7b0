//! An event while it is built: how much it may still hold, and what keeps it from becoming one.
//!
//! Invariants
//! - Nothing is copied into an event before its bytes are counted, so that a draft holds at most `bytes_max` of them
//!   (as [`Value::text_bytes`] counts) however often the rules repeat a large value.
//!
//! Not here: what is copied (apply).

use std::borrow::Cow;

use trailbook_event::{Fault, Translated, json::Value};

use crate::convert;

/// A member of an event.
pub(super) type Member = (Cow<'static, str>, Value<'static>);

/// The event would be larger than one may be; building it stops.
#[derive(Debug)]
pub(super) struct Full;

/// What is known of an event while it is built.
#[derive(Debug)]
pub(super) struct Draft {
    /// What the whole event may have.
    bytes_max: usize,
    /// What of it is free.
    left: usize,
    /// What keeps the record from becoming an event.
    pub(super) faults: Vec<Fault>,
}

impl Draft {
    /// An event of at most so many bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            left: bytes_max,
            faults: Vec::new(),
        }
    }

    /// Counts bytes that are about to be held.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Full> {
        self.left = self.left.checked_sub(bytes).ok_or(Full)?;
        Ok(())
    }

    /// A member that holds a text.
    pub(super) fn text(&mut self, name: &str, text: Cow<'_, str>) -> Result<Member, Full> {
        self.take(name.len() + 4 + text.len() + 2)?;
        Ok((name.to_owned().into(), Value::String(Cow::Owned(text.into_owned()))))
    }

    /// A member that holds a copy of a value.
    pub(super) fn value(&mut self, name: &str, value: &Value<'_>) -> Result<Member, Full> {
        self.take(name.len() + 4 + value.text_bytes())?;
        Ok((name.to_owned().into(), convert::into_owned(value.borrowed())))
    }

    /// The event, or everything that keeps the record from becoming one.
    pub(super) fn finish(mut self, built: Result<Vec<Member>, Full>) -> Result<Value<'static>, Vec<Fault>> {
        match built {
            Ok(members) if self.faults.is_empty() => return Ok(Value::Object(members)),
            Ok(_) => {}
            Err(Full) => self.faults.push(Translated::too_large(self.bytes_max)),
        }
        Err(self.faults)
    }
}
