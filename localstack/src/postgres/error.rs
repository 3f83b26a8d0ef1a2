//! Why PostgreSQL is not available.

use std::path::PathBuf;

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
