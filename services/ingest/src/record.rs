//! Tells a run what became of each of its series.

use candlewick_shared::adapters::watchlist_source::NoWatchlist;
use candlewick_shared::core::watchlist::History;
use candlewick_shared::ports::runs::Written;
use candlewick_shared::runtime::outcome::{Outcome, Setback, Settled};

use crate::allowance::Allowance;
use crate::fetch::{Fetching, Task};
use crate::handler::Ingest;
use crate::layout::MEND;

impl Ingest {
    /// Fetches a series for a run, which hears of it. One that the run has already costs no credit again.
    ///
    /// The book is asked before the API is: what it cannot be told of is not fetched either.
    pub(crate) async fn fetch_for_run(&self, task: &Task, allowance: Allowance) -> Outcome {
        let (run, series) = (&task.run, &task.series);
        if self.runs.is_fetched(run, series).await? {
            return Ok(Settled::Superseded(format!("run {run} has {series} already")));
        }
        match self.fetch(task, allowance).await {
            Ok(written) => {
                self.runs.fetched(run, series, &written).await?;
                Ok(Settled::Done)
            }
            Err(Setback::Permanent(failure)) => {
                self.runs.failed(run, series, &format!("{}: {}", failure.class, failure.message)).await?;
                Err(failure.into())
            }
            Err(passing) => Err(passing),
        }
    }

    async fn fetch(&self, task: &Task, allowance: Allowance) -> Result<Vec<Written>, Setback> {
        let history = self.history(task).await?;
        Fetching::new(self, task, history, allowance).run().await
    }

    /// How far back a series is to reach, as the watchlist says now. While that is broken, the series waits as its run does.
    async fn history(&self, task: &Task) -> Result<History, Setback> {
        match self.watchlist.read().await {
            Ok(watchlist) => Ok(watchlist.history(&task.series.symbol)),
            Err(broken @ NoWatchlist::Broken { .. }) => {
                Err(Setback::Later { wait: MEND, reason: format!("{}: {broken}", task.series) })
            }
            Err(unreachable) => Err(unreachable.into()),
        }
    }
}
