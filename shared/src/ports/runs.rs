//! The book of runs: what each refresh expects, and what became of it.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::core::key::{ObjectPath, Series};
use crate::core::run::Run;

/// Where runs are recorded. Each call can be made again: the second time changes nothing.
///
/// A run ends, with its counts, in the call that settles the last thing that it waits for.
#[async_trait]
pub trait Runs: Send + Sync {
    /// Begins a run in the name of a message, and says whether that message is the one to lay it out: of two that ask for
    /// the same run only the first is. A run that was given up before it was laid out is begun again.
    async fn begin(&self, run: &Run, message: &str, now: Timestamp) -> Result<bool, RunsError>;

    /// How many pages of a run are laid out; none where the run has ended, or was never begun.
    async fn pages(&self, run: &str) -> Result<Option<u32>, RunsError>;

    /// Adds series to what a run expects; to be called before anybody is asked for them. The run goes on, and no longer says
    /// why it waited.
    async fn expect(&self, run: &str, series: &[Series]) -> Result<(), RunsError>;

    /// Notes that a page of a run is laid out, and whether it was the last.
    async fn page_done(&self, run: &str, page: u32, is_last: bool) -> Result<(), RunsError>;

    /// Notes why a run cannot go on for now.
    async fn waits(&self, run: &str, reason: &str) -> Result<(), RunsError>;

    /// Ends a run that can never be laid out.
    async fn give_up(&self, run: &str, reason: &str) -> Result<(), RunsError>;

    /// Whether a series was fetched for a run already, or need not be.
    async fn is_fetched(&self, run: &str, series: &Series) -> Result<bool, RunsError>;

    /// Notes that a series was fetched, and the raw objects that were written; none says that there was nothing new.
    async fn fetched(&self, run: &str, series: &Series, written: &[Written]) -> Result<(), RunsError>;

    /// Notes that a series of a run can never be loaded.
    async fn failed(&self, run: &str, series: &Series, reason: &str) -> Result<(), RunsError>;

    /// When the newest run of the whole watchlist was due or asked for, among those that were by a time.
    async fn newest_whole(&self, by: Timestamp) -> Result<Option<Timestamp>, RunsError>;
}

/// A raw object that was written for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub path: ObjectPath,
    /// When the source said it.
    pub fetched_at: Timestamp,
}

/// The book could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RunsError {
    /// It is not there now: nothing is wrong with what was asked.
    #[error("{0}")]
    Down(String),
    /// It refused.
    #[error("{0}")]
    Refused(String),
}
