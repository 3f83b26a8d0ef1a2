//! The heartbeat: an outside watcher such as healthchecks.io raises an alarm if it stops, because then nothing inside can.

use candlewick_shared::ports::clock::Now;
use reqwest::Client;
use secrecy::SecretString;
use sqlx::PgPool;

use crate::channel::http;
use crate::outbox;

#[derive(Clone)]
pub struct Heartbeat {
    pub http: Client,
    pub url: SecretString,
    pub pool: PgPool,
    /// Wall-clock time.
    pub now: Now,
}

impl Heartbeat {
    /// Pings the address. If messages to the owner are not getting through, it stays silent, so that the watcher raises an
    /// alarm.
    pub async fn beat(&self) {
        match outbox::count_undelivered(&self.pool, (self.now)()).await {
            Ok(0) => {}
            Ok(count) => return tracing::error!("no heartbeat sent: {count} messages do not reach the owner"),
            Err(error) => return tracing::error!("no heartbeat sent: {error}"),
        }
        if let Err(error) = http::ping(&self.http, &self.url).await {
            tracing::warn!("failed to send the heartbeat: {error:#}");
        }
    }
}
