//! The error of creating a Python environment.

use std::path::PathBuf;

/// The Python environment could not be created.
#[derive(Debug, thiserror::Error)]
pub enum PythonError {
    /// No supported Python was found.
    #[error(
        "Candlewick needs Python 3.11 or newer on PATH, but found {found}; install python3 (Debian and Ubuntu: \
         `apt install python3 python3-venv`; macOS: `brew install python`), or set CANDLEWICK_PYTHON to its path"
    )]
    Missing {
        /// What was found instead, for the message.
        found: String,
    },
    /// Python is installed, but cannot create virtual environments.
    #[error(
        "{} (Python {version}) cannot create virtual environments, because its venv or ensurepip module is missing; install \
         it (Debian and Ubuntu: `apt install {package}`) and run again", python.display()
    )]
    NoVenv {
        python: PathBuf,
        version: String,
        /// The Debian package of the missing modules.
        package: String,
    },
    /// A step of the installation failed.
    #[error("could not {step}: {reason}\nThe full output is in {}. {next}", log.display())]
    Step {
        /// The failed step, as a verb phrase.
        step: String,
        /// The exit status and the last lines of its output, or the error.
        reason: String,
        /// The log with the full output.
        log: PathBuf,
        /// What the user can do next.
        next: String,
    },
    /// A file operation failed.
    #[error("{0:#}")]
    Shell(#[from] anyhow::Error),
}
