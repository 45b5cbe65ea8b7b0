//! Alerts over a real ledger, with a clock that is set and a messenger that does as it is told.
#![allow(clippy::unwrap_used)]

mod conditions;
mod crashes;
mod digests;
mod first_seen;
mod lives;
mod quiet;
mod telling;
mod world;
