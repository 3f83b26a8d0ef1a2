//! A connection for one piece of work.

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};

use crate::failure::{DatabaseError, During};

/// A connection that goes back to the pool only when its work came to its end; otherwise it is closed.
///
/// Work is dropped where it stands when its lease is lost, perhaps in the middle of a copy. What the server has yet to say to
/// that would be taken for its answers to whoever had the connection next, and a commit be believed that never was.
#[derive(Debug)]
pub struct Session {
    connection: PoolConnection<Postgres>,
    is_whole: bool,
}

impl Session {
    /// Takes a connection from a pool.
    pub async fn open(pool: &PgPool) -> Result<Self, DatabaseError> {
        Ok(Self { connection: pool.acquire().await.during("connect")?, is_whole: false })
    }

    /// The connection.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Gives the connection back: every answer has been read.
    pub fn end(mut self) {
        self.is_whole = true;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.is_whole {
            self.connection.close_on_drop();
        }
    }
}
