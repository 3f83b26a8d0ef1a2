//! Database errors: their texts, and whose failure they are.

pub use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};

use crate::adapters::sentence::chain;
use crate::core::blame::Blame;

/// A database error with the action that failed.
#[derive(Debug, thiserror::Error)]
#[error("{action}: {}", describe(error))]
pub struct DatabaseError {
    action: &'static str,
    error: sqlx::Error,
}

/// Adds the failed action to a database error.
pub trait DbContext<T> {
    /// Adds the action, a verb and its object: `read the ledger`.
    ///
    /// # Errors
    ///
    /// Returns the original error with the action.
    fn db_context(self, action: &'static str) -> Result<T, DatabaseError>;
}

impl<T> DbContext<T> for Result<T, sqlx::Error> {
    fn db_context(self, action: &'static str) -> Result<T, DatabaseError> {
        self.map_err(|error| DatabaseError { action, error })
    }
}

/// A database error as one sentence, without repetitions and without the line of PostgreSQL's source code that sqlx
/// adds.
#[must_use]
pub fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => {
            format!("{} (SQLSTATE {})", error.message(), error.code().unwrap_or("none".into()))
        }
        sqlx::Error::PoolTimedOut => "no connection to the database was free in time".to_owned(),
        error => chain(error),
    }
}

impl DatabaseError {
    /// Whose failure the error is.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match &self.error {
            sqlx::Error::Database(error) => Blame::of_postgres(&error.code().unwrap_or_default()),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => Blame::Dependency,
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Blame::Dependency,
            _ => Blame::Evidence("gave_up"),
        }
    }

    /// Whether the database, or the network path to it, is down. Such an error says nothing about the work.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        self.blame() == Blame::Dependency
    }
}
