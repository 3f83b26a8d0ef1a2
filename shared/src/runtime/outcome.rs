//! The outcomes of a handler.

use anyhow::anyhow;
use std::time::Duration;

use crate::adapters::database::DatabaseError;
use crate::adapters::watchlist_source::NoWatchlist;
use crate::core::blame::Blame;
use crate::ports::queue::QueueError;
use crate::ports::runs::RunsError;
use crate::ports::store::StoreError;

/// The outcome of a message, or of one object in it.
pub type Outcome = Result<Settled, Setback>;

/// The work is settled, and the message is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The work is done and durable.
    Done,
    /// There was nothing to do, for this reason: it was done elsewhere, or will be.
    Superseded(String),
    /// There was nothing to do, for this reason, and no dependency was used: one may be down.
    Unseen(String),
}

/// The work is not settled.
#[derive(Debug)]
pub enum Setback {
    /// It can never succeed. The message goes to the dead-letter queue at once.
    Permanent(Failure),
    /// It failed unexpectedly. It is tried again, a bounded number of times.
    Retry(anyhow::Error),
    /// It failed, and either the message or a dependency is to blame: the message while others succeed, the dependency
    /// while other messages fail too and none succeeds.
    Unclear {
        /// The class of the dead letter, if the message is to blame.
        class: &'static str,
        /// The error that caused the setback.
        error: anyhow::Error,
    },
    /// A dependency is down. The work is tried again for as long as that lasts, and nothing is received meanwhile.
    Down(anyhow::Error),
    /// It cannot be done before some time has passed. This does not count as a failure.
    Later {
        /// How long to wait before the next try.
        wait: Duration,
        /// Why the work has to wait.
        reason: String,
    },
    /// The lease ended and the work was dropped: another consumer may have the message.
    LeaseLost {
        /// Whether the queue refused or failed to extend the lease. Then the work is not to blame for the loss.
        by_queue: bool,
    },
}

/// Why work can never succeed, for the person who reads the dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The class of the failure in one word, by which dead letters are counted and redriven: `unreadable_object`.
    pub class: &'static str,
    /// What is wrong, where, and what to do next.
    pub message: String,
    /// The id of the trace of the work, if it has one.
    pub trace_id: Option<String>,
}

impl Failure {
    /// A failure of this class.
    pub fn new(class: &'static str, message: impl ToString) -> Self {
        Self { class, message: message.to_string(), trace_id: None }
    }

    /// The same failure with the id of its trace.
    #[must_use]
    pub fn traced(self, trace_id: Option<String>) -> Self {
        Self { trace_id, ..self }
    }
}

impl From<Failure> for Setback {
    fn from(failure: Failure) -> Self {
        Self::Permanent(failure)
    }
}

impl Setback {
    /// The setback that follows from whose failure an error is.
    pub fn blamed(blame: Blame, error: anyhow::Error) -> Self {
        match blame {
            Blame::Message(class) => Self::Permanent(Failure::new(class, format!("{error:#}"))),
            Blame::Try => Self::Retry(error),
            Blame::Dependency => Self::Down(error),
            Blame::Evidence(class) => Self::Unclear { class, error },
        }
    }
}

impl From<StoreError> for Setback {
    fn from(error: StoreError) -> Self {
        Self::blamed(error.blame, anyhow!(error))
    }
}

impl From<QueueError> for Setback {
    fn from(error: QueueError) -> Self {
        Self::blamed(error.blame, anyhow!(error))
    }
}

impl From<DatabaseError> for Setback {
    fn from(error: DatabaseError) -> Self {
        Self::blamed(error.blame(), anyhow!(error))
    }
}

impl From<RunsError> for Setback {
    fn from(error: RunsError) -> Self {
        match error {
            RunsError::Down(_) => Self::Down(anyhow!(error)),
            RunsError::Refused(_) => Self::Retry(anyhow!(error)),
        }
    }
}

/// The owner has to fix a broken watchlist. Until then the work that needs it waits, and none of it is given up.
impl From<NoWatchlist> for Setback {
    fn from(error: NoWatchlist) -> Self {
        Self::Down(anyhow!(error))
    }
}

impl From<anyhow::Error> for Setback {
    fn from(error: anyhow::Error) -> Self {
        Self::Retry(error)
    }
}
