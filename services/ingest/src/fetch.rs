//! Fetches one series for a run, and records in the run what became of it.

pub mod alerts;
pub mod answer;
mod asker;
pub mod candles;
pub mod client;
pub mod failure;
pub mod identity;
pub mod kept;
pub mod kept_object;
pub mod loss;
pub mod overlap;
pub mod plan;
mod series;
mod stored;
pub mod task;
pub mod transport;
mod writing;

use candlewick_shared::adapters::watchlist_source::NoWatchlist;
use candlewick_shared::runtime::outcome::{Outcome, Setback, Settled};

use crate::context::{Ingest, WATCHLIST_RETRY};
use crate::credits::allowance::Allowance;
use crate::fetch::series::Fetching;
use crate::fetch::task::{Ended, Settings, Task};

/// Handles one fetch message. A series that the run has already costs no second credit.
///
/// The run is read before the API is asked: a result that cannot be recorded must not be paid for.
pub async fn handle(ingest: &Ingest, task: &Task, allowance: Allowance) -> Outcome {
    let run = &task.run;
    let series = &task.series;
    if ingest.runs.is_fetched(run, series).await? {
        return Ok(Settled::Superseded(format!("run {run} has {series} already")));
    }
    match fetch(ingest, task, allowance).await {
        Ok(Ended::Written(written)) => {
            ingest.runs.fetched(run, series, &written).await?;
            Ok(Settled::Done)
        }
        // The run or an alert informs the owner. Sending the message again would change nothing.
        Ok(Ended::Refused { class, reason }) => {
            tracing::warn!(%series, class, "refused: {reason}");
            ingest.runs.failed(run, series, &format!("{class}: {reason}")).await?;
            Ok(Settled::Superseded(format!("{class}: {reason}")))
        }
        Err(Setback::Permanent(failure)) => {
            ingest.runs.failed(run, series, &format!("{}: {}", failure.class, failure.message)).await?;
            Err(failure.into())
        }
        Err(passing) => Err(passing),
    }
}

async fn fetch(ingest: &Ingest, task: &Task, allowance: Allowance) -> Result<Ended, Setback> {
    let settings = settings(ingest, task).await?;
    Fetching::new(ingest, task, settings, allowance).run().await
}

/// The instrument's settings in the current watchlist. While that is invalid the series waits.
async fn settings(ingest: &Ingest, task: &Task) -> Result<Settings, Setback> {
    match ingest.watchlist.read().await {
        Ok(watchlist) => {
            let symbol = &task.series.symbol;
            Ok(Settings { history: watchlist.history(symbol), cleaning: watchlist.cleaning(symbol).clone() })
        }
        Err(broken @ (NoWatchlist::Broken { .. } | NoWatchlist::BadCalendar(_))) => {
            Err(Setback::Later { wait: WATCHLIST_RETRY, reason: format!("{}: {broken}", task.series) })
        }
        Err(unreachable) => Err(unreachable.into()),
    }
}
