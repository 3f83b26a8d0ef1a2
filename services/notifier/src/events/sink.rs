//! Where events go.

use async_trait::async_trait;
use candlewick_shared::core::loaded_event::LoadedEvent;

#[async_trait]
pub trait Sink: Send + Sync {
    /// The name in the outbox, in logs and in metrics, for example `webhook`.
    fn name(&self) -> &'static str;

    /// Sends an event. `Ok` means that the receiver accepted it.
    async fn send(&self, event: &LoadedEvent) -> anyhow::Result<()>;
}
