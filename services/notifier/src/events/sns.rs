//! An SNS topic for events.

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use candlewick_shared::adapters::aws_error;
use candlewick_shared::core::loaded_event::LoadedEvent;

use super::sink::Sink;

pub struct Topic {
    pub client: Client,
    /// An ARN. If it ends in `.fifo`, each series is a message group.
    pub topic: String,
}

#[async_trait]
impl Sink for Topic {
    fn name(&self) -> &'static str {
        "sns"
    }

    /// The attributes `type`, `symbol` and `interval` let subscriptions filter events.
    async fn send(&self, event: &LoadedEvent) -> anyhow::Result<()> {
        let body = serde_json::to_string(event).context("write the event")?;
        let mut request = self.client.publish().topic_arn(&self.topic).message(body);
        let attributes =
            [("type", &event.event_type), ("symbol", &event.data.symbol), ("interval", &event.data.interval)];
        for (name, value) in attributes {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build()?;
            request = request.message_attributes(name, value);
        }
        if self.topic.ends_with(".fifo") {
            let series = format!("{}/{}", event.data.symbol, event.data.interval);
            request = request.message_group_id(group(&series)).message_deduplication_id(&event.id);
        }
        request.send().await.map(|_| ()).map_err(|error| anyhow!("publish to the topic: {}", aws_error::words(&error)))
    }
}

/// The id of a message group, which takes printable ASCII without spaces, at most 128 characters.
fn group(series: &str) -> String {
    series.chars().map(|c| if c.is_ascii_graphic() { c } else { '_' }).take(128).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_one_that_sns_takes() {
        assert_eq!(group("BTC/USD/1min"), "BTC/USD/1min");
        assert_eq!(group("Ä B/1day"), "__B/1day");
        assert_eq!(group(&"x".repeat(300)).len(), 128);
    }
}
