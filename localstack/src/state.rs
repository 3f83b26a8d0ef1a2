//! The state directory of a stack, with its logs, pid files, data and env file, and a lock so that only one stack uses it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::process::identity;

/// How long a new run waits for the watchdog of a killed run to clean up.
const WATCHDOG_PATIENCE: Duration = Duration::from_secs(60);
const WATCHDOG: &str = "watchdog";

/// The directory of everything that a stack writes to disk.
#[derive(Debug, Clone)]
pub struct StateDir {
    root: PathBuf,
}

impl StateDir {
    /// Creates the directory if it does not exist. The path is made absolute, because child processes run in other directories.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(root).with_context(|| format!("create state directory {}", root.display()))?;
        let root = root.canonicalize().with_context(|| format!("resolve state directory {}", root.display()))?;
        for part in ["logs", "run"] {
            fs::create_dir_all(root.join(part)).with_context(|| format!("create {part} in {}", root.display()))?;
        }
        Ok(Self { root })
    }

    /// Returns the absolute path of the directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the log file of the program `name`.
    pub fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(format!("{name}.log"))
    }

    /// Returns the path of the env file, which has the addresses of the stack and can be sourced by a shell.
    pub fn env_file(&self) -> PathBuf {
        self.root.join("env")
    }

    pub(crate) fn run_dir(&self) -> PathBuf {
        self.root.join("run")
    }

    pub(crate) fn pid_file(&self, name: &str) -> PathBuf {
        self.run_dir().join(format!("{name}.pid"))
    }

    /// Locks the directory for this process until the lock is dropped.
    ///
    /// Waits for a watchdog that is still cleaning up after a killed run. Fails if another run holds the lock.
    pub async fn lock(&self) -> Result<StateLock, LockError> {
        let deadline = Instant::now() + WATCHDOG_PATIENCE;
        loop {
            match self.try_lock("up") {
                Err(LockError::CleaningUp { .. }) if Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                other => return other,
            }
        }
    }

    pub(crate) fn try_lock_as_watchdog(&self) -> Result<StateLock, LockError> {
        self.try_lock(WATCHDOG)
    }

    fn try_lock(&self, role: &str) -> Result<StateLock, LockError> {
        let path = self.root.join("lock");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(self.held_by(file)),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        file.rewind()?;
        write!(file, "{} {role}", std::process::id())?;
        Ok(StateLock { _file: file })
    }

    /// Right after it was locked, the file is empty or still names a dead process. The holder may then be the watchdog of a
    /// killed run and is waited for. If it is another run, the file will say so at the next attempt.
    fn held_by(&self, mut file: File) -> LockError {
        let mut text = String::new();
        let _ = file.read_to_string(&mut text);
        let (pid, role) = text.split_once(' ').unwrap_or(("unknown", ""));
        let is_run = role != WATCHDOG && pid.parse().is_ok_and(|pid| identity::started(pid).is_some());
        let pid = pid.to_owned();
        let state = self.root.clone();
        if is_run { LockError::Held { pid, state } } else { LockError::CleaningUp { pid, state } }
    }
}

/// A lock on the state directory. The system releases it when the process ends, even if it is killed.
#[derive(Debug)]
pub struct StateLock {
    _file: File,
}

/// The state directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run uses the directory.
    #[error(
        "candlewick is already up in {} (process {pid}); stop it with `candlewick down`, or use another state directory",
        state.display()
    )]
    Held {
        /// The process that holds the lock, or `unknown`.
        pid: String,
        state: PathBuf,
    },
    /// The watchdog of a killed run is still stopping its processes.
    #[error(
        "process {pid} is still stopping the programs of a killed run in {}; try again in a moment",
        state.display()
    )]
    CleaningUp {
        /// The watchdog, or `unknown`.
        pid: String,
        state: PathBuf,
    },
    /// The lock file could not be opened, locked or written.
    #[error("cannot lock the state directory: {0}")]
    Io(#[from] io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_lock_is_refused_and_names_the_holder() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        let held = state.lock().await.unwrap();
        let error = state.lock().await.unwrap_err();
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        drop(held);
        state.lock().await.unwrap();
    }

    #[tokio::test]
    async fn a_watchdog_that_cleans_up_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        let watchdog = state.try_lock_as_watchdog().unwrap();
        assert!(matches!(state.try_lock("up"), Err(LockError::CleaningUp { .. })));
        let (locked, ()) = tokio::join!(state.lock(), async { drop(watchdog) });
        locked.unwrap();
    }

    #[tokio::test]
    async fn a_watchdog_that_has_not_written_who_it_is_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        // First the text of a killed run, with a pid that no process can have, then an empty file.
        for text in [&b"2147483647 up"[..], b""] {
            let watchdog = File::create(dir.path().join("lock")).unwrap();
            watchdog.lock().unwrap();
            (&watchdog).write_all(text).unwrap();
            assert!(matches!(state.try_lock("up"), Err(LockError::CleaningUp { .. })), "{text:?}");
            let (locked, ()) = tokio::join!(state.lock(), async { drop(watchdog) });
            locked.unwrap();
        }
    }
}
