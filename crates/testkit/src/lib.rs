//! What tests and benchmarks share: a seeded source of randomness and a stream of realistic events.
//!
//! Invariants
//! - The same seed and shape give the same bytes, on every machine and in every run: no clock, no environment, no
//!   randomness from the system.
//! - Memory does not grow with the number of events taken.
//!
//! Not here: anything that knows a ledger or a server.

mod country;
mod event_text;
mod generator;
mod population;
mod postgres;
mod random;
mod vocabulary;

pub use country::{country_database, documentation_countries};
pub use generator::{GeneratedEvent, Generator, PASS_EVENTS, Shape};
pub use postgres::{AskedDatabase, PostgresDatabase, PostgresServer};
pub use random::{Random, Zipf};
