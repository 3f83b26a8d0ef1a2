//! Sends the events of one sink. Each sink has its own relay, so that one that hangs delays no other.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::runtime::measures;
use futures::future::join_all;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::outbox::{self, EventDelivery};
use super::sink::Sink;
use crate::outbox::until;

/// The longest time between two reads of the outbox, for notices that were lost.
const POLL: Duration = Duration::from_secs(20);

pub struct Relay {
    pub pool: PgPool,
    pub sink: Arc<dyn Sink>,
    /// Wall-clock time.
    pub now: Now,
    /// Changes when something was loaded.
    pub loaded: watch::Receiver<()>,
}

impl Relay {
    /// Sends until `stop` is cancelled. Deliveries in progress are finished first.
    pub async fn run(mut self, stop: CancellationToken) {
        let sink = self.sink.name();
        while !stop.is_cancelled() {
            self.loaded.mark_unchanged();
            let wait = match self.send_due(&stop).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::warn!(sink, "{error:#}; retrying in {POLL:.0?}");
                    POLL
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                Ok(()) = self.loaded.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends everything that is due, and returns how long to wait before reading the outbox again.
    pub async fn send_due(&self, stop: &CancellationToken) -> anyhow::Result<Duration> {
        let sink = self.sink.name();
        while !stop.is_cancelled() {
            let claimed = outbox::claim(&self.pool, sink, (self.now)()).await.context("claim events")?;
            if claimed.is_empty() {
                break;
            }
            let sent = join_all(claimed.iter().map(|delivery| self.send(delivery))).await;
            sent.into_iter().collect::<anyhow::Result<()>>()?;
        }
        let next = outbox::next_due(&self.pool, sink).await.context("read the event outbox")?;
        Ok(next.map_or(POLL, |next| until(next, (self.now)()).min(POLL)))
    }

    async fn send(&self, delivery: &EventDelivery) -> anyhow::Result<()> {
        let sink = self.sink.name();
        let EventDelivery { load, attempt, event } = delivery;
        match self.sink.send(event).await {
            Ok(()) => {
                outbox::record_sent(&self.pool, sink, *load).await.context("record that an event was sent")?;
                measures::event_sent(sink, "sent");
                tracing::debug!(sink, id = event.id, "sent the event of load {load}");
            }
            Err(error) => {
                let error = format!("{error:#}");
                let next = outbox::record_failure(&self.pool, sink, delivery, &error, (self.now)()).await;
                let next = next.context("record that an event was not sent")?;
                measures::event_sent(sink, "failed");
                tracing::warn!(sink, attempt, id = event.id, "failed to send an event: {error}; retrying at {next}");
            }
        }
        Ok(())
    }
}
