//! Browses the messages of a queue without losing any. Each message is hidden while it is browsed and then given back,
//! unless it was deleted. If the process dies, the message reappears when its lease ends.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, Message as SqsMessage, MessageSystemAttributeName};
use jiff::Timestamp;

use crate::adapters::sqs::message;
use crate::ports::queue::{BATCH, Message, Receipt};

/// How long a message that is only read stays hidden.
const READ_LEASE: Duration = Duration::from_secs(5);

/// A message that was received while browsing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The message. Its receipt deletes it or gives it back.
    pub message: Message,
    /// When the message was sent to this queue, if SQS says so. A message that SQS moved to this queue itself keeps its
    /// original time.
    pub sent: Option<Timestamp>,
}

/// Reads up to `most` messages of a queue and gives them back. Their receive counts grow by one.
///
/// # Errors
///
/// Returns an error if the queue does not answer.
pub async fn browse(client: &Client, url: &str, most: usize) -> anyhow::Result<Vec<Message>> {
    let received = walk(client, url, most, READ_LEASE, Duration::ZERO).await?;
    give_back(client, url, received.iter().map(|held| &held.message.receipt)).await?;
    Ok(received.into_iter().map(|held| held.message).collect())
}

/// Receives up to `most` messages of a queue and hides each for `hold` from its own receipt. It ends when a receive
/// returns nothing, or only messages that were received before and whose hold has ended. Each receive waits for `wait`:
/// one second makes SQS query all of its servers.
///
/// # Errors
///
/// Returns an error if the queue does not answer.
pub async fn walk(
    client: &Client,
    url: &str,
    most: usize,
    hold: Duration,
    wait: Duration,
) -> anyhow::Result<Vec<Held>> {
    let mut received: BTreeMap<String, Held> = BTreeMap::new();
    while received.len() < most {
        let before = received.len();
        let messages = receive(client, url, BATCH.min(most - before), hold, wait).await?;
        received.extend(messages.into_iter().map(|held| (held.message.id.clone(), held)));
        if received.len() == before {
            break;
        }
    }
    Ok(received.into_values().collect())
}

async fn receive(client: &Client, url: &str, most: usize, hold: Duration, wait: Duration) -> anyhow::Result<Vec<Held>> {
    let seconds = |time: Duration| i32::try_from(time.as_secs()).unwrap_or(i32::MAX);
    let request = client
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(i32::try_from(most).unwrap_or(1))
        .visibility_timeout(seconds(hold))
        .wait_time_seconds(seconds(wait))
        .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
        .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
        .message_attribute_names("All");
    let answer = request.send().await.context("receive messages")?;
    Ok(answer.messages.unwrap_or_default().into_iter().filter_map(held).collect())
}

fn held(received: SqsMessage) -> Option<Held> {
    let sent = received.attributes.as_ref().and_then(|all| all.get(&MessageSystemAttributeName::SentTimestamp));
    let sent = sent.and_then(|text| text.parse().ok()).and_then(|time| Timestamp::from_millisecond(time).ok());
    Some(Held { message: message(received)?, sent })
}

/// Makes messages visible again. A message whose lease has ended is already visible, which is no error.
///
/// # Errors
///
/// Returns an error if the queue does not answer.
pub async fn give_back(client: &Client, url: &str, receipts: impl Iterator<Item = &Receipt>) -> anyhow::Result<()> {
    let receipts: Vec<_> = receipts.collect();
    for batch in receipts.chunks(BATCH) {
        let entries = batch.iter().enumerate().map(|(at, receipt)| {
            let builder = ChangeMessageVisibilityBatchRequestEntry::builder().id(at.to_string());
            builder.receipt_handle(&receipt.0).visibility_timeout(0).build()
        });
        let entries: Result<Vec<_>, _> = entries.collect();
        let request = client.change_message_visibility_batch().queue_url(url);
        let request = request.set_entries(Some(entries.context("prepare the messages")?));
        request.send().await.context("give messages back")?;
    }
    Ok(())
}
