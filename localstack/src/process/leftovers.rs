//! Pid files, and stopping by them what a killed run left behind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use nix::sys::signal::killpg;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use nix::sys::signal::Signal;

use super::identity;
use super::program::{Program, StopPlan};
use crate::env_file;
use crate::state::StateDir;

/// A killed process is gone within moments; one that isn't hangs in the kernel, and we can't help it.
const KILL_PATIENCE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What a pid file holds: enough to stop the process, and never another one that has been given its pid since.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    name: String,
    pid: i32,
    started: String,
    order: u128,
    stop: StopPlan,
}

/// A process that a killed run left, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The program's name.
    pub name: String,
    pub pid: u32,
    /// What was done.
    pub outcome: Outcome,
}

/// What was done about a leftover process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing: it had ended, and only its pid file was left.
    Gone,
    /// It ended when asked to.
    Asked,
    /// It did not heed its signals and was killed.
    Killed,
    /// It is still there, even after SIGKILL.
    Stuck,
}

/// Stops all processes whose pid files lie in the state directory, the last started first. Hold the state's lock.
pub async fn stop(state: &StateDir) -> anyhow::Result<Vec<Leftover>> {
    let mut records = records(state)?;
    records.sort_by_key(|(_, record)| std::cmp::Reverse(record.order));
    let mut leftovers = Vec::with_capacity(records.len());
    for (path, record) in records {
        let outcome = end(&record).await;
        if outcome != Outcome::Stuck {
            remove(&path).with_context(|| format!("remove pid file {}", path.display()))?;
        }
        leftovers.push(Leftover { name: record.name, pid: record.pid.unsigned_abs(), outcome });
    }
    Ok(leftovers)
}

/// The names and pids of the processes that pid files name and that are alive.
pub fn alive(state: &StateDir) -> anyhow::Result<Vec<(String, u32)>> {
    let records = records(state)?.into_iter().map(|(_, record)| record);
    Ok(records.filter(Record::is_alive).map(|record| (record.name, record.pid.unsigned_abs())).collect())
}

/// Writes the pid file of a process that has just been started.
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

    /// Looks once more just before the signal: the pid may have changed hands since.
    fn signal(&self, signal: Signal) {
        if self.is_alive() {
            let _ = killpg(Pid::from_raw(self.pid), signal);
        }
    }

    /// It is not our child, so there is nothing to wait on but a look now and then.
    async fn gone_within(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        true
    }
}

async fn end(record: &Record) -> Outcome {
    if !record.is_alive() {
        return Outcome::Gone;
    }
    for (signal, patience) in record.stop.steps() {
        record.signal(signal);
        if record.gone_within(patience).await {
            return Outcome::Asked;
        }
    }
    record.signal(Signal::SIGKILL);
    if record.gone_within(KILL_PATIENCE).await { Outcome::Killed } else { Outcome::Stuck }
}

/// A pid file that can't be read is an error, not skipped: its process would go on unseen.
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

/// Whoever started the process may have seen its end before us, and removed the file.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn read(path: &Path) -> anyhow::Result<Record> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}
