//! A PostgreSQL server that is ready.

use std::fmt;
use std::path::PathBuf;

use super::settings::ROLE;
use crate::process::Process;

/// A server that is ready, with its database.
pub struct Postgres {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    /// The name of the database.
    pub database: String,
    /// Its version, such as `15.18`.
    pub version: String,
    /// Its data directory, links resolved.
    pub data: PathBuf,
    /// Its process, to await and to stop.
    pub process: Process,
    pub(super) password: String,
}

impl Postgres {
    /// The database's address, password included.
    pub fn url(&self) -> String {
        format!("postgres://{ROLE}:{}@127.0.0.1:{}/{}", self.password, self.port, self.database)
    }
}

/// The password stays out of it.
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
