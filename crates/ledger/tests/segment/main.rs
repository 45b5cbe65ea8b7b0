//! Segments through their public door, on real files.
#![allow(clippy::disallowed_methods, reason = "tests work with real files")]
#![allow(clippy::unwrap_used)]

mod damage;
mod golden;
mod refusals;
mod round_trip;
mod support;
