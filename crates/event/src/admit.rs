//! Admission: from what a sender sent to canonical bytes, or to every fault at once. The first stage of an event's life.
//!
//! Invariants
//! - Nothing is guessed: an unknown member, a wrong type or a text that is too long is a fault with a pointer and a remedy.
//! - All faults of an event are found, not only the first; an event is admitted whole or not at all.
//! - The same input, `now` and catalog give the same bytes.
//!
//! Not here: who may send (server), duplicates (ledger), the catalog's own rules (behind [`Defaults`]).
//! See docs/formats/event.md.

mod body;
mod defaults;
mod event;
mod members;
mod translate;

use std::net::IpAddr;

pub use body::{Form, Refusal, admit_body, translate_body};
pub use defaults::{ActionDefaults, Defaults, NoCatalog};
use sha2::{Digest, Sha256};
pub use translate::{Translated, Translation};

use crate::{
    Event, Fault, Parts, Pointer, Timestamp,
    json::{self, Path, Value, write_canonical},
};

/// How large things may be. Every limit is inclusive: what reaches it is accepted, what is beyond is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one event's JSON as sent, from its opening to its closing brace. At most 256 MiB make sense.
    pub event_bytes_max: usize,
    /// Nested objects and lists in one event, the event itself counting as one; at most [`json::DEPTH_CEILING`].
    pub depth_max: usize,
    /// Events in one body.
    pub events_max: usize,
    /// Targets of one event.
    pub targets_max: usize,
    /// Changes of one event.
    pub changes_max: usize,
    /// Characters (Unicode scalar values) of `client_id`.
    pub client_id_chars_max: usize,
    /// Characters of an organization's name.
    pub organization_chars_max: usize,
    /// Characters of `action`, `action_type`, `area`, `product`, `trace_id` and every `type`.
    pub word_chars_max: usize,
    /// Characters of ids, names, e-mail addresses, teams and the names of changed fields.
    pub name_chars_max: usize,
    /// How far `occurred_at` may lie ahead of the time of receipt, in milliseconds.
    pub ahead_ms_max: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            event_bytes_max: 1024 * 1024,
            depth_max: 32,
            events_max: 10_000,
            targets_max: 1000,
            changes_max: 1000,
            client_id_chars_max: 128,
            organization_chars_max: 128,
            word_chars_max: 256,
            name_chars_max: 1024,
            ahead_ms_max: 24 * 60 * 60 * 1000,
        }
    }
}

impl Limits {
    /// The bounds of reading that follow from these.
    pub fn json(&self) -> json::Limits {
        json::Limits {
            depth_max: self.depth_max,
        }
    }
}

/// Who made an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// A caller: organizations beginning with `_` and actions beginning with `trailbook.` are refused.
    #[default]
    Sender,
    /// Trailbook itself.
    Own,
}

/// What admission needs to know beside the event.
#[derive(Clone, Copy)]
pub struct Admission<'c> {
    /// How large things may be.
    pub limits: &'c Limits,
    /// The time of receipt: the default of `occurred_at`, and the measure of what lies too far ahead.
    pub now: Timestamp,
    /// What the catalog says.
    pub defaults: &'c dyn Defaults,
    /// Who made the events.
    pub origin: Origin,
}

/// The sender's own id of an event, with what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientId {
    /// The id as sent.
    pub id: String,
    /// SHA-256 of the canonical form of the event as sent, before defaults (of a foreign record: of the record): the same
    /// id with the same content is a repetition, with other content a mistake.
    pub content: [u8; 32],
}

/// An event that may be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The ledger it belongs to.
    pub organization: String,
    /// The sender's own id.
    pub client_id: Option<ClientId>,
    /// When it happened; the time of receipt when the sender did not say.
    pub occurred_at: Timestamp,
    /// `context.ip`.
    pub ip: Option<IpAddr>,
    /// The canonical bytes.
    pub parts: Parts<Vec<u8>>,
}

/// Admits one event that was read from the place `at` of a body.
///
/// # Errors
/// Every fault of the event; never an empty list.
pub fn admit(value: &Value<'_>, at: &Pointer, admission: &Admission<'_>) -> Result<Admitted, Vec<Fault>> {
    admit_owned(value.borrowed(), &Path::At(at), admission)
}

/// As [`admit`], without copying what the value holds.
fn admit_owned(value: Value<'_>, at: &Path<'_>, admission: &Admission<'_>) -> Result<Admitted, Vec<Fault>> {
    let has_client_id = value.get("client_id").is_some_and(|id| *id != Value::Null);
    let content = has_client_id.then(|| content_hash(&value));
    let (event, ip) = event::check(value, at, admission)?;
    let client_id = event.client_id.as_ref().zip(content).map(|(id, content)| ClientId {
        id: id.to_string(),
        content,
    });
    Ok(admitted(&event, client_id, ip))
}

fn admitted(event: &Event<'_>, client_id: Option<ClientId>, ip: Option<IpAddr>) -> Admitted {
    Admitted {
        organization: event.organization.to_string(),
        client_id,
        occurred_at: event.occurred_at,
        ip,
        parts: event.to_parts(),
    }
}

fn content_hash(value: &Value<'_>) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(1024);
    write_canonical(value, &mut bytes);
    Sha256::digest(&bytes).into()
}
