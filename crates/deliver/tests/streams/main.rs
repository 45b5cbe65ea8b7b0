//! Streams over a real ledger, with a clock that is set and destinations that misbehave.
#![allow(clippy::unwrap_used)]

mod deliveries;
mod lives;
mod places;
mod refusals;
mod sharing;
mod world;
