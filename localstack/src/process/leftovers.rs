//! Pid files, and stopping the processes of a killed run that they name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use nix::sys::signal::killpg;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use nix::sys::signal::Signal;

use super::descendants::Descendants;
use super::identity;
use super::program::{Program, StopPlan};
use crate::env_file;
use crate::state::StateDir;

/// A killed process normally ends at once. If it does not, it hangs in the kernel and cannot be helped.
const KILL_PATIENCE: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The content of a pid file: what is needed to stop the process, but not a later one with the same pid.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    name: String,
    pid: i32,
    started: String,
    order: u128,
    stop: StopPlan,
}

/// A process that a killed run left running, and how it was stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The name of the program.
    pub name: String,
    pub pid: u32,
    pub outcome: Outcome,
}

/// How a leftover process was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It had already ended, and only its pid file was left.
    Gone,
    /// It ended after a signal of its stop plan.
    Asked,
    /// It ignored the signals of its stop plan and was killed.
    Killed,
    /// It is still alive, even after SIGKILL.
    Stuck,
}

/// Stops all processes that have a pid file in the state directory, the last started first. The caller must hold the lock of
/// the state directory.
pub async fn stop(state: &StateDir) -> anyhow::Result<Vec<Leftover>> {
    let mut records = records(state)?;
    records.sort_by_key(|(_, record)| std::cmp::Reverse(record.order));
    let mut leftovers = Vec::with_capacity(records.len());
    for (path, record) in records {
        let below = Descendants::of(record.pid);
        let outcome = record.stop().await;
        if outcome != Outcome::Gone {
            below.kill();
        }
        if outcome != Outcome::Stuck {
            remove(&path).with_context(|| format!("remove pid file {}", path.display()))?;
        }
        leftovers.push(Leftover { name: record.name, pid: record.pid.unsigned_abs(), outcome });
    }
    Ok(leftovers)
}

/// Returns the names and pids of the live processes that have a pid file.
pub fn alive(state: &StateDir) -> anyhow::Result<Vec<(String, u32)>> {
    let records = records(state)?.into_iter().map(|(_, record)| record);
    Ok(records.filter(Record::is_alive).map(|record| (record.name, record.pid.unsigned_abs())).collect())
}

/// Writes the pid file of a process that was just started.
pub(super) fn record(state: &StateDir, program: &Program, pid: i32) -> anyhow::Result<PathBuf> {
    let path = state.pid_file(&program.name);
    let record = Record {
        name: program.name.clone(),
        pid,
        started: identity::started(pid).unwrap_or_default(),
        order: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos(),
        stop: program.stop.clone(),
    };
    let text = serde_json::to_vec(&record).context("encode pid file")?;
    env_file::replace(&path, &state.run_dir(), &text).with_context(|| format!("write pid file {}", path.display()))?;
    Ok(path)
}

impl Record {
    fn is_alive(&self) -> bool {
        identity::started(self.pid).is_some_and(|started| started == self.started)
    }

    /// Sends a signal. Checks again right before it, because the pid may have been reused.
    fn signal(&self, signal: Signal) {
        if self.is_alive() {
            let _ = killpg(Pid::from_raw(self.pid), signal);
        }
    }

    /// Polls, because the process is not our child and cannot be waited for.
    async fn gone_within(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        true
    }

    async fn stop(&self) -> Outcome {
        if !self.is_alive() {
            return Outcome::Gone;
        }
        for (signal, patience) in self.stop.steps() {
            self.signal(signal);
            if self.gone_within(patience).await {
                // What it left in its group ends with it. It was alive a moment ago, so its pid has no other owner yet.
                let _ = killpg(Pid::from_raw(self.pid), Signal::SIGKILL);
                return Outcome::Asked;
            }
        }
        self.signal(Signal::SIGKILL);
        if self.gone_within(KILL_PATIENCE).await { Outcome::Killed } else { Outcome::Stuck }
    }
}

/// A pid file that cannot be read is an error, because its process would otherwise keep running unnoticed.
fn records(state: &StateDir) -> anyhow::Result<Vec<(PathBuf, Record)>> {
    let dir = state.run_dir();
    let files = fs::read_dir(&dir).with_context(|| format!("list {}", dir.display()))?;
    let mut records = Vec::new();
    for file in files {
        let path = file.with_context(|| format!("list {}", dir.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "pid") {
            let record = read(&path).with_context(|| format!("read pid file {}", path.display()))?;
            records.push((path, record));
        }
    }
    Ok(records)
}

/// The process that started it may already have removed the file.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn read(path: &Path) -> anyhow::Result<Record> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}
