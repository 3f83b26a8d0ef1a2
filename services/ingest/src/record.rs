//! Tells a run what became of each of its series.

use candlewick_shared::runtime::outcome::{Outcome, Setback, Settled};

use crate::handler::{Ingest, Task};

impl Ingest {
    /// Fetches a series for a run, which hears of it. One that the run has already costs no credit again.
    ///
    /// The book is asked before the API is: what it cannot be told of is not fetched either.
    pub(crate) async fn fetch_for_run(&self, task: &Task) -> Outcome {
        let (run, series) = (&task.run, &task.series);
        if self.runs.is_fetched(run, series).await? {
            return Ok(Settled::Superseded(format!("run {run} has {series} already")));
        }
        match self.fetch(task).await {
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
}
