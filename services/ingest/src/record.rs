//! Tells a run what became of each of its series.

use candlewick_shared::adapters::watchlist_source::NoWatchlist;
use candlewick_shared::runtime::outcome::{Outcome, Setback, Settled};

use crate::allowance::Allowance;
use crate::fetch::{Ended, Fetching, Settings, Task};
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
            Ok(Ended::Written(written)) => {
                self.runs.fetched(run, series, &written).await?;
                Ok(Settled::Done)
            }
            // The owner hears of it from the run, or of its own alert; there is nothing to send again.
            Ok(Ended::Refused { class, reason }) => {
                tracing::warn!(%series, class, "nothing is taken: {reason}");
                self.runs.failed(run, series, &format!("{class}: {reason}")).await?;
                Ok(Settled::Superseded(format!("{class}: {reason}")))
            }
            Err(Setback::Permanent(failure)) => {
                self.runs.failed(run, series, &format!("{}: {}", failure.class, failure.message)).await?;
                Err(failure.into())
            }
            Err(passing) => Err(passing),
        }
    }

    async fn fetch(&self, task: &Task, allowance: Allowance) -> Result<Ended, Setback> {
        let settings = self.settings(task).await?;
        Fetching::new(self, task, settings, allowance).run().await
    }

    /// What the watchlist says now. While that is broken, the series waits as its run does.
    async fn settings(&self, task: &Task) -> Result<Settings, Setback> {
        match self.watchlist.read().await {
            Ok(watchlist) => {
                let symbol = &task.series.symbol;
                Ok(Settings { history: watchlist.history(symbol), cleaning: watchlist.cleaning(symbol).clone() })
            }
            Err(broken @ NoWatchlist::Broken { .. }) => {
                Err(Setback::Later { wait: MEND, reason: format!("{}: {broken}", task.series) })
            }
            Err(unreachable) => Err(unreachable.into()),
        }
    }
}
