//! The service's own clock, where no other schedule sends it the message that a refresh is due.

use std::sync::Arc;
use std::time::Duration;

use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::ingest_message::{IngestMessage, Refresh};
use candlewick_shared::ports::clock::Now;
use candlewick_shared::ports::queue::{NewMessage, Queue};
use candlewick_shared::ports::runs::Runs;
use candlewick_shared::runtime::backoff::Backoff;
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::context::Ingest;
use crate::refresh::schedule::{Decision, Schedule};

/// How long it sleeps at the most: the machine's clock may be set, or the machine may sleep, meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// How long it waits before it tries again what failed.
const RETRY: Backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(60) };

/// Sends, whenever a refresh is due, the message that a schedule in the cloud would send.
pub struct Cron {
    /// When a refresh is due.
    pub schedule: Schedule,
    /// The queue of ingest.
    pub queue: Arc<dyn Queue>,
    /// The book that says which refresh was the last one.
    pub runs: Arc<dyn Runs>,
    /// The time.
    pub now: Now,
    /// How that time passes.
    pub clock: Clock,
}

/// Starts the cron of a service that has a schedule; it ends at the stop.
pub fn start(schedule: Option<Schedule>, clock: Clock, ingest: &Ingest, stop: CancellationToken) -> JoinHandle<()> {
    let queue = Arc::clone(&ingest.queue);
    let runs = Arc::clone(&ingest.runs);
    let now = Arc::clone(&ingest.now);
    let cron = schedule.map(|schedule| Cron { schedule, queue, runs, now, clock });
    tokio::spawn(async move {
        match cron {
            Some(cron) => cron.run(stop).await,
            None => tracing::info!("no SCHEDULE is set: a refresh is begun by messages only"),
        }
    })
}

impl Cron {
    /// Works until `stop` is cancelled.
    ///
    /// What it sent and what was done stands in the book of runs. Where it died in between, or where two work side by side,
    /// the same message is sent twice: it names the same run, which is done once.
    pub async fn run(self, stop: CancellationToken) {
        let _ = stop.run_until_cancelled(self.work()).await;
    }

    async fn work(&self) {
        let mut last = self.newest_run().await;
        loop {
            match self.schedule.decide(last, (self.now)()) {
                Decision::Due { at, late } => {
                    self.send(at, late).await;
                    last = at;
                }
                Decision::Wait { until } => tokio::time::sleep(self.nap((self.now)(), until)).await,
                Decision::Never => {
                    return tracing::warn!("the schedule has no time to come: nothing is refreshed by itself");
                }
            }
        }
    }

    /// When the last refresh was due; in a book without one nothing was missed.
    async fn newest_run(&self) -> Timestamp {
        let mut failures = 0;
        loop {
            let now = (self.now)();
            match self.runs.newest_whole(now).await {
                Ok(newest) => return newest.unwrap_or(now),
                Err(error) => wait(&mut failures, &error).await,
            }
        }
    }

    async fn send(&self, due: Timestamp, late: bool) {
        let message = message(due, late);
        let mut failures = 0;
        while let Err(error) = self.try_send(&message).await {
            wait(&mut failures, &error).await;
        }
        tracing::info!(%due, late, "a refresh is due");
    }

    async fn try_send(&self, message: &IngestMessage) -> anyhow::Result<()> {
        let body = serde_json::to_string(message)?;
        Ok(self.queue.send(&[NewMessage { body, ..NewMessage::default() }]).await?)
    }

    fn nap(&self, now: Timestamp, until: Timestamp) -> Duration {
        self.clock.lasts(until.duration_since(now)).clamp(Duration::from_millis(1), LONGEST_SLEEP)
    }
}

async fn wait(failures: &mut u32, error: &(dyn std::fmt::Display + Send + Sync)) {
    *failures += 1;
    let wait = RETRY.wait(*failures);
    tracing::warn!("{error}; the schedule tries again in {wait:.1?}");
    tokio::time::sleep(wait).await;
}

/// A refresh that comes late asks only for what nobody fetched since it was due.
fn message(due: Timestamp, late: bool) -> IngestMessage {
    let fetched_before = late.then_some(due);
    IngestMessage::Refresh(Refresh { scheduled: Some(due), catch_up: late, fetched_before, ..Refresh::default() })
}
