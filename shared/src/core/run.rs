//! A run: one refresh, from the message that asks for it to the last series that is loaded or failed.

use std::fmt;

use jiff::Timestamp;

/// One refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The id, which is never reused.
    pub id: String,
    /// What caused the run.
    pub kind: RunKind,
    /// When the run was due or requested, by Candlewick's clock.
    pub requested_at: Timestamp,
    /// Whether the run covers the whole watchlist and not only some symbols.
    pub is_whole: bool,
}

/// What caused a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// The schedule was due.
    Scheduled,
    /// A person asked for it.
    Manual,
    /// The schedule was due while ingest was not running.
    CatchUp,
}

impl RunKind {
    /// Returns the name in the database, such as `catch_up`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Manual => "manual",
            Self::CatchUp => "catch_up",
        }
    }
}

impl fmt::Display for RunKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// Returns the id of the run that was due at a time, such as `20241230T223000-scheduled`. All messages about the same
/// due time therefore ask for the same run.
#[must_use]
pub fn scheduled_id(due: Timestamp) -> String {
    due.strftime("%Y%m%dT%H%M%S-scheduled").to_string()
}
