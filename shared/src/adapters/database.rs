//! Errors of the database, and which of them are outages.

/// An error of the database, and what was being done.
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

/// Classes of SQLSTATE and single codes, from the PostgreSQL documentation's appendix on error codes: 08 connection, 25006
/// read-only (what was the primary is a standby now), 25P03 idle for too long within a transaction, 40 rolled back for
/// another's sake, 53 out of resources, 57 shut down or cancelled by an operator, 58 system error.
const OUTAGES: [&str; 7] = ["08", "25006", "25P03", "40", "53", "57", "58"];

impl DatabaseError {
    /// Whether it says nothing about the work, but that the database, or the way to it, is not there now.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        is_outage(&self.source)
    }
}

fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            OUTAGES.iter().any(|outage| code.starts_with(outage))
        }
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}
