//! What a handler can say of its work.

use anyhow::anyhow;
use std::time::Duration;

use crate::adapters::database::DatabaseError;
use crate::adapters::watchlist_source::NoWatchlist;
use crate::core::blame::Blame;
use crate::ports::queue::QueueError;
use crate::ports::runs::RunsError;
use crate::ports::store::StoreError;

/// What a handler says of a message, or of one object in it.
pub type Outcome = Result<Settled, Setback>;

/// The work is settled: the message is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is done, and durable.
    Done,
    /// There was nothing to do, for this reason: somebody else did it, or will.
    Superseded(String),
    /// There was nothing to do, for this reason, and what the work needs was not asked for anything: it may be down.
    Unseen(String),
}

/// The work is not settled.
#[derive(Debug)]
pub enum Setback {
    /// It can never succeed: the message goes to the dead-letter queue at once.
    Permanent(Failure),
    /// It failed in a way that nobody foresaw; it is tried again, a bounded number of times.
    Retry(anyhow::Error),
    /// It failed, and it is not clear whether because of the message or of what the work needs: the message's while others
    /// succeed, and an outage when others meet the like and none succeeds.
    Unclear {
        /// The class of the dead letter, if it is the message's.
        class: &'static str,
        /// What failed.
        error: anyhow::Error,
    },
    /// Something that it needs is down. It is tried again for as long as that lasts, and meanwhile nothing is received.
    Down(anyhow::Error),
    /// It cannot be done before some time has passed. That is nobody's failure, and does not count as one.
    Later {
        /// How long to wait.
        wait: Duration,
        /// Why.
        reason: String,
    },
    /// Its lease ended: somebody else may be at it, and it was given up here.
    LeaseLost {
        /// Whether the queue refused extensions or did not answer: then the work is not what cost the lease.
        by_queue: bool,
    },
}

/// Why work can never succeed, for the person who reads the dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The kind of failure, in one word, by which dead letters are counted and redriven: `unreadable_object`.
    pub class: &'static str,
    /// What is wrong, where, and what to do next.
    pub message: String,
    /// The trace of the work, where it has one.
    pub trace_id: Option<String>,
}

impl Failure {
    /// A failure of a class.
    pub fn new(class: &'static str, message: impl ToString) -> Self {
        Self { class, message: message.to_string(), trace_id: None }
    }

    /// The same failure, with the trace it belongs to.
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
    /// The setback of work that met an error, by whose failure that is.
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

/// A watchlist that is broken is mended by its owner: until then what needs it waits, and none of it is given up.
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
