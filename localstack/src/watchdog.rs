//! Ends the children of a run that was killed outright.
//!
//! A run that gets SIGKILL can stop nothing, and the ways to tie children to it (prctl) need unsafe code or depend on
//! which thread started them. So a run keeps one more child, the watchdog, whose standard input is a pipe that only the run
//! holds open. When the run dies, however it dies, the pipe closes and the watchdog stops what the pid files name.

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

/// How long a dying run may still hold its lock; after that, a new run holds it.
const DYING: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What a run that stops in good order says, so that the watchdog has nothing to do.
const ALL_WELL: u8 = b'.';

/// The run's end of the watchdog. Dropping it without [`Watchdog::dismiss`] is what the run's death looks like.
#[derive(Debug)]
pub struct Watchdog {
    child: Child,
    lifeline: ChildStdin,
}

impl Watchdog {
    /// Starts `program` (which must call [`run`] on the same state directory), in its own process group.
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

    /// The watchdog's process id.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends the watchdog after everything else has been stopped.
    pub async fn dismiss(mut self) -> anyhow::Result<()> {
        self.lifeline.write_all(&[ALL_WELL]).await.context("dismiss the watchdog")?;
        drop(self.lifeline);
        self.child.wait().await.context("wait for the watchdog")?;
        Ok(())
    }
}

/// What the watchdog's program does: waits for the end of the run that started it, then stops what that left.
///
/// Returns nothing when the run ended in good order, or when a new run has taken the state directory and cleans up itself.
pub async fn run(state: &StateDir) -> anyhow::Result<Vec<Leftover>> {
    watch(state, tokio::io::stdin()).await
}

async fn watch(state: &StateDir, mut lifeline: impl AsyncRead + Unpin) -> anyhow::Result<Vec<Leftover>> {
    let mut said = Vec::new();
    // An error ends the pipe like its closing does.
    let _ = lifeline.read_to_end(&mut said).await;
    if said.contains(&ALL_WELL) {
        return Ok(Vec::new());
    }
    match take_over(state).await.context("take the state directory over")? {
        Some(_lock) => leftovers::stop(state).await,
        None => Ok(Vec::new()),
    }
}

/// A process that dies closes its files one by one, so that its lock may outlive its end of the pipe by a moment.
async fn take_over(state: &StateDir) -> Result<Option<StateLock>, LockError> {
    let deadline = Instant::now() + DYING;
    loop {
        match state.try_lock_as_watchdog() {
            Ok(lock) => return Ok(Some(lock)),
            Err(LockError::Io(error)) => return Err(error.into()),
            Err(_) if Instant::now() >= deadline => return Ok(None),
            Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
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
