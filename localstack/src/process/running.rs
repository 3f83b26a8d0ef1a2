//! A running child process.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::exit::Exit;
use super::program::{Program, StopPlan};
use super::{leftovers, log};
use crate::state::StateDir;

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
