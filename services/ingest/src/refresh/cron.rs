//! The built-in schedule, for deployments in which nothing else sends refresh messages.

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

/// The longest sleep. The clock may be set or the machine suspended meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

const RETRY: Backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(60) };

/// Sends a refresh message whenever one is due, as EventBridge Scheduler does in the cloud.
pub struct Cron {
    pub schedule: Schedule,
    /// The ingest queue.
    pub queue: Arc<dyn Queue>,
    /// Which refresh was the last one.
    pub runs: Arc<dyn Runs>,
    pub now: Now,
    /// How fast the time of `now` passes.
    pub clock: Clock,
}

/// Starts the schedule, if there is one. The task ends when `stop` is cancelled.
pub fn start(schedule: Option<Schedule>, clock: Clock, ingest: &Ingest, stop: CancellationToken) -> JoinHandle<()> {
    let queue = Arc::clone(&ingest.queue);
    let runs = Arc::clone(&ingest.runs);
    let now = Arc::clone(&ingest.now);
    let cron = schedule.map(|schedule| Cron { schedule, queue, runs, now, clock });
    tokio::spawn(async move {
        match cron {
            Some(cron) => cron.run(stop).await,
            None => tracing::info!("SCHEDULE is not set: refreshes start only by message"),
        }
    })
}

impl Cron {
    /// Runs until `stop` is cancelled.
    ///
    /// Runs are recorded in the database. After a crash, or if two processes work at the same time, a message may be sent
    /// twice, but both copies name the same run, which is carried out once.
    pub async fn run(self, stop: CancellationToken) {
        let _ = stop.run_until_cancelled(self.send_when_due()).await;
    }

    async fn send_when_due(&self) {
        let mut last = self.last_refresh().await;
        loop {
            match self.schedule.decide(last, (self.now)()) {
                Decision::Due { at, late } => {
                    self.send(at, late).await;
                    last = at;
                }
                Decision::Wait { until } => tokio::time::sleep(self.sleep_time(until)).await,
                Decision::Never => {
                    return tracing::warn!(
                        "the schedule has no time in the future: no more refreshes start by themselves"
                    );
                }
            }
        }
    }

    /// When the last refresh was due. Without any, nothing was missed, and the schedule starts now.
    async fn last_refresh(&self) -> Timestamp {
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

    fn sleep_time(&self, until: Timestamp) -> Duration {
        self.clock.lasts(until.duration_since((self.now)())).clamp(Duration::from_millis(1), LONGEST_SLEEP)
    }
}

async fn wait(failures: &mut u32, error: &(dyn std::fmt::Display + Send + Sync)) {
    *failures += 1;
    let wait = RETRY.wait(*failures);
    tracing::warn!("{error}; the schedule retries in {wait:.1?}");
    tokio::time::sleep(wait).await;
}

/// A late refresh asks only for series that were not fetched since it was due.
fn message(due: Timestamp, late: bool) -> IngestMessage {
    let fetched_before = late.then_some(due);
    IngestMessage::Refresh(Refresh { scheduled: Some(due), catch_up: late, fetched_before, ..Refresh::default() })
}
