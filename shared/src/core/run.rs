//! A run: one refresh, from the message that asks for it to the last series that is loaded or failed.

use std::fmt;

use jiff::Timestamp;

/// One refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its name, unique for ever.
    pub id: String,
    /// Why there is one.
    pub kind: RunKind,
    /// When it was due, or asked for, by Candlewick's clock.
    pub requested_at: Timestamp,
    /// Whether it is of the whole watchlist, and not of some symbols.
    pub is_whole: bool,
}

/// Why there is a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// The schedule was due.
    Scheduled,
    /// Somebody asked for it.
    Manual,
    /// The schedule had been due while nobody was there.
    CatchUp,
}

impl RunKind {
    /// Its name in the database.
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

/// The name of the run that was due at a time: `20241230T223000-scheduled`. Whoever says that it is due says it of the same
/// run, however often.
#[must_use]
pub fn scheduled_id(due: Timestamp) -> String {
    due.strftime("%Y%m%dT%H%M%S-scheduled").to_string()
}
