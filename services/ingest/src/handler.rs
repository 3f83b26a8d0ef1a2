//! Takes messages apart: a refresh becomes a message a series, and a series is fetched.

use std::sync::Arc;
use std::time::Duration;

use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::core::ingest_message::IngestMessage;
use candlewick_shared::core::key::Series;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::ports::notifier::Notifier;
use candlewick_shared::ports::runs::Runs;
use candlewick_shared::ports::store::ObjectStore;
use candlewick_shared::runtime::layers::Delivery;
use candlewick_shared::runtime::outcome::{Failure, Outcome};
use candlewick_shared::runtime::telemetry;
use tracing::Instrument as _;

use crate::client::Client;
use crate::fetch::Task;
use crate::metered::MeteredQueue;

/// The handler of ingest messages.
#[derive(Clone)]
pub struct Ingest {
    /// The way to the API.
    pub client: Client,
    /// Where raw objects go.
    pub store: Arc<dyn ObjectStore>,
    /// Where the messages of single series go: the queue that they come from, each with a credit.
    pub queue: Arc<MeteredQueue>,
    /// Who hears of splits.
    pub notifier: Arc<dyn Notifier>,
    /// The watchlist, which is looked at for each page of a refresh and for each series.
    pub watchlist: Arc<WatchlistSource>,
    /// The book of runs.
    pub runs: Arc<dyn Runs>,
    /// How long to wait before an answer that lacks something is asked for again, by the machine's clock.
    pub pause: Duration,
    /// The time.
    pub now: Now,
}

impl Ingest {
    /// Answers a refresh with a message for each series, and fetches a series.
    ///
    /// # Errors
    /// A permanent setback where the message can never be answered; otherwise that of the API, the store or the queue.
    pub async fn handle(self, delivery: Delivery) -> Outcome {
        let allowance = self.queue.allowance(&delivery.id);
        let message = serde_json::from_str(&delivery.body).map_err(|error| Failure::new("bad_message", error))?;
        match message {
            IngestMessage::Refresh(asked) => self.lay_out(&asked, &delivery.id).await,
            IngestMessage::Fetch { run, symbol, interval, traceparent, replace } => {
                let task = Task { series: Series { symbol, interval }, run, trace: traceparent.parse().ok(), replace };
                let span = tracing::info_span!("fetch", series = %task.series, run = task.run, otel.kind = "client");
                let span = telemetry::follow(span, task.trace);
                self.fetch_for_run(&task, allowance).instrument(span).await
            }
        }
    }
}
