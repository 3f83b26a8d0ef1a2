//! The processes below a process, also those that left its group: Airflow's tasks have groups of their own.

use std::collections::BTreeMap;
use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::identity;

/// Processes and their start times, because a pid may be reused.
#[derive(Debug)]
pub(super) struct Descendants(Vec<(i32, String)>);

impl Descendants {
    /// Those that are below a process now. Only Linux shows them without a program.
    pub(super) fn of(pid: i32) -> Self {
        let parents: BTreeMap<i32, i32> = pids().filter_map(|pid| Some((pid, parent(pid)?))).collect();
        let mut found = vec![pid];
        let mut next = 0;
        while let Some(above) = found.get(next).copied() {
            found.extend(parents.iter().filter(|(_, parent)| **parent == above).map(|(pid, _)| *pid));
            next += 1;
        }
        Self(found.into_iter().skip(1).filter_map(|pid| Some((pid, identity::started(pid)?))).collect())
    }

    /// Kills those that still live.
    pub(super) fn kill(&self) {
        let alive = |(pid, started): &&(i32, String)| identity::started(*pid).as_ref() == Some(started);
        for (pid, _) in self.0.iter().filter(alive) {
            let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
        }
    }
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The name of the program is in parentheses and may itself contain parentheses and spaces.
fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}
