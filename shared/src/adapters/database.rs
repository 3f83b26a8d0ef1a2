//! Errors of the database, in one sentence, and whose failure they are.

use crate::adapters::sentence::chain;
use crate::core::blame::Blame;

/// An error of the database, and what was being done.
#[derive(Debug, thiserror::Error)]
#[error("{action}: {}", words(error))]
pub struct DatabaseError {
    action: &'static str,
    error: sqlx::Error,
}

/// Names what was being done when the database failed.
pub trait During<T> {
    /// Names what was being done, as a verb and its object: `read the ledger`.
    ///
    /// # Errors
    /// The database's, under that name.
    fn during(self, action: &'static str) -> Result<T, DatabaseError>;
}

impl<T> During<T> for Result<T, sqlx::Error> {
    fn during(self, action: &'static str) -> Result<T, DatabaseError> {
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
