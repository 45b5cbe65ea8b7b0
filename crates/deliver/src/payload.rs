//! What a stream's mapping makes of an event: one JSON object as Trailbook returns it, in OCSF, in ECS or in a form of the
//! caller's; beside them a CEF message and the frame that syslog puts around a message.
//!
//! Invariants
//! - Pure: the same row and envelope give the same bytes, whatever was sent before.
//! - No payload and no message holds a line break.
//! - Every event has a payload, whatever its texts and whichever of its parts are redacted; what a form has no place for is
//!   kept in the place that the form has for such things.
//!
//! Not here: which events (`trailbook-query`), batches and what carries them, catalogs' own mappings (`trailbook-import`).
//! See docs/mappings-out.md.

mod cef;
mod ecs;
mod meaning;
mod members;
mod ocsf;
mod opened;
mod person;
mod syslog;
mod words;

use std::{borrow::Cow, fmt, net::IpAddr, sync::Arc};

use trailbook_event::Event;
use trailbook_ledger::Row;

use crate::{
    Error,
    json::{Envelope, write_event},
};

pub use cef::cef;
pub use ecs::VERSION as ECS_VERSION;
pub use ocsf::VERSION as OCSF_VERSION;
pub use syslog::syslog;

/// Appends one JSON object without line breaks, or says why not.
pub type Writer = dyn Fn(&Row, &Envelope<'_>, &mut Vec<u8>) -> Result<(), Error> + Send + Sync;

/// The form in which events leave.
#[derive(Clone)]
pub enum Payload {
    /// As Trailbook returns them.
    Native,
    /// Open Cybersecurity Schema Framework, of the version [`OCSF_VERSION`].
    Ocsf,
    /// Elastic Common Schema, of the version [`ECS_VERSION`].
    Ecs,
    /// In a form that somebody else knows, such as a catalog's output mapping.
    Custom(Arc<Writer>),
}

impl Payload {
    /// Appends the event as one JSON object without line breaks. When it fails, nothing is appended.
    ///
    /// # Errors
    /// The stored parts are not what admission writes; or what the custom form says.
    pub fn write(&self, row: &Row, envelope: &Envelope<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let begin = out.len();
        let written = match self {
            Self::Native => {
                write_event(row, envelope, out);
                Ok(())
            }
            Self::Ocsf => ocsf::write(row, envelope, out),
            Self::Ecs => ecs::write(row, envelope, out),
            Self::Custom(write) => write(row, envelope, out),
        };
        if written.is_err() {
            out.truncate(begin);
        }
        written
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Native => "Native",
            Self::Ocsf => "Ocsf",
            Self::Ecs => "Ecs",
            Self::Custom(_) => "Custom",
        })
    }
}

/// How much an event asks to be looked at, from its result and whether its action matters for security.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Severity {
    /// It went well and does not matter for security.
    Informational,
    /// It failed or was denied.
    Low,
    /// It matters for security.
    Medium,
    /// It matters for security, and failed or was denied.
    High,
}

impl Severity {
    fn of(event: &Event<'_>) -> Self {
        match (event.security, event.result == "success") {
            (false, true) => Self::Informational,
            (false, false) => Self::Low,
            (true, true) => Self::Medium,
            (true, false) => Self::High,
        }
    }

    /// From 0 to 10, as CEF and ECS count it.
    fn of_ten(self) -> u8 {
        match self {
            Self::Informational => 2,
            Self::Low => 4,
            Self::Medium => 6,
            Self::High => 8,
        }
    }
}

/// The text, unless it is empty: other forms know no difference between empty and absent.
fn filled<'t>(text: &'t Option<Cow<'_, str>>) -> Option<&'t str> {
    text.as_deref().filter(|text| !text.is_empty())
}

/// Where the event came from, as an address.
fn address(event: &Event<'_>) -> Option<IpAddr> {
    event.context.ip.as_deref()?.parse().ok()
}

/// What people read of the event: its description, else its action.
fn sentence<'e>(event: &'e Event<'_>) -> &'e str {
    filled(&event.description).unwrap_or(&event.action)
}
