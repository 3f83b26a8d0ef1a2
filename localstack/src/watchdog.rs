//! Stops the child processes of a run that was killed.
//!
//! A run that receives SIGKILL cannot stop anything, and tying child processes to it (with prctl) needs unsafe code or depends on
//! the thread that started them. So a run starts one more child, the watchdog, whose standard input is a pipe that only the run
//! holds open. However the run ends, the pipe closes, and the watchdog stops the processes that have a pid file.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::Instant;

use crate::process::leftovers::{self, Leftover};
use crate::state::{LockError, StateDir, StateLock};

/// How long a dying run may still hold its lock. If the lock is held for longer, it belongs to a new run.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A run that shuts down properly sends this byte, so that the watchdog does nothing.
const DISMISSAL: u8 = b'.';

/// A handle to the watchdog. Dropping it without [`Watchdog::dismiss`] has the same effect as the death of the run.
#[derive(Debug)]
pub struct Watchdog {
    child: Child,
    lifeline: ChildStdin,
}

impl Watchdog {
    /// Starts `program` in its own process group. It must call [`run`] with the same state directory.
    pub fn start<A: AsRef<OsStr>>(program: &Path, args: impl IntoIterator<Item = A>) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("start the watchdog")?;
        let lifeline = child.stdin.take().context("open the watchdog's pipe")?;
        Ok(Self { child, lifeline })
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends the watchdog after everything else has been stopped.
    pub async fn dismiss(mut self) -> anyhow::Result<()> {
        self.lifeline.write_all(&[DISMISSAL]).await.context("dismiss the watchdog")?;
        drop(self.lifeline);
        self.child.wait().await.context("wait for the watchdog")?;
        Ok(())
    }
}

/// Runs as the watchdog: waits for the end of the run that started it, then stops its remaining processes.
///
/// Returns an empty list if the run shut down properly, or if a new run has locked the state directory and cleans up itself.
pub async fn run(state: &StateDir) -> anyhow::Result<Vec<Leftover>> {
    watch(state, tokio::io::stdin()).await
}

async fn watch(state: &StateDir, mut lifeline: impl AsyncRead + Unpin) -> anyhow::Result<Vec<Leftover>> {
    let mut received = Vec::new();
    // A read error means the same as a closed pipe.
    let _ = lifeline.read_to_end(&mut received).await;
    if received.contains(&DISMISSAL) {
        return Ok(Vec::new());
    }
    match take_over(state).await.context("lock the state directory")? {
        Some(_lock) => leftovers::stop(state).await,
        None => Ok(Vec::new()),
    }
}

/// Retries, because a dying process closes its files one by one: its lock may outlive its end of the pipe for a moment.
async fn take_over(state: &StateDir) -> Result<Option<StateLock>, LockError> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match state.try_lock_as_watchdog() {
            Ok(lock) => return Ok(Some(lock)),
            Err(LockError::Io(error)) => return Err(error.into()),
            Err(_) if Instant::now() >= deadline => return Ok(None),
            Err(_) => tokio::time::sleep(POLL_INTERVAL).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::leftovers::Outcome;
    use crate::process::{Exit, Process, Program};

    fn sleeper(state: &StateDir) -> Process {
        Process::start(&Program::new("sleeper", "sleep").args(["600"]), state).unwrap()
    }

    #[tokio::test]
    async fn a_closed_pipe_stops_what_the_pid_files_name() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        let process = sleeper(&state);
        let stopped = watch(&state, &b""[..]).await.unwrap();
        assert_eq!(stopped, [Leftover { name: "sleeper".into(), pid: process.pid(), outcome: Outcome::Asked }]);
        assert_eq!(process.wait().await, Exit::Signal(15));
    }

    #[tokio::test]
    async fn a_dismissal_or_a_new_run_leaves_all_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        let process = sleeper(&state);
        assert_eq!(watch(&state, &b"."[..]).await.unwrap(), []);
        let _new_run = state.lock().await.unwrap();
        assert_eq!(watch(&state, &b""[..]).await.unwrap(), []);
        assert_eq!(process.exited(), None);
        process.stop().await;
    }
}
