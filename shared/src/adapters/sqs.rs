//! A [`Queue`] in SQS.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::builders::SendMessageBatchRequestEntryBuilder;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message as SqsMessage, MessageAttributeValue, MessageSystemAttributeName,
    QueueAttributeName, SendMessageBatchRequestEntry,
};
use aws_sdk_sqs::{Client, Config};

use crate::adapters::aws_error::words;
use crate::core::blame::Blame;
use crate::ports::queue::{Attributes, BATCH, Depth, Lease, Message, NewMessage, Queue, QueueError, Receipt, XRAY};

/// How long a receive waits for the first message, in seconds: the most that SQS allows.
const LONG_POLL_SECONDS: i32 = 20;

/// How long a receive may take with all its attempts. Only this timeout ends a connection whose peer vanished silently;
/// until then the consumer would report that it is ready although it is cut off.
const RECEIVE_WITHIN: Duration = Duration::from_secs(30);

/// The longest delay that SQS allows.
const LONGEST_DELAY_SECONDS: i32 = 900;

/// A queue of SQS and the client for it.
#[derive(Clone, Debug)]
pub struct SqsQueue {
    client: Client,
    url: String,
}

impl SqsQueue {
    /// The queue at this URL.
    #[must_use]
    pub fn new(client: Client, url: &str) -> Self {
        Self { client, url: url.to_owned() }
    }

    fn error(&self, operation: &'static str, reason: String) -> QueueError {
        let queue = self.url.rsplit('/').next().unwrap_or_default().to_owned();
        QueueError { operation, queue, reason, blame: Blame::Dependency }
    }

    fn failed<E>(&self, operation: &'static str, error: &SdkError<E, HttpResponse>) -> QueueError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        QueueError { blame: Blame::of_sqs(error.code()), ..self.error(operation, words(error)) }
    }
}

impl SqsQueue {
    async fn send_entries(&self, entries: Vec<SendMessageBatchRequestEntry>) -> Result<(), QueueError> {
        let all = entries.len();
        let request = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let answer = request.send().await.map_err(|error| self.failed("send to", &error))?;
        let blame = |code: &str| Blame::of_sqs(Some(code));
        // An outage of the queue concerns all messages, and a message that is refused only itself.
        let outage = answer.failed.iter().find(|entry| blame(&entry.code) == Blame::Dependency);
        match outage.or(answer.failed.first()) {
            None => Ok(()),
            Some(entry) => {
                let reason = format!("{} of {all} were not sent: {}", answer.failed.len(), entry.code);
                Err(QueueError { blame: blame(&entry.code), ..self.error("send to", reason) })
            }
        }
    }
}

fn receive_timeout() -> TimeoutConfig {
    TimeoutConfig::builder().operation_timeout(RECEIVE_WITHIN).build()
}

