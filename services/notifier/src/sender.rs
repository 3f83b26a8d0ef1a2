//! Sends the messages in the outbox. Each channel has its own loop, so that a channel that hangs delays no other.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::runtime::measures;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::channel::Channel;
use crate::outbox::{self, NextAttempt};

/// The longest time between two looks into the outbox, which another notifier may have filled.
const POLL: Duration = Duration::from_secs(20);

/// Sends the messages of one channel.
pub struct Sender {
    pub pool: PgPool,
    pub channel: Arc<dyn Channel>,
    /// Wall-clock time.
    pub now: Now,
    /// Changes when messages were put into the outbox.
    pub filled: watch::Receiver<()>,
}

impl Sender {
    /// Sends until `stop` is cancelled. A delivery in progress is finished first.
    pub async fn run(mut self, stop: CancellationToken) {
        let name = self.channel.name();
        while !stop.is_cancelled() {
            let wait = match self.send_due().await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::warn!(channel = name, "{error:#}; retrying in {POLL:.0?}");
                    POLL
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                Ok(()) = self.filled.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends everything that is due, and returns how long to wait before looking again.
    pub async fn send_due(&self) -> anyhow::Result<Duration> {
        while self.send_one().await? {}
        let next = outbox::next_due(&self.pool, self.channel.name()).await.context("read the outbox")?;
        Ok(next.map_or(POLL, |next| outbox::until(next, (self.now)()).min(POLL)))
    }

    /// Sends one delivery that is due. Returns `false` if there is none.
    async fn send_one(&self) -> anyhow::Result<bool> {
        let pool = &self.pool;
        let name = self.channel.name();
        let Some(delivery) = outbox::claim(pool, name, (self.now)()).await.context("claim a delivery")? else {
            return Ok(false);
        };
        match self.channel.send(&delivery.message).await {
            Ok(()) => {
                outbox::record_sent(pool, &delivery, (self.now)()).await.context("record that a message was sent")?;
                measures::alert_sent(name, "sent");
                tracing::info!(channel = name, name = delivery.message.name, "sent: {}", delivery.message.subject);
            }
            Err(error) => {
                let error = format!("{error:#}");
                let fate = outbox::record_failure(pool, &delivery, &error, (self.now)()).await;
                report_failure(name, &delivery, &error, fate.context("record that a message was not sent")?);
            }
        }
        Ok(true)
    }
}

fn report_failure(channel: &'static str, delivery: &outbox::OutboxDelivery, error: &str, fate: NextAttempt) {
    let subject = &delivery.message.subject;
    let attempt = delivery.attempt;
    measures::alert_sent(channel, if fate == NextAttempt::GivenUp { "given_up" } else { "failed" });
    match fate {
        NextAttempt::Again(at) => {
            tracing::warn!(channel, attempt, "failed to send: {subject}: {error}; retrying at {at}")
        }
        NextAttempt::GivenUp => tracing::error!(channel, attempt, "gave up sending: {subject}: {error}"),
    }
}
