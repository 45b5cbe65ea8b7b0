//! Who may look: projects, organizations and their policies; people, their passwords and sessions; keys and tokens; what each may do; and
//! what they do, as events.
//!
//! Everything is kept as records of the ledger's database ([`Directory`]); nothing here knows HTTP.

pub mod act;
mod caller;
mod directory;
mod error;
pub mod password;
pub mod people;
pub mod policy;
pub mod records;
mod rights;
pub mod secret;
pub mod throttle;

pub use act::Act;
pub use caller::{Caller, Denied, Origin, Principal};
pub use directory::{Change, CountryOf, Directory, Kind, State, Table};
pub use error::Error;
pub use people::{People, Refusal};
pub use policy::{Policy, PolicySettings};
pub use rights::{Right, Rights, SYSTEM};

/// The project that exists from the first start.
pub const DEFAULT_PROJECT: &str = "default";