#[async_trait]
impl Queue for SqsQueue {
    async fn receive(&self, most: usize, lease: Duration) -> Result<Vec<Message>, QueueError> {
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::try_from(most.min(BATCH)).unwrap_or(1))
            .visibility_timeout(whole_seconds(lease))
            .wait_time_seconds(LONG_POLL_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::AwsTraceHeader)
            .message_attribute_names("All")
            .customize()
            .config_override(Config::builder().timeout_config(receive_timeout()))
            .send()
            .await
            .map_err(|error| self.failed("receive from", &error))?;
        let messages = answer.messages.unwrap_or_default().into_iter().map(message);
        messages.collect::<Option<_>>().ok_or_else(|| self.error("receive from", "a message has no receipt".to_owned()))
    }

    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<Lease, QueueError> {
        let request = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(&receipt.0);
        match request.visibility_timeout(whole_seconds(lease)).send().await {
            Ok(_) => Ok(Lease::Held),
            Err(error) if is_lease_lost(error.code()) => Ok(Lease::Lost),
            Err(error) => Err(self.failed("extend a lease of", &error)),
        }
    }

    async fn delete(&self, receipts: &[Receipt]) -> Result<(), QueueError> {
        let entries = receipts.iter().enumerate().filter_map(|(at, receipt)| {
            DeleteMessageBatchRequestEntry::builder().id(at.to_string()).receipt_handle(&receipt.0).build().ok()
        });
        let request = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries.collect()));
        let answer = request.send().await.map_err(|error| self.failed("delete from", &error))?;
        let remaining: Vec<_> = answer.failed.iter().filter(|entry| !is_lease_lost(Some(&entry.code))).collect();
        match remaining.first() {
            None => Ok(()),
            Some(first) => Err(self.error("delete from", format!("{} remain: {}", remaining.len(), first.code))),
        }
    }

    async fn send_after(&self, message: &NewMessage, delay: Duration) -> Result<(), QueueError> {
        let entry = entry(0, message).delay_seconds(whole_seconds(delay).min(LONGEST_DELAY_SECONDS)).build().ok();
        self.send_entries(entry.into_iter().collect()).await
    }

    async fn send(&self, messages: &[NewMessage]) -> Result<(), QueueError> {
        for batch in messages.chunks(BATCH) {
            let entries = batch.iter().enumerate().filter_map(|(at, message)| entry(at, message).build().ok());
            self.send_entries(entries.collect()).await?;
        }
        Ok(())
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        let request = self.client.get_queue_attributes().queue_url(&self.url).attribute_names(QueueAttributeName::All);
        let answer = request.send().await.map_err(|error| self.failed("read the depth of", &error))?;
        let attributes = answer.attributes.unwrap_or_default();
        let number = |name: QueueAttributeName| attributes.get(&name).and_then(|text| text.parse().ok());
        let read = || {
            Some(Depth {
                waiting: number(QueueAttributeName::ApproximateNumberOfMessages)?,
                in_flight: number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)?,
                delayed: number(QueueAttributeName::ApproximateNumberOfMessagesDelayed)?,
            })
        };
        read().ok_or_else(|| self.error("read the depth of", "the answer has no message counts".to_owned()))
    }
}

/// SQS reports an expired receipt under any of these codes.
fn is_lease_lost(code: Option<&str>) -> bool {
    matches!(code, Some("ReceiptHandleIsInvalid" | "InvalidParameterValue" | "MessageNotInflight"))
}

/// Seconds as SQS takes them: whole, and at most twelve hours. Fractions are rounded up, because zero ends a lease at
/// once.
fn whole_seconds(lease: Duration) -> i32 {
    let seconds = lease.as_secs() + u64::from(lease.subsec_nanos() > 0);
    i32::try_from(seconds).unwrap_or(i32::MAX).min(43_200)
}

pub(crate) fn message(message: SqsMessage) -> Option<Message> {
    let attributes = message.message_attributes.unwrap_or_default();
    let received = message.attributes.unwrap_or_default();
    let count = received.get(&MessageSystemAttributeName::ApproximateReceiveCount).and_then(|text| text.parse().ok());
    Some(Message {
        id: message.message_id?,
        receipt: Receipt(message.receipt_handle?),
        body: message.body.unwrap_or_default(),
        receive_count: count.unwrap_or(1),
        attributes: attributes
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.string_value?)))
            .chain(
                received
                    .get(&MessageSystemAttributeName::AwsTraceHeader)
                    .map(|header| (XRAY.to_owned(), header.clone())),
            )
            .collect(),
    })
}

fn entry(at: usize, message: &NewMessage) -> SendMessageBatchRequestEntryBuilder {
    let builder = SendMessageBatchRequestEntry::builder().id(at.to_string()).message_body(&message.body);
    builder.set_message_attributes(Some(attribute_values(&message.attributes)))
}

fn attribute_values(attributes: &Attributes) -> std::collections::HashMap<String, MessageAttributeValue> {
    let value = |text: &String| MessageAttributeValue::builder().data_type("String").string_value(text).build().ok();
    attributes.iter().filter_map(|(name, text)| Some((name.clone(), value(text)?))).collect()
}
