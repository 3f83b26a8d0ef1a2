//! The heartbeat: an outside watcher (such as healthchecks.io) misses it, and so hears of what nothing inside can tell.

use candlewick_shared::ports::clock::Now;
use reqwest::Client;
use secrecy::SecretString;
use sqlx::PgPool;

use crate::channel::http;
use crate::outbox;

/// Where to show that all is alive.
#[derive(Clone)]
pub struct Heartbeat {
    /// The HTTP client.
    pub http: Client,
    /// The address.
    pub url: SecretString,
    /// The database.
    pub pool: PgPool,
    /// The machine's time.
    pub now: Now,
}

impl Heartbeat {
    /// Pings the address, unless messages to the owner do not get through: then silence is the message.
    pub async fn beat(&self) {
        match outbox::troubles(&self.pool, (self.now)()).await {
            Ok(0) => {}
            Ok(count) => return tracing::error!("no heartbeat: {count} messages do not reach the owner"),
            Err(error) => return tracing::error!("no heartbeat: {error}"),
        }
        if let Err(error) = http::ping(&self.http, &self.url).await {
            tracing::warn!("the heartbeat was not heard: {error:#}");
        }
    }
}
