//! Checking single members: types, lengths, and the sentences that say what is wrong.

use std::borrow::Cow;

use super::Admission;
use crate::{
    Fault, Timestamp,
    json::{Path, Value},
};

/// What a text may be.
#[derive(Clone, Copy)]
pub(super) struct TextRule {
    chars_max: usize,
    empty_allowed: bool,
}

impl TextRule {
    /// A name, a number or a word that something is found by: never empty.
    pub(super) const fn key(chars_max: usize) -> Self {
        Self {
            chars_max,
            empty_allowed: false,
        }
    }

    /// A text for people: kept as sent, even when empty.
    pub(super) const fn prose(chars_max: usize) -> Self {
        Self {
            chars_max,
            empty_allowed: true,
        }
    }
}

/// Collects the faults of one event.
pub(super) struct Checker<'c> {
    pub(super) admission: &'c Admission<'c>,
    pub(super) faults: Vec<Fault>,
}

impl Checker<'_> {
    #[cold]
    pub(super) fn fault(&mut self, path: &Path<'_>, detail: impl Into<String>) {
        self.faults.push(Fault::new(path.pointer(), detail));
    }

    #[cold]
    pub(super) fn wrong_type(&mut self, path: &Path<'_>, wanted: &str, found: &Value<'_>) {
        let quotes = if wanted == "a text" && matches!(found, Value::Number(_)) {
            " in double quotes"
        } else {
            ""
        };
        self.fault(path, format!("This is {}; send {wanted}{quotes}.", found.kind()));
    }

    #[cold]
    pub(super) fn missing(&mut self, path: &Path<'_>, what: &str) {
        self.fault(path, format!("This is required; send {what}."));
    }

    #[cold]
    pub(super) fn unknown(&mut self, path: &Path<'_>, owner: &str, known: &str) {
        let hint = match (path, owner) {
            (Path::Key(_, "id"), "an event") => "your own id of an event is `client_id`",
            (Path::Key(_, "timestamp" | "time" | "date" | "created_at"), "an event") => {
                "the time of an event is `occurred_at`"
            }
            (Path::Key(_, "ip" | "user_agent" | "url" | "referrer"), "an event") => "it belongs in `context`",
            (Path::Key(_, "target"), "an event") => "targets are a list, `targets`",
            (Path::Key(_, "events"), "an event") => "a batch is `{\"events\":[…]}` and nothing else",
            _ => "put it in `metadata`, or leave it out",
        };
        self.fault(
            path,
            format!("This is no member of {owner} (those are {known}); {hint}."),
        );
    }

    /// A text that may be null.
    #[inline(always)]
    pub(super) fn text<'v>(&mut self, value: Value<'v>, path: &Path<'_>, rule: TextRule) -> Option<Cow<'v, str>> {
        match value {
            Value::String(text) => self.check_text(&text, path, rule).then_some(text),
            Value::Null => None,
            other => {
                self.wrong_type(path, "a text", &other);
                None
            }
        }
    }

    /// A text that must be there.
    #[inline]
    pub(super) fn required_text<'v>(
        &mut self,
        value: Value<'v>,
        path: &Path<'_>,
        rule: TextRule,
    ) -> Option<Cow<'v, str>> {
        if value == Value::Null {
            self.wrong_type(path, "a text", &value);
            return None;
        }
        self.text(value, path, rule)
    }

    #[inline]
    fn check_text(&mut self, text: &str, path: &Path<'_>, rule: TextRule) -> bool {
        if text.is_empty() && !rule.empty_allowed {
            self.fault(
                path,
                "This is empty; send what it is, or leave it out where it is optional.",
            );
            return false;
        }
        // A character takes at least one byte, so most texts need no counting.
        if text.len() > rule.chars_max && text.chars().count() > rule.chars_max {
            self.fault(
                path,
                format!(
                    "This is longer than {} characters; shorten it, or put it in `metadata`.",
                    rule.chars_max
                ),
            );
            return false;
        }
        true
    }

    pub(super) fn truth(&mut self, value: Value<'_>, path: &Path<'_>) -> Option<bool> {
        match value {
            Value::Bool(truth) => Some(truth),
            Value::Null => None,
            other => {
                self.wrong_type(path, "true or false", &other);
                None
            }
        }
    }

    /// The members of an object that may be null.
    pub(super) fn members<'v>(&mut self, value: Value<'v>, path: &Path<'_>) -> Option<Vec<(Cow<'v, str>, Value<'v>)>> {
        match value {
            Value::Object(members) => Some(members),
            Value::Null => None,
            other => {
                self.wrong_type(path, "an object", &other);
                None
            }
        }
    }

    /// The elements of a list that may be null.
    pub(super) fn list<'v>(&mut self, value: Value<'v>, path: &Path<'_>, count_max: usize) -> Vec<Value<'v>> {
        match value {
            Value::Array(items) if items.len() <= count_max => items,
            Value::Array(items) => {
                let detail = format!(
                    "These are {}, more than {count_max}; send several events that share a `trace_id`.",
                    items.len()
                );
                self.fault(path, detail);
                Vec::new()
            }
            Value::Null => Vec::new(),
            other => {
                self.wrong_type(path, "a list", &other);
                Vec::new()
            }
        }
    }

    pub(super) fn occurred_at(&mut self, value: Value<'_>, path: &Path<'_>) -> Option<Timestamp> {
        let text = self.text(value, path, TextRule::prose(usize::MAX))?;
        let Some(point) = Timestamp::parse(&text) else {
            self.not_a_time(&text, path);
            return None;
        };
        let ahead_ms_max = self.admission.limits.ahead_ms_max;
        if point.millis().saturating_sub(self.admission.now.millis()) > ahead_ms_max {
            let hours = ahead_ms_max / 3_600_000;
            let now = self.admission.now;
            self.fault(
                path,
                format!("This is more than {hours} hours ahead of the time of receipt, {now}; send when it happened."),
            );
            return None;
        }
        Some(point)
    }

    #[cold]
    fn not_a_time(&mut self, text: &str, path: &Path<'_>) {
        let detail = if Timestamp::parse(&format!("{text}Z")).is_some() {
            "This is a local time; add its offset from UTC, as in 2026-11-20T09:14:07.482+01:00, or Z."
        } else {
            "This is no time as RFC 3339 writes it; send it like 2026-11-20T09:14:07.482Z, in the years 0001 to 9999."
        };
        self.fault(path, detail);
    }
}
