//! Import: events of other systems, and our own as JSON lines, sent to a running server. The command `trailbook import`
//! is [`command`]; [`run`] is the same without a terminal.
//!
//! Invariants
//! - Every record of the input is stored, already there, a repetition, or in the reject file with its line and a reason.
//! - A record that has a `client_id` is never stored twice, however often and in however many pieces an import runs.
//! - The whole original record of a foreign source is in its event's `metadata.raw`.
//!
//! Not here: what an event is and what is valid (`trailbook_event`), storing (the server, reached over HTTP only).
//! See docs/import.md.

pub mod command;

mod batch;
mod client;
mod convert;
mod input;
mod mapping;
mod own;
mod prepare;
mod rejects;
mod run;
mod state;
mod vocabulary;

use std::path::PathBuf;

pub use client::Server;
pub use input::Input;
pub use mapping::{BUILT_IN, Call, Mapping, Output};
pub use prepare::Source;
pub use rejects::Reject;
pub use run::{Options, Report, Summary, run};
pub use vocabulary::Vocabulary;

/// Why an import could not go on. What single records did wrong is no error; it is in the reject file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What the caller asked for cannot be done; a sentence that names the remedy.
    #[error("{0}")]
    Invalid(String),
    /// A mapping file has faults, one a line.
    #[error("The mapping {name} has faults:\n  {}", .faults.join("\n  "))]
    Mapping {
        /// The file or the built-in name.
        name: String,
        /// Each begins with its place.
        faults: Vec<String>,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The server could not be reached, or kept answering that it is busy.
    #[error("The server did not take the events: {0}. Run the same command again; it goes on where it stopped.")]
    Unavailable(String),
    /// The server answered something that repeating does not change.
    #[error("The server refused the import with status {status}: {detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The server's own words.
        detail: String,
    },
}

impl Error {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
