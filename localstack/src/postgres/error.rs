//! The error of starting PostgreSQL.

use std::path::PathBuf;

/// PostgreSQL could not be started.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The machine has no server programs, and the wheel was not allowed or has none that run.
    #[error(
        "found no PostgreSQL server programs (initdb, postgres) on PATH or in the usual directories; install them (Debian and \
         Ubuntu: `apt install postgresql`; macOS: `brew install postgresql`), or unset CANDLEWICK_POSTGRES to use a wheel"
    )]
    NoPrograms,
    /// Another major version created the data directory.
    #[error(
        "the data in {} was made by PostgreSQL {data_major}, but the installed server is {server}; install PostgreSQL \
         {data_major} again, or move that directory away to start with an empty database (it is filled again from raw/)",
        data.display()
    )]
    OtherVersion {
        data: PathBuf,
        data_major: String,
        /// The versions of the servers that were found.
        server: String,
    },
    /// The server does not accept the stored password.
    #[error(
        "PostgreSQL on port {port} refuses the password in {}: the file does not belong to the data in its directory, or \
         another server listens there; restore the right file, or move the directory away to start with an empty database",
        password.display()
    )]
    WrongPassword { port: u16, password: PathBuf },
    /// The server exited before it was ready.
    #[error("PostgreSQL exited before it was ready ({exit}); the end of its log ({}):\n{lines}", log.display())]
    Died {
        exit: crate::process::Exit,
        log: PathBuf,
        /// The last lines of the log.
        lines: String,
    },
    /// The server was not ready in time and was stopped.
    #[error("PostgreSQL was not ready within {seconds} s and was stopped ({last}); its log is {}", log.display())]
    Late {
        seconds: u64,
        /// The last error when connecting.
        last: String,
        log: PathBuf,
    },
    /// The wheel could not be installed.
    #[error(transparent)]
    Python(#[from] crate::python::PythonError),
    /// A file or process operation failed.
    #[error("{0:#}")]
    Shell(#[from] anyhow::Error),
}
