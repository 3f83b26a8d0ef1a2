//! Reads the dead-letter queues.

pub mod filter;
pub mod letter;

use std::time::Duration;

use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::sqs_browse::{self, Held};
use candlewick_shared::core::topology::{Topology, dead_letter_url_variable};
use candlewick_shared::runtime::env::Env;

pub use self::letter::DeadLetter;

/// The most letters of each queue that are read to show them to a person.
const MOST: usize = 500;

/// How long a received letter stays hidden from others: longer than it takes to read a full queue.
const HOLD: Duration = Duration::from_secs(120);

/// How long a receive may return nothing before the queue counts as read: long enough for SQS to query all its servers.
const WAIT: Duration = Duration::from_secs(1);

/// Reads the dead letters of all queues and leaves them there.
pub async fn browse(aws: &Aws, env: &Env) -> anyhow::Result<Vec<DeadLetter>> {
    let mut letters = Vec::new();
    for role in Topology::built_in().queues.keys() {
        let messages = sqs_browse::browse(&aws.sqs(), &url(env, role)?, MOST).await?;
        letters.extend(messages.into_iter().map(|message| DeadLetter::read(role, Held { message, sent: None })));
    }
    Ok(letters)
}

/// Receives up to `most` letters of a queue, oldest first. They are hidden from others until they are given back or
/// deleted.
pub async fn hold(aws: &Aws, env: &Env, role: &str, most: usize) -> anyhow::Result<Vec<DeadLetter>> {
    let held = sqs_browse::walk(&aws.sqs(), &url(env, role)?, most, HOLD, WAIT).await?;
    let mut letters: Vec<_> = held.into_iter().map(|held| DeadLetter::read(role, held)).collect();
    letters.sort_by(|one, other| (one.sent, &one.message.id).cmp(&(other.sent, &other.message.id)));
    Ok(letters)
}

/// Makes held letters visible again.
pub async fn give_back(
    aws: &Aws,
    env: &Env,
    role: &str,
    letters: impl Iterator<Item = &DeadLetter>,
) -> anyhow::Result<()> {
    sqs_browse::give_back(&aws.sqs(), &url(env, role)?, letters.map(|letter| &letter.message.receipt)).await
}

/// The URL of the dead-letter queue that belongs to the queue with this role.
pub fn url(env: &Env, role: &str) -> anyhow::Result<String> {
    match env.optional(&dead_letter_url_variable(role)) {
        Some(url) => Ok(url.to_owned()),
        None => Ok(Topology::built_in().dead_letter_name(env.queue_url(role)?)),
    }
}
