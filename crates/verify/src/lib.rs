//! Checks what a Trailbook server says, without trusting it: evidence files offline, and running servers from outside.
//!
//! Invariants
//! - Nothing is believed that does not lead to a checkpoint signed by the key that the caller brought.
//! - Foreign bytes are read within bounds and never make it panic; what cannot be read is told from what is not true.
//! - No server code: only `trailbook-event` and `trailbook-merkle` are shared with what is checked.
//!
//! Not here: writing evidence (`trailbook-deliver`), damage on the server's own disk (`trailbook fsck`).
//! See docs/formats/evidence.md and docs/verify.md.

pub mod command;
mod event;
mod evidence;
mod report;
mod server;

pub use evidence::{evidence, evidence_bytes, evidence_file};
pub use report::{Finding, Findings, Place, Report, Summary};
pub use server::{Events, Target, server};
