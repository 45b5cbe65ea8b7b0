//! The database behind its trait, on a real SQLite file and a real PostgreSQL server: what is written together is there together, or not at all.
#![allow(clippy::disallowed_methods, reason = "tests work with real files and processes")]
#![allow(clippy::unwrap_used)]

mod failures;
mod follow;
mod import;
mod kept;
mod migration;
mod proxy;
mod records;
mod segments;
mod server;
mod support;
