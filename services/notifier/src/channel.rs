//! Channels through which the owner is notified.

pub mod discord;
pub mod email;
pub mod http;
pub mod pagerduty;
pub mod slack;
pub mod sns;
pub mod teams;
pub mod telegram;
pub mod text;
pub mod webhook;

use async_trait::async_trait;

use crate::message::Notice;

#[async_trait]
pub trait Channel: Send + Sync {
    /// The name in the outbox, in logs and in metrics, for example `webhook`.
    fn name(&self) -> &'static str;

    /// Sends a message. `Ok` means that the receiver accepted it.
    async fn send(&self, message: &Notice) -> anyhow::Result<()>;
}
