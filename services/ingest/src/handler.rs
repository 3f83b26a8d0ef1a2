//! Takes messages apart: a refresh becomes a message a series, and a series is fetched.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use candlewick_shared::core::ingest_message::IngestMessage;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::core::watchlist::Watchlist;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::ports::notifier::Notifier;
use candlewick_shared::ports::queue::{NewMessage, Queue};
use candlewick_shared::ports::store::ObjectStore;
use candlewick_shared::runtime::layers::Delivery;
use candlewick_shared::runtime::outcome::{Failure, Outcome, Setback, Settled};

use crate::client::Client;
use crate::fetch::{Fetching, Task};
use crate::metered::MeteredQueue;
use crate::refresh;

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
    /// The file with the watchlist, which is read at each refresh.
    pub watchlist: PathBuf,
    /// How many years of history are kept.
    pub years: i16,
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
            IngestMessage::Refresh { run, symbols } => {
                let run = run.unwrap_or_else(|| delivery.id.clone());
                self.fan_out(&run, &symbols).await
            }
            IngestMessage::Fetch { run, symbol, interval, traceparent } => {
                let task = Task { series: Series { symbol, interval }, run, trace: traceparent.parse().ok() };
                Fetching::new(&self, &task, allowance).run().await
            }
        }
    }

    async fn fan_out(&self, run: &str, symbols: &[Symbol]) -> Outcome {
        let watchlist = self.read_watchlist().await?;
        let series = refresh::chosen(&watchlist, symbols).map_err(|symbol| {
            Failure::new("unknown_symbol", format!("{symbol} is not on the watchlist: add it, and refresh again"))
        })?;
        let messages: Result<Vec<_>, _> = refresh::messages(series, run).iter().map(serde_json::to_string).collect();
        let bodies = messages.context("write messages")?.into_iter();
        let messages: Vec<_> = bodies.map(|body| NewMessage { body, ..NewMessage::default() }).collect();
        self.queue.send(&messages).await?;
        tracing::info!(run, series = messages.len(), "refresh begun");
        Ok(Settled::Done)
    }

    async fn read_watchlist(&self) -> Result<Watchlist, Setback> {
        let path = self.watchlist.display();
        let text =
            tokio::fs::read_to_string(&self.watchlist).await.with_context(|| format!("read the watchlist {path}"))?;
        Ok(text.parse().map_err(|error| Failure::new("bad_watchlist", format!("{path}: {error}")))?)
    }
}
