//! The ways to the owner.

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

use crate::message::Message;

/// A way to the owner.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Its name in the outbox, in logs and in tables: `webhook`.
    fn name(&self) -> &'static str;

    /// Sends a message; `Ok` means that the other side took it.
    async fn send(&self, message: &Message) -> anyhow::Result<()>;
}
