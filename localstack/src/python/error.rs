//! Why there is no Python environment.

use std::path::PathBuf;

/// Why there is no Python environment.
#[derive(Debug, thiserror::Error)]
pub enum PythonError {
    /// No usable Python was found.
    #[error(
        "Candlewick needs Python 3.11 or newer on PATH, and found {found}; install python3 (Debian and Ubuntu: \
         `apt install python3 python3-venv`; macOS: `brew install python`), or set CANDLEWICK_PYTHON to one"
    )]
    Missing {
        /// What was found instead.
        found: String,
    },
    /// Python is there, but can't make virtual environments.
    #[error(
        "{} (Python {version}) cannot make virtual environments, because its venv or ensurepip module is missing; install \
         it (Debian and Ubuntu: `apt install {package}`) and run again", python.display()
    )]
    NoVenv {
        /// The interpreter.
        python: PathBuf,
        version: String,
        /// Debian's package for it.
        package: String,
    },
    /// A step of the installation failed.
    #[error("could not {step}: {reason}\nThe whole output is in {}. {next}", log.display())]
    Step {
        /// What was being done.
        step: String,
        /// How it failed, with the last lines of its output.
        reason: String,
        /// Where its output is.
        log: PathBuf,
        /// What to do next.
        next: String,
    },
    /// The file system refused something.
    #[error("{0:#}")]
    Shell(#[from] anyhow::Error),
}
