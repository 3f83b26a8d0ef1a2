//! Times of the database, and database errors: their texts, and whose failure they are.

use std::borrow::Borrow;

use jiff::Timestamp;
pub use jiff_sqlx::{Date as SqlDate, Timestamp as SqlTimestamp, ToSqlx};
use serde::Serialize;
use sqlx::Postgres;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef};

use crate::adapters::sentence::chain;
use crate::core::blame::Blame;

/// A time in seconds since 1970, as a parameter of a query. Times beyond the year 9999 become its end.
#[must_use]
pub fn instant(seconds: i64) -> SqlTimestamp {
    let limit = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_second(seconds).unwrap_or(limit).to_sqlx()
}

/// A time in a row of the database, for structs that derive `FromRow`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct DbTime(pub Timestamp);

impl sqlx::Type<Postgres> for DbTime {
    fn type_info() -> PgTypeInfo {
        SqlTimestamp::type_info()
    }
}

impl sqlx::Decode<'_, Postgres> for DbTime {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        SqlTimestamp::decode(value).map(|time| Self(time.to_jiff()))
    }
}

impl Borrow<Timestamp> for DbTime {
    fn borrow(&self) -> &Timestamp {
        &self.0
    }
}

impl Borrow<Timestamp> for &DbTime {
    fn borrow(&self) -> &Timestamp {
        &self.0
    }
}

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
