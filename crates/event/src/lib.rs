//! The vocabulary of Trailbook: the event, its canonical bytes, the catalog, filters and the query language.
//!
//! Everything here is pure: no files, no network, no clock, no randomness. Verifiers depend on this crate, so it stays
//! nearly free of dependencies (the catalog, with its JSON Schema validator, is behind the feature `catalog`).
//! See docs/formats/event.md.

mod admit;
#[cfg(feature = "catalog")]
pub mod catalog;
mod fault;
pub mod filter;
pub mod json;
pub mod language;
mod model;
mod parts;
pub mod text;
mod time;

pub use admit::{
    ActionDefaults, Admission, Admitted, ClientId, Defaults, Form, Limits, NoCatalog, Origin, Refusal, Translated,
    Translation, admit, admit_body, translate_body,
};
pub use fault::{Fault, Pointer};
pub use filter::{Field, Filter, Record};
pub use model::{Actor, Change, Context, Event, PartsError, Target};
pub use parts::{Part, Parts};
pub use time::Timestamp;
