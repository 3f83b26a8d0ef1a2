//! Sends what stands in the outbox, a loop for each channel: one that hangs delays nobody else.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::runtime::measures;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::channel::Channel;
use crate::outbox::{self, Fate};

/// How long the outbox is left alone at the most: what another notifier put there is found by then.
const LOOK: Duration = Duration::from_secs(20);

/// Sends what stands in the outbox for one channel.
pub struct Sender {
    /// The database.
    pub pool: PgPool,
    pub channel: Arc<dyn Channel>,
    /// The machine's time.
    pub now: Now,
    /// Tells that something was put into the outbox.
    pub filled: watch::Receiver<()>,
}

impl Sender {
    /// Sends until `stop` is cancelled; what is on its way then is finished.
    pub async fn run(mut self, stop: CancellationToken) {
        let name = self.channel.name();
        while !stop.is_cancelled() {
            let wait = match self.send_due().await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::warn!(channel = name, "{error:#}; looking again in {LOOK:.0?}");
                    LOOK
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                Ok(()) = self.filled.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends all that is due, and returns how long nothing more will be.
    pub async fn send_due(&self) -> anyhow::Result<Duration> {
        while self.send_one().await? {}
        let next = outbox::next(&self.pool, self.channel.name()).await.context("look into the outbox")?;
        let wait = next.map(|next| Duration::try_from(next.duration_since((self.now)())).unwrap_or_default());
        Ok(wait.map_or(LOOK, |wait| wait.min(LOOK)))
    }

    /// Sends one delivery that is due, and says whether there was one.
    async fn send_one(&self) -> anyhow::Result<bool> {
        let pool = &self.pool;
        let name = self.channel.name();
        let Some(delivery) = outbox::claim(pool, name, (self.now)()).await.context("claim a delivery")? else {
            return Ok(false);
        };
        match self.channel.send(&delivery.message).await {
            Ok(()) => {
                outbox::sent(pool, &delivery, (self.now)()).await.context("note that a message was sent")?;
                measures::alert_sent(name, "sent");
                tracing::info!(channel = name, name = delivery.message.name, "sent: {}", delivery.message.subject);
            }
            Err(error) => {
                let words = format!("{error:#}");
                let fate = outbox::failed(pool, &delivery, &words, (self.now)()).await;
                tell(name, &delivery, &words, fate.context("note that a message was not sent")?);
            }
        }
        Ok(true)
    }
}

fn tell(channel: &'static str, delivery: &outbox::Delivery, error: &str, fate: Fate) {
    let subject = &delivery.message.subject;
    let attempt = delivery.attempt;
    measures::alert_sent(channel, if fate == Fate::GivenUp { "given_up" } else { "failed" });
    match fate {
        Fate::Again(at) => tracing::warn!(channel, attempt, "not sent: {subject}: {error}; again at {at}"),
        Fate::GivenUp => tracing::error!(channel, attempt, "given up: {subject}: {error}"),
    }
}
