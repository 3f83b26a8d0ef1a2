//! A running PostgreSQL server.

use std::fmt;
use std::path::PathBuf;

use super::settings::ROLE;
use crate::process::Process;

/// A running server that accepts connections and has its database.
pub struct Postgres {
    /// The port on 127.0.0.1.
    pub port: u16,
    pub database: String,
    /// Such as `15.18`.
    pub version: String,
    /// The data directory, with links resolved.
    pub data: PathBuf,
    pub process: Process,
    pub(super) password: String,
}

impl Postgres {
    /// Returns the URL of the database, including the password.
    pub fn url(&self) -> String {
        format!("postgres://{ROLE}:{}@127.0.0.1:{}/{}", self.password, self.port, self.database)
    }
}

/// Does not show the password.
impl fmt::Debug for Postgres {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { port, database, version, data, process, password: _ } = self;
        out.debug_struct("Postgres")
            .field("port", port)
            .field("database", database)
            .field("version", version)
            .field("data", data)
            .field("process", process)
            .finish_non_exhaustive()
    }
}
