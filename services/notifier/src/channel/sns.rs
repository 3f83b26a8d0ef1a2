//! SNS topics, whose subscribers may be e-mail addresses, chats or queues.

use anyhow::anyhow;
use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use candlewick_shared::adapters::aws_error;

use super::Channel;
use crate::message::Notice;

/// SNS rejects longer subjects, and subjects that are not ASCII.
const MAX_SUBJECT: usize = 100;

pub struct Sns {
    pub client: Client,
    /// An ARN.
    pub topic: String,
}

#[async_trait]
impl Channel for Sns {
    fn name(&self) -> &'static str {
        "sns"
    }

    /// The attributes `id`, `kind`, `severity` and `state` let subscriptions filter messages.
    async fn send(&self, message: &Notice) -> anyhow::Result<()> {
        let mut request = self.client.publish().topic_arn(&self.topic).subject(subject(&message.subject));
        request = request.message(&message.body).message_attributes("id", text(&message.name)?);
        for name in ["kind", "severity", "state"] {
            if let Some(value) = message.payload[name].as_str() {
                request = request.message_attributes(name, text(value)?);
            }
        }
        let sent = request.send().await;
        sent.map(|_| ()).map_err(|error| anyhow!("publish to the topic: {}", aws_error::words(&error)))
    }
}

fn text(value: &str) -> anyhow::Result<MessageAttributeValue> {
    Ok(MessageAttributeValue::builder().data_type("String").string_value(value).build()?)
}

fn subject(text: &str) -> String {
    let plain = text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' });
    plain.take(MAX_SUBJECT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_that_sns_takes() {
        assert_eq!(subject("Candlewick: ÄÖ\nx"), "Candlewick: ???x");
        assert_eq!(subject(&"x".repeat(200)).len(), 100);
    }
}
