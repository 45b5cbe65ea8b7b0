//! The server from outside: the real binary, spoken to over loopback.
//!
//! `contract` follows the rows of the HTTP contract, `hostile` what must be refused, `running` starting and stopping, `history` sealing
//! and redacting, `retention` expiring, `embedding` pages of other origins, `views` saved queries, `exports` files on request, `streams` deliveries, `alerts` what is told of, `tls` commands over https, `doctor` what an operator asks, `crowd`
//! very many organizations.
#![allow(
    clippy::disallowed_methods,
    reason = "tests work with real files, processes and time"
)]
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod administer;
mod alerts;
mod backup;
mod canary;
mod catalog;
mod contract;
mod credentials;
mod crowd;
mod doctor;
mod embedding;
mod exports;
mod files;
mod history;
mod hostile;
mod identity_provider;
mod kill9;
mod live;
mod mappings;
mod matrix;
mod metrics;
mod objects;
mod past;
mod people;
mod postman;
mod profiles;
mod projects;
mod retention;
mod rules;
mod running;
mod server;
mod single_sign_on;
mod streams;
mod tls;
mod views;
