//! What PostgreSQL says when something fails, in words that hold no secret and no stored data.

use tokio_postgres::error::{DbError, Severity};

use crate::database::DatabaseError;

/// Why a PostgreSQL database cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectError {
    /// The URL is not one, or asks for what there is not.
    #[error(
        "the database's URL cannot be used: {0}; it has the form postgres://user:password@host:port/database?sslmode=verify-full"
    )]
    Url(String),
    /// The server does not answer, or does not let us in.
    #[error("cannot connect to PostgreSQL: {0}")]
    Unreachable(String),
    /// The server or the database is not fit for what is promised.
    #[error("this PostgreSQL cannot be used: {what}: {remedy}")]
    Unfit {
        /// What was found.
        what: String,
        /// What to do about it.
        remedy: String,
    },
    /// The database was brought to a version that this program cannot work with.
    #[error(
        "the database has schema version {found}, which needs a program that knows version {readable_by}; this one knows up to {known}: start the newer program again"
    )]
    TooNew {
        /// The version in the database.
        found: i64,
        /// The version that a program has to know to work with it.
        readable_by: i64,
        /// The newest version that is known here.
        known: i64,
    },
    /// A statement failed while the database was being prepared.
    #[error("cannot prepare the database: {0}")]
    Database(String),
}

impl From<tokio_postgres::Error> for ConnectError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(describe(&error))
    }
}

impl From<tokio_postgres::Error> for DatabaseError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self(describe(&error))
    }
}

impl From<DatabaseError> for ConnectError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error.0)
    }
}

/// The error with its causes. What the server adds as detail is left out: it has values of rows.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} ({})", error.message(), error.code().code());
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The server's own refusal of a statement, after which its transaction can only end without effect; `None` when the connection or
/// the server has failed, or is about to.
pub(super) fn refusal(error: &tokio_postgres::Error) -> Option<&DbError> {
    error
        .as_db_error()
        .filter(|error| error.parsed_severity() == Some(Severity::Error))
}
