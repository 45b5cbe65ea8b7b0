//! What leaves Trailbook as a file or a response: events as JSON and JSON lines, as CSV, as Parquet, and as evidence that can
//! be checked offline.
//!
//! Invariants
//! - An event's canonical bytes are copied, never parsed and printed again, wherever JSON or evidence leaves.
//! - Writers hold one event or one chunk at a time, whatever the size of the result.
//!
//! Not here: which events (`trailbook-query`), HTTP (`trailbook`), checking evidence (`trailbook-verify`).
//! See docs/formats/evidence.md.

pub mod alert;
pub mod csv;
mod error;
pub mod evidence;
pub mod json;
pub mod jsonl;
pub mod labels;
mod made_up;
pub mod outbound;
pub mod parquet;
pub mod payload;
pub mod sink;
pub mod stream;

pub use error::Error;
