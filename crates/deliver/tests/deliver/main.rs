//! What leaves Trailbook, opened by others: evidence by the verifier and by its script, CSV by two readers, Parquet by one.
//! `scripts/check_exports.py` opens CSV and Parquet in engines and a spreadsheet.
#![allow(
    clippy::disallowed_methods,
    reason = "tests work with real files, processes and time"
)]
#![allow(clippy::unwrap_used)]

mod csv;
mod evidence;
mod json;
mod ledger;
mod parquet;
mod payload;
mod payload_property;
mod payload_reader;
mod script;
mod tampering;
