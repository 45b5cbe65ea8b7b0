//! Who may look, and at what: the policy of each organization.
//!
//! Not here: HTTP (the server), what is stored and for how long (`trailbook_ledger`).

pub mod policy;

pub use policy::{Policy, PolicySettings};
