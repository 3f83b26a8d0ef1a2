//! A look at the messages of a queue that leaves them where they are.

use anyhow::Context;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, MessageSystemAttributeName};

use crate::adapters::sqs::message;
use crate::ports::queue::{BATCH, Message};

/// How long a message that was seen stays hidden while the look goes on, in seconds; behind it, it is visible again.
const LOOK_SECONDS: i32 = 5;

/// Up to `most` messages of a queue. Each is given back behind the look; its receive count has grown by one.
///
/// # Errors
/// A queue that does not answer.
pub async fn browse(client: &Client, url: &str, most: usize) -> anyhow::Result<Vec<Message>> {
    let mut seen = Vec::new();
    while seen.len() < most {
        let messages = receive(client, url, BATCH.min(most - seen.len())).await?;
        if messages.is_empty() {
            break;
        }
        seen.extend(messages);
    }
    for batch in seen.chunks(BATCH) {
        give_back(client, url, batch).await?;
    }
    Ok(seen)
}

/// Receives without waiting for a first message.
async fn receive(client: &Client, url: &str, most: usize) -> anyhow::Result<Vec<Message>> {
    let request = client
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(i32::try_from(most).unwrap_or(1))
        .visibility_timeout(LOOK_SECONDS)
        .wait_time_seconds(0)
        .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
        .message_attribute_names("All");
    let answer = request.send().await.context("look into a queue")?;
    Ok(answer.messages.unwrap_or_default().into_iter().filter_map(message).collect())
}

async fn give_back(client: &Client, url: &str, messages: &[Message]) -> anyhow::Result<()> {
    let entries = messages.iter().enumerate().map(|(at, message)| {
        let builder = ChangeMessageVisibilityBatchRequestEntry::builder().id(at.to_string());
        builder.receipt_handle(&message.receipt.0).visibility_timeout(0).build()
    });
    let entries: Result<Vec<_>, _> = entries.collect();
    let request =
        client.change_message_visibility_batch().queue_url(url).set_entries(Some(entries.context("list messages")?));
    request.send().await.context("give messages back").map(|_| ())
}
