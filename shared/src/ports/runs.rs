//! Records of runs: what each refresh expects and what became of it.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::core::key::{ObjectPath, Series};
use crate::core::run::Run;

/// A store of runs. Every call is idempotent: repeating it changes nothing.
///
/// The call that settles the last pending series or page of a run also ends the run and stores its counts.
#[async_trait]
pub trait Runs: Send + Sync {
    /// Begins a run on behalf of a message, and returns whether this message is to create the run's fetch messages. If
    /// two messages ask for the same run, only the first one is. A run that was given up before its messages were
    /// created is begun again.
    async fn begin(&self, run: &Run, message: &str, now: Timestamp) -> Result<bool, RunsError>;

    /// Returns how many pages of a run are done, or `None` if the run has ended or was never begun.
    async fn pages(&self, run: &str) -> Result<Option<u32>, RunsError>;

    /// Adds series to those that a run expects. Call it before sending their fetch messages. It also clears the reason
    /// for which the run was waiting.
    async fn expect(&self, run: &str, series: &[Series]) -> Result<(), RunsError>;

    /// Records that all fetch messages of a page were sent, and whether the page was the last one.
    async fn page_done(&self, run: &str, page: u32, is_last: bool) -> Result<(), RunsError>;

    /// Records why a run cannot continue for now.
    async fn waits(&self, run: &str, reason: &str) -> Result<(), RunsError>;

    /// Ends a run whose fetch messages can never be created.
    async fn give_up(&self, run: &str, reason: &str) -> Result<(), RunsError>;

    /// Whether a series has already been fetched for a run, or need not be fetched.
    async fn is_fetched(&self, run: &str, series: &Series) -> Result<bool, RunsError>;

    /// Records that a series was fetched, with the raw objects that were written. An empty slice means that the source
    /// had nothing new.
    async fn fetched(&self, run: &str, series: &Series, written: &[Written]) -> Result<(), RunsError>;

    /// Records that a series of a run can never be loaded.
    async fn failed(&self, run: &str, series: &Series, reason: &str) -> Result<(), RunsError>;

    /// Returns when the newest run of the whole watchlist was due or requested, considering only runs up to the time
    /// `by`. A run that was requested by the API counts once it has begun, because its message may never have been sent.
    async fn newest_whole(&self, by: Timestamp) -> Result<Option<Timestamp>, RunsError>;
}

/// A raw object that was written for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The series and the part of it that the object holds.
    pub path: ObjectPath,
    /// When the source sent the data.
    pub fetched_at: Timestamp,
}

/// The records of runs could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RunsError {
    /// The database is unavailable. The same request can succeed later.
    #[error("{0}")]
    Down(String),
    /// The database rejected the request.
    #[error("{0}")]
    Refused(String),
}
