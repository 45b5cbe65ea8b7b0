//! What can go wrong while writing, by what the caller should do next.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such column; the text is for the person who asked for it.
    #[error("There is no column `{name}`.{}", did_you_mean(near))]
    UnknownColumn {
        /// The name that was asked for.
        name: String,
        /// Columns with a similar name, nearest first.
        near: Vec<&'static str>,
    },
    /// A column's template cannot be used.
    #[error("The column `{id}` cannot be rendered: {detail}.")]
    Template {
        /// The column.
        id: String,
        /// Everything that is wrong with its template.
        detail: String,
    },
    /// Stored parts are not what admission writes.
    #[error("stored event is damaged sequence={sequence}")]
    Corrupt {
        /// The event's sequence.
        sequence: u64,
        /// Where the parts do not fit.
        #[source]
        source: trailbook_event::PartsError,
    },
    /// The events and leaf records handed over are not the range that was announced.
    #[error("evidence does not fit its range: {0}")]
    Range(String),
    /// The events could not be read.
    #[error("events could not be read")]
    Ledger(#[from] trailbook_ledger::Error),
    /// The events could not be searched.
    #[error("events could not be searched")]
    Query(#[from] trailbook_query::Error),
    /// A filter that was kept cannot be read any more; the text is for the person who set it up.
    #[error("the filter cannot be read: {detail}")]
    Filter {
        /// Where, and what was expected there.
        detail: String,
    },
    /// What is set up could not be read or written.
    #[error(transparent)]
    Records(#[from] trailbook_access::Error),
    /// The output takes no more.
    #[error("output failed")]
    Output(#[from] std::io::Error),
}

impl From<::zip::result::ZipError> for Error {
    fn from(error: ::zip::result::ZipError) -> Self {
        Self::Output(error.into())
    }
}

fn did_you_mean(near: &[&str]) -> String {
    match near {
        [] => " Columns are event paths such as `actor.email` or `metadata.plan`.".to_owned(),
        near => format!(" Did you mean `{}`?", near.join("`, `")),
    }
}
