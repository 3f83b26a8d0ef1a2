//! Python programs from locked requirements: finds a Python, makes a virtual environment once, and installs into it.

mod find;
mod install;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

pub use self::find::{Interpreter, Search};
use crate::progress::Reporter;

/// A set of requirements, locked by hashes, for one virtual environment.
#[derive(Debug, Clone, Copy)]
pub struct Requirements {
    /// What they are for, in messages: `LocalStack 4.12`.
    pub title: &'static str,
    /// The size to expect, in messages: `130 MB`.
    pub size: &'static str,
    /// The texts of the requirements files, installed in this order.
    pub locks: &'static [&'static str],
    /// A Python program to run once after the installation.
    pub prepare: Option<&'static str>,
    /// What to do when they can't be installed, besides looking at the network.
    pub otherwise: &'static str,
}

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

/// An installed virtual environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    dir: PathBuf,
}

impl Environment {
    /// The environment for `requirements` under `home`, installed now if it isn't yet. Processes that race for it wait.
    pub async fn ensure(
        home: &Path,
        requirements: &Requirements,
        search: &Search,
        progress: &Reporter,
    ) -> Result<Self, PythonError> {
        let python = find::find(search).await?;
        fs::create_dir_all(home).with_context(|| format!("create {}", home.display()))?;
        let home = home.canonicalize().with_context(|| format!("resolve {}", home.display()))?;
        let environment = Self { dir: home.join(format!("python-{}", fingerprint(requirements, &python))) };
        let _lock = lock(&environment.dir.with_extension("lock"), progress).await?;
        if !environment.works().await {
            install::install(&environment, requirements, &python, progress).await?;
        }
        Ok(environment)
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its interpreter.
    pub fn python(&self) -> PathBuf {
        self.dir.join("bin").join("python")
    }

    /// The file that is written last: without it the installation was cut short.
    fn marker(&self) -> PathBuf {
        self.dir.join("complete")
    }

    /// A complete environment still breaks when the Python it was made from is removed.
    async fn works(&self) -> bool {
        self.marker().exists() && find::probe(&self.python()).await.is_ok()
    }
}

/// Names the environment: another lock, preparation or Python makes another one.
fn fingerprint(requirements: &Requirements, python: &Interpreter) -> String {
    let mut hash = Sha256::new();
    let texts = requirements.locks.iter().chain(&requirements.prepare).copied();
    for text in texts.chain([python.version.as_str()]) {
        hash.update(text);
        hash.update([0]);
    }
    short_hex(&hash.finalize())
}

/// The first twelve hex digits of a hash.
pub(crate) fn short_hex(hash: &[u8]) -> String {
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

async fn lock(path: &Path, progress: &Reporter) -> anyhow::Result<File> {
    let file = File::create(path).with_context(|| format!("create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("lock {}", path.display())),
        Err(TryLockError::WouldBlock) => progress.line("python", "waiting for another process that is installing it"),
    }
    let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
    locked.await.context("wait for a lock")?.with_context(|| format!("lock {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Requirements = Requirements { title: "", size: "", locks: &["a", "b"], prepare: None, otherwise: "" };

    #[test]
    fn another_lock_preparation_or_python_is_another_environment() {
        let python = Interpreter { path: "python3".into(), version: "3.11.7".into() };
        let newer = Interpreter { version: "3.11.8".into(), ..python.clone() };
        let base = fingerprint(&ONE, &python);
        assert_eq!(base.len(), 12);
        assert_ne!(base, fingerprint(&ONE, &newer));
        assert_ne!(base, fingerprint(&Requirements { locks: &["ab"], ..ONE }, &python));
        assert_ne!(base, fingerprint(&Requirements { prepare: Some("x"), ..ONE }, &python));
    }
}
