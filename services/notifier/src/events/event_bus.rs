//! An EventBridge bus for events.

use anyhow::{Context, anyhow, bail};
use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use candlewick_shared::adapters::aws_error;
use candlewick_shared::core::loaded_event::LoadedEvent;

use super::sink::Sink;

/// The source that rules match.
pub const SOURCE: &str = "candlewick";

pub struct EventBus {
    pub client: Client,
    /// A name or an ARN.
    pub bus: String,
}

#[async_trait]
impl Sink for EventBus {
    fn name(&self) -> &'static str {
        "event_bus"
    }

    /// The type of the event is the `detail-type`, and the event itself the `detail`.
    async fn send(&self, event: &LoadedEvent) -> anyhow::Result<()> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(SOURCE)
            .detail_type(&event.event_type)
            .detail(serde_json::to_string(event).context("write the event")?)
            .resources(format!("{}/{}", event.data.symbol, event.data.interval))
            .time(DateTime::from_secs(event.timestamp.as_second()))
            .build();
        let sent = self.client.put_events().entries(entry).send().await;
        let sent = sent.map_err(|error| anyhow!("put the event on the bus: {}", aws_error::words(&error)))?;
        // The call succeeds even if the bus does not take the event.
        match sent.entries().first() {
            Some(entry) if entry.error_code().is_some() => {
                let code = entry.error_code().unwrap_or_default();
                bail!("the bus did not take the event: {code} {}", entry.error_message().unwrap_or_default())
            }
            _ => Ok(()),
        }
    }
}
