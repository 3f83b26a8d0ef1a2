//! Child processes: each in its own process group, with a log file, a pid file, and a plan for stopping it.
//!
//! A process that is dropped without [`Process::stop`] goes on running. What then ends it is the [`crate::watchdog`], or
//! [`leftovers::stop`] in the next run.

mod identity;
pub mod leftovers;
mod log;
mod program;

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
pub use nix::sys::signal::Signal;
use nix::sys::signal::killpg;
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::sync::watch;

pub(crate) use self::log::last_lines;
pub use self::program::{Identity, Program, StopPlan};
use crate::state::StateDir;

/// Whether a process with this id runs; a zombie does not.
pub(crate) fn is_alive(pid: i32) -> bool {
    identity::started(pid).is_some()
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It returned this code.
    Code(i32),
    /// This signal killed it.
    Signal(i32),
    /// The system did not say.
    Unknown,
}

impl fmt::Display for Exit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(out, "exit code {code}"),
            Self::Signal(signal) => write!(out, "signal {signal}"),
            Self::Unknown => write!(out, "exit unknown"),
        }
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        let code = status.code().map(Self::Code);
        code.or_else(|| status.signal().map(Self::Signal)).unwrap_or(Self::Unknown)
    }
}

/// What [`Process::stop`] had to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Nothing: it had ended before.
    Already(Exit),
    /// It ended when asked to.
    Asked(Exit),
    /// It did not heed its signals in time and was killed.
    Killed,
}

/// A running program. Clones share it.
#[derive(Debug, Clone)]
pub struct Process {
    name: String,
    pid: i32,
    log: PathBuf,
    log_start: u64,
    plan: StopPlan,
    exit: watch::Receiver<Option<Exit>>,
}

impl Process {
    /// Starts the program; must be called inside a tokio runtime.
    pub fn start(program: &Program, state: &StateDir) -> anyhow::Result<Self> {
        let log = state.log(&program.name);
        let (stdout, stderr, log_start) = log::open(&log)?;
        let mut child = command(program, stdout.into(), stderr.into())
            .spawn()
            .with_context(|| format!("start {} ({})", program.name, program.path.display()))?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).context("learn the pid of a new process")?;
        // Without a pid file nobody could stop it later.
        let pid_file = leftovers::record(state, program, pid).inspect_err(|_| drop(child.start_kill()))?;
        let (sender, exit) = watch::channel(None);
        tokio::spawn(reap(child, sender, pid_file));
        Ok(Self { name: program.name.clone(), pid, log, log_start, plan: program.stop.clone(), exit })
    }

    /// The program's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.pid.unsigned_abs()
    }

    /// Where its output goes.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The last lines it wrote since it was started, not what earlier runs left in the same log.
    pub fn last_lines(&self, count: usize) -> Vec<String> {
        log::last_lines(&self.log, self.log_start, count)
    }

    /// How it ended, if it has.
    pub fn exited(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Waits until it ends, for whatever reason.
    pub async fn wait(&self) -> Exit {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await;
        ended.ok().and_then(|exit| *exit).unwrap_or(Exit::Unknown)
    }

    /// Signals its whole process group.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        killpg(Pid::from_raw(self.pid), signal).with_context(|| format!("send {signal} to {}", self.name))
    }

    /// Asks it to end by the signals of its plan, one after another, and kills it when none helps.
    pub async fn stop(&self) -> Stopped {
        if let Some(exit) = self.exited() {
            return Stopped::Already(exit);
        }
        for (signal, patience) in self.plan.steps() {
            // A failed signal means that it has just ended, which the wait then sees.
            let _ = self.signal(signal);
            if let Ok(exit) = tokio::time::timeout(patience, self.wait()).await {
                return Stopped::Asked(exit);
            }
        }
        let _ = self.signal(Signal::SIGKILL);
        self.wait().await;
        Stopped::Killed
    }
}

/// Its own process group keeps a terminal's Ctrl-C away: only the one who started it stops it, in order.
fn command(program: &Program, stdout: Stdio, stderr: Stdio) -> Command {
    let mut command = Command::from(program.to_command());
    command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).process_group(0);
    command
}

/// The pid file goes before the exit is told, so that whoever starts the program again doesn't lose the new one's.
async fn reap(mut child: Child, exit: watch::Sender<Option<Exit>>, pid_file: PathBuf) {
    let ended = child.wait().await.map_or(Exit::Unknown, Exit::from);
    let _ = std::fs::remove_file(pid_file);
    exit.send_replace(Some(ended));
}

/// How long a program may take to heed SIGTERM unless it says otherwise.
pub const DEFAULT_PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
