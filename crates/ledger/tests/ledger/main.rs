//! The ledger through its public door, on a real SQLite file and a real directory of objects.
#![allow(
    clippy::disallowed_methods,
    reason = "tests work with real files, processes and time"
)]
#![allow(clippy::unwrap_used)]

mod announcements;
mod append;
mod backup;
mod damage;
mod duplicates;
mod expiry;
mod faults;
mod faulty;
mod faulty_objects;
mod history;

mod job_faults;
mod lake;
mod lake_faults;
mod lake_log;
mod nodes;
mod opened;
mod proofs;
mod reindex;
mod remote;
mod rollback;
mod settle;
mod support;
