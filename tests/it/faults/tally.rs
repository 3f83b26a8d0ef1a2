//! Counts the faults of a run by kind.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, ensure};

use super::support::Environment;

/// The kinds of faults that every run must have.
const KINDS: [&str; 32] = [
    "archived object",
    "leftover of a tool",
    "kill -9 of ingest",
    "kill -9 of loader",
    "kill -9 of notifier",
    "kill -9 of transform",
    "restart of PostgreSQL",
    "S3: connection cut",
    "S3: connection delayed",
    "S3: connection truncated",
    "SQS: connection cut",
    "SQS: connection delayed",
    "SQS: connection truncated",
    "PostgreSQL: connection cut",
    "PostgreSQL: connection delayed",
    "PostgreSQL: connection truncated",
    "delay longer than a lease",
    "message sent again",
    "message held back behind others",
    "object overwritten in flight",
    "broken object",
    "starving object",
    "huge object",
    ODD_KEY,
    ODD_ROW,
    ODD_MESSAGE,
    "invalid message, or one about nothing",
    "revoked rights",
    "dropped table",
    "dropped schema",
    "statement timeout",
    OUTAGE,
];

pub const ODD_KEY: &str = "key with control characters or invisible marks";
pub const ODD_ROW: &str = "row with control characters or invisible marks";
pub const ODD_MESSAGE: &str = "message with control characters or invisible marks";

/// An outage that lasts so long that the owner is informed.
pub const OUTAGE: &str = "outage with an alert";

/// Faults that are found in the services' logs, because the run causes them but does not inject them.
const SEEN: [(&str, &str); 3] = [
    ("seen: work given up with its lease", "the lease was lost"),
    ("seen: outage noticed", "; receiving again in"),
    ("seen: work settled by somebody else", "settled=Superseded"),
];

/// The number of faults of each kind.
#[derive(Debug, Default)]
pub struct Tally {
    counts: Mutex<BTreeMap<String, u64>>,
}

impl Tally {
    fn counts(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn add(&self, kind: impl Into<String>, count: u64) {
        *self.counts().entry(kind.into()).or_default() += count;
    }

    /// Counts the faults in the logs.
    pub fn observe(&self, environment: &Environment) -> anyhow::Result<()> {
        for log in environment.logs() {
            let text = std::fs::read_to_string(&log).with_context(|| format!("read {}", log.display()))?;
            for (kind, words) in SEEN {
                self.add(kind, text.matches(words).count() as u64);
            }
        }
        Ok(())
    }

    /// A run without a kind of fault would prove nothing about that kind.
    pub fn ensure_every_kind(&self) -> anyhow::Result<()> {
        let missing = self.missing();
        ensure!(missing.is_empty(), "the run had none of these faults: {missing:?}");
        Ok(())
    }

    /// Whether the network has failed in each of its ways. That depends on how much the services have sent so far.
    pub fn has_every_fault_of_the_network(&self) -> bool {
        !self.missing().iter().any(|kind| kind.contains(": connection "))
    }

    fn missing(&self) -> Vec<&'static str> {
        let counts = self.counts();
        KINDS.into_iter().filter(|kind| counts.get(*kind).is_none_or(|count| *count == 0)).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts().iter().try_for_each(|(kind, count)| writeln!(formatter, "{count:>6}  {kind}"))
    }
}
