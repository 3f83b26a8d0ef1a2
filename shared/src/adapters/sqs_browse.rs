//! A walk through the messages of a queue that loses none: each stays hidden while the walk goes on, and is given back
//! unless somebody deletes it. Where the walker dies, it appears again by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, Message as SqsMessage, MessageSystemAttributeName};
use jiff::Timestamp;

use crate::adapters::sqs::message;
use crate::ports::queue::{BATCH, Message, Receipt};

/// How long a message that is only glanced at stays hidden; behind it, it is visible again.
const GLANCE: Duration = Duration::from_secs(5);

/// A message that somebody walked past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The message, with the receipt by which it is held.
    pub message: Message,
    /// When it was sent to this queue, where the queue says it; one that the queue itself moved keeps its first time.
    pub sent: Option<Timestamp>,
}

/// Up to `most` messages of a queue. Each is given back behind the look; its receive count has grown by one.
///
/// # Errors
/// A queue that does not answer.
pub async fn browse(client: &Client, url: &str, most: usize) -> anyhow::Result<Vec<Message>> {
    let seen = walk(client, url, most, GLANCE, Duration::ZERO).await?;
    give_back(client, url, seen.iter().map(|held| &held.message.receipt)).await?;
    Ok(seen.into_iter().map(|held| held.message).collect())
}

/// Takes up to `most` messages of a queue, and holds each for `hold` from its own receipt. The end is where the queue
/// answers nothing, or only what was seen already, because its time is over; `wait` is how long it is asked for more: a
/// second makes SQS ask all of its servers.
///
/// # Errors
/// A queue that does not answer.
pub async fn walk(
    client: &Client,
    url: &str,
    most: usize,
    hold: Duration,
    wait: Duration,
) -> anyhow::Result<Vec<Held>> {
    let mut seen: BTreeMap<String, Held> = BTreeMap::new();
    while seen.len() < most {
        let before = seen.len();
        let messages = receive(client, url, BATCH.min(most - before), hold, wait).await?;
        seen.extend(messages.into_iter().map(|held| (held.message.id.clone(), held)));
        if seen.len() == before {
            break;
        }
    }
    Ok(seen.into_values().collect())
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
    let answer = request.send().await.context("look into a queue")?;
    Ok(answer.messages.unwrap_or_default().into_iter().filter_map(held).collect())
}

fn held(received: SqsMessage) -> Option<Held> {
    let sent = received.attributes.as_ref().and_then(|all| all.get(&MessageSystemAttributeName::SentTimestamp));
    let sent = sent.and_then(|text| text.parse().ok()).and_then(|time| Timestamp::from_millisecond(time).ok());
    Some(Held { message: message(received)?, sent })
}

/// Makes messages visible again. One whose time is over is so already.
///
/// # Errors
/// A queue that does not answer.
pub async fn give_back(client: &Client, url: &str, receipts: impl Iterator<Item = &Receipt>) -> anyhow::Result<()> {
    let receipts: Vec<_> = receipts.collect();
    for batch in receipts.chunks(BATCH) {
        let entries = batch.iter().enumerate().map(|(at, receipt)| {
            let builder = ChangeMessageVisibilityBatchRequestEntry::builder().id(at.to_string());
            builder.receipt_handle(&receipt.0).visibility_timeout(0).build()
        });
        let entries: Result<Vec<_>, _> = entries.collect();
        let request = client.change_message_visibility_batch().queue_url(url);
        let request = request.set_entries(Some(entries.context("list messages")?));
        request.send().await.context("give messages back")?;
    }
    Ok(())
}
