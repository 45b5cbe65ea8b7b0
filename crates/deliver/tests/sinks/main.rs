//! Where streams deliver to, over real sockets: each destination is played by a server that does as it is told.
#![allow(clippy::disallowed_methods, reason = "tests work with real sockets and time")]
#![allow(clippy::unwrap_used)]

mod answers;
mod batch;
mod datadog;
mod elasticsearch;
mod faults;
mod guard;
mod kinds;
mod objects;
mod otlp;
mod server;
mod splunk;
mod syslog;
mod webhook;
