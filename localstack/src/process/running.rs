//! A running child process.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::descendants::Descendants;
use super::exit::Exit;
use super::program::{Program, StopPlan};
use super::{leftovers, log};
use crate::state::StateDir;

/// The result of [`Process::stop`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It had already ended.
    Already(Exit),
    /// It ended after a signal of its stop plan.
    Asked(Exit),
    /// It ignored the signals of its stop plan and was killed.
    Killed,
}

/// A handle to a running program. Clones refer to the same process.
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
    /// Starts the program. Must be called within a tokio runtime.
    pub fn start(program: &Program, state: &StateDir) -> anyhow::Result<Self> {
        let log = state.log(&program.name);
        let (stdout, stderr, log_start) = log::open(&log)?;
        let mut child = command(program, stdout.into(), stderr.into())
            .spawn()
            .with_context(|| format!("start {} ({})", program.name, program.path.display()))?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).context("get the pid of a new process")?;
        // Without a pid file, a later run could not stop the process.
        let pid_file = leftovers::record(state, program, pid).inspect_err(|_| drop(child.start_kill()))?;
        let (sender, exit) = watch::channel(None);
        tokio::spawn(reap(child, pid, sender, pid_file));
        Ok(Self { name: program.name.clone(), pid, log, log_start, plan: program.stop.clone(), exit })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn pid(&self) -> u32 {
        self.pid.unsigned_abs()
    }

    /// Returns the file that receives its output.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Returns the last lines that it has written. The log may also contain lines of earlier runs, which are left out.
    pub fn last_lines(&self, count: usize) -> Vec<String> {
        log::last_lines(&self.log, self.log_start, count)
    }

    /// Returns how it ended, or `None` if it is still running.
    pub fn exited(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Waits until it ends.
    pub async fn wait(&self) -> Exit {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await;
        ended.ok().and_then(|exit| *exit).unwrap_or(Exit::Unknown)
    }

    /// Sends a signal to its process group.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        killpg(Pid::from_raw(self.pid), signal).with_context(|| format!("send {signal} to {}", self.name))
    }

    /// Sends the signals of its stop plan one after another, and kills it if it ignores them. What is left of the processes
    /// below it is killed.
    pub async fn stop(&self) -> Stopped {
        if let Some(exit) = self.exited() {
            return Stopped::Already(exit);
        }
        let below = Descendants::of(self.pid);
        let stopped = self.end().await;
        below.kill();
        stopped
    }

    async fn end(&self) -> Stopped {
        for (signal, patience) in self.plan.steps() {
            // A signal fails if the process has just ended, which the wait then notices.
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

/// The separate process group shields the program from Ctrl-C in the terminal, so that only its parent stops it.
fn command(program: &Program, stdout: Stdio, stderr: Stdio) -> Command {
    let mut command = Command::from(program.to_command());
    command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).process_group(0);
    command
}

/// What it started and left in its group ends with it: the workers of a killed scheduler, for example, would wait forever.
///
/// The pid file is removed before the exit is published. Otherwise it could be the one of a program that was started again.
async fn reap(mut child: Child, pid: i32, exit: watch::Sender<Option<Exit>>, pid_file: PathBuf) {
    let ended = child.wait().await.map_or(Exit::Unknown, Exit::from);
    let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
    let _ = std::fs::remove_file(pid_file);
    exit.send_replace(Some(ended));
}
