//! Errors of the database, with what was being done.

use anyhow::anyhow;
use candlewick_shared::adapters::postgres::is_outage;
use candlewick_shared::runtime::outcome::Setback;

/// An error of the database, on its way to becoming a setback.
#[derive(Debug, thiserror::Error)]
#[error("{action}: {source}")]
pub struct DatabaseError {
    action: &'static str,
    source: sqlx::Error,
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
        self.map_err(|source| DatabaseError { action, source })
    }
}

impl From<DatabaseError> for Setback {
    fn from(error: DatabaseError) -> Self {
        if is_outage(&error.source) { Self::Down(anyhow!(error)) } else { Self::Retry(anyhow!(error)) }
    }
}
