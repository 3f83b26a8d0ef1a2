//! What processes have used, as Linux counts it.

use std::fs;
use std::time::Duration;

use candlewick_localstack::process::leftovers;
use candlewick_localstack::state::StateDir;

/// Some running processes.
pub struct Processes(Vec<(String, u32)>);

impl Processes {
    pub fn named(state: &StateDir, names: &[&str]) -> Self {
        let alive = leftovers::alive(state).unwrap();
        Self(alive.into_iter().filter(|(name, _)| names.contains(&name.as_str())).collect())
    }

    /// This process itself.
    pub fn own() -> Self {
        Self(vec![("all".to_owned(), std::process::id())])
    }

    /// The CPU time of all of them.
    pub fn cpu(&self) -> Duration {
        self.0.iter().map(|(_, pid)| cpu_of(*pid)).sum()
    }

    /// Begins to measure peaks anew.
    pub fn forget_peaks(&self) {
        self.0.iter().for_each(|(_, pid)| fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap());
    }

    /// The most resident memory that each has had, in megabytes.
    pub fn peaks(&self) -> Vec<(String, f64)> {
        self.0.iter().map(|(name, pid)| (name.clone(), status(*pid, "VmHWM:") / 1000.0)).collect()
    }
}

/// User and system time; Linux shows a hundredth of a second as the unit, whatever the kernel's own.
fn cpu_of(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let behind_name: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = behind_name[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// A line of the status, in kilobytes.
fn status(pid: u32, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
