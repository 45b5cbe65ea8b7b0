//! The server from outside: the real binary, spoken to over loopback.
//!
//! `contract` follows the rows of the HTTP contract, `hostile` what must be refused, `running` starting and stopping.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod contract;
mod files;
mod hostile;
mod live;
mod running;
mod server;
