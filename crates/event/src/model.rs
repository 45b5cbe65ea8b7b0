//! The event as a value: what admission fills in, what filters, descriptions and tables read.
//!
//! Invariants
//! - `Event::parse(&event.to_parts())` gives the event back (keys inside metadata and changes sorted).
//!
//! Not here: what a sender may leave out or must not send (admit).
//! See docs/formats/event.md.

mod read;
mod write;

use std::borrow::Cow;

use crate::{Part, Timestamp, json::Value};

/// One event. Unset fields are `None`, lists are empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Event<'a> {
    /// The customer of the project whose ledger the event belongs to.
    pub organization: Cow<'a, str>,
    /// The sender's own id of the event.
    pub client_id: Option<Cow<'a, str>>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What was done; the key of the catalog.
    pub action: Cow<'a, str>,
    /// create, read, update, delete, … or the catalog's own word.
    pub action_type: Cow<'a, str>,
    /// The product area.
    pub area: Option<Cow<'a, str>>,
    /// The product.
    pub product: Option<Cow<'a, str>>,
    /// The sentence, frozen at admission.
    pub description: Option<Cow<'a, str>>,
    /// Whether the action matters for security.
    pub security: bool,
    /// success, failure or denied.
    pub result: Cow<'a, str>,
    /// Joins the events of one operation.
    pub trace_id: Option<Cow<'a, str>>,
    /// Who did it.
    pub actor: Actor<'a>,
    /// What it was done to.
    pub targets: Vec<Target<'a>>,
    /// Where it came from.
    pub context: Context<'a>,
    /// Field by field, before and after.
    pub changes: Vec<Change<'a>>,
    /// Any JSON object of the sender, or `None`.
    pub metadata: Option<Value<'a>>,
    /// Further text passed along.
    pub message: Option<Cow<'a, str>>,
}

/// Who did it. `id` is present unless `kind` is `system`, `anonymous` or `unknown`.
#[derive(Debug, Clone, PartialEq)]
pub struct Actor<'a> {
    /// `type` on the wire: user, service, system, anonymous, unknown or the product's own word.
    pub kind: Cow<'a, str>,
    /// The product's id of the actor.
    pub id: Option<Cow<'a, str>>,
    /// Display name.
    pub name: Option<Cow<'a, str>>,
    /// E-mail address.
    pub email: Option<Cow<'a, str>>,
    /// Team or group.
    pub team: Option<Cow<'a, str>>,
}

/// Something that the action was done to; has an id or a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Target<'a> {
    /// `type` on the wire.
    pub kind: Cow<'a, str>,
    /// The product's id of the target.
    pub id: Option<Cow<'a, str>>,
    /// Display name.
    pub name: Option<Cow<'a, str>>,
    /// E-mail address.
    pub email: Option<Cow<'a, str>>,
}

/// Where the action came from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Context<'a> {
    /// IPv4 or IPv6 address, as sent.
    pub ip: Option<Cow<'a, str>>,
    /// User agent.
    pub user_agent: Option<Cow<'a, str>>,
    /// URL of the request or page.
    pub url: Option<Cow<'a, str>>,
    /// Where that page was reached from.
    pub referrer: Option<Cow<'a, str>>,
}

/// One changed field. `None` means that the value did not exist, `Some(Value::Null)` that it was null.
#[derive(Debug, Clone, PartialEq)]
pub struct Change<'a> {
    /// The field's name.
    pub field: Cow<'a, str>,
    /// The value before.
    pub before: Option<Value<'a>>,
    /// The value after.
    pub after: Option<Value<'a>>,
}

/// The bytes of a part are not what this crate writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartsError {
    /// The part.
    pub part: Part,
    /// The first byte that is not as it should be, counted from the beginning of the first part.
    pub offset: usize,
}

impl std::error::Error for PartsError {}

impl std::fmt::Display for PartsError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "the event's bytes are not canonical part={} offset={}",
            self.part.name(),
            self.offset
        )
    }
}
