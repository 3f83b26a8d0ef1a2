//! A database connection for loading one object.

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};

use crate::failure::{DatabaseError, DbContext};

/// A connection that returns to the pool only after its work is complete, and is closed otherwise.
///
/// When a lease is lost, the work is dropped wherever it is, perhaps in the middle of a copy. The next user of the connection
/// would read the replies to that copy as its own, and could take them for a commit.
#[derive(Debug)]
pub struct LoadConnection {
    connection: PoolConnection<Postgres>,
    is_complete: bool,
}

impl LoadConnection {
    pub async fn open(pool: &PgPool) -> Result<Self, DatabaseError> {
        Ok(Self { connection: pool.acquire().await.db_context("connect")?, is_complete: false })
    }

    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Returns the connection to the pool. Every reply must have been read.
    pub fn end(mut self) {
        self.is_complete = true;
    }
}

impl Drop for LoadConnection {
    fn drop(&mut self) {
        if !self.is_complete {
            self.connection.close_on_drop();
        }
    }
}
