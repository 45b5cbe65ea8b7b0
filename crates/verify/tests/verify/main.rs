//! A running server as the verifier sees it: an honest one, and several that are not.
#![allow(
    clippy::disallowed_methods,
    reason = "tests work with real files, processes and time"
)]
#![allow(clippy::unwrap_used)]

mod honest;
mod running;
