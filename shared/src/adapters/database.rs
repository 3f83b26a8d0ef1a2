//! Errors of the database, in one sentence, and whose failure they are.

pub use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};

use crate::adapters::sentence::chain;
use crate::core::blame::Blame;

/// An error of the database, and what was being done.
#[derive(Debug, thiserror::Error)]
#[error("{action}: {}", words(error))]
pub struct DatabaseError {
    action: &'static str,
    error: sqlx::Error,
}

/// Adds to an error of the database what was being done.
pub trait DbContext<T> {
    /// Adds the action, a verb and its object: `read the ledger`.
    ///
    /// # Errors
    ///
    /// The original error with the action.
    fn db_context(self, action: &'static str) -> Result<T, DatabaseError>;
}

impl<T> DbContext<T> for Result<T, sqlx::Error> {
    fn db_context(self, action: &'static str) -> Result<T, DatabaseError> {
        self.map_err(|error| DatabaseError { action, error })
    }
}

/// An error in one sentence: without the line of PostgreSQL's own source that sqlx adds, and without repetitions.
#[must_use]
pub fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(said) => {
            format!("{} (SQLSTATE {})", said.message(), said.code().unwrap_or("none".into()))
        }
        sqlx::Error::PoolTimedOut => "no connection to the database was free in time".to_owned(),
        error => chain(error),
    }
}

impl DatabaseError {
    /// Whose failure it is.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match &self.error {
            sqlx::Error::Database(error) => Blame::of_postgres(&error.code().unwrap_or_default()),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => Blame::Dependency,
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Blame::Dependency,
            _ => Blame::Evidence("gave_up"),
        }
    }

    /// Whether it says nothing about the work, but that the database, or the way to it, does not work now.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        self.blame() == Blame::Dependency
    }
}
