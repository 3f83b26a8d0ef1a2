//! What stands in the dead-letter queues.

pub mod filter;
pub mod letter;

use std::time::Duration;

use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::sqs_browse::{self, Held};
use candlewick_shared::core::topology::{Topology, dead_letter_url_variable};
use candlewick_shared::runtime::env::Env;

pub use self::letter::DeadLetter;

/// How many letters of each queue are looked at for a person: more than anybody reads.
const MOST: usize = 500;

/// How long a letter stays hidden while somebody looks at it or works on it: longer than a walk through a full queue takes.
const HOLD: Duration = Duration::from_secs(120);

/// How long a queue is asked for more before it counts as walked through: enough for SQS to ask all of its servers.
const WAIT: Duration = Duration::from_secs(1);

/// Looks at the dead letters and leaves each where it is.
pub async fn look(aws: &Aws, env: &Env) -> anyhow::Result<Vec<DeadLetter>> {
    let mut letters = Vec::new();
    for role in Topology::built_in().queues.keys() {
        let messages = sqs_browse::browse(&aws.sqs(), &url(env, role)?, MOST).await?;
        letters.extend(messages.into_iter().map(|message| DeadLetter::read(role, Held { message, sent: None })));
    }
    Ok(letters)
}

/// Takes up to `most` letters of a queue in hand, hidden from everybody else, until they are given back or deleted.
pub async fn take(aws: &Aws, env: &Env, role: &str, most: usize) -> anyhow::Result<Vec<DeadLetter>> {
    let held = sqs_browse::walk(&aws.sqs(), &url(env, role)?, most, HOLD, WAIT).await?;
    let mut letters: Vec<_> = held.into_iter().map(|held| DeadLetter::read(role, held)).collect();
    letters.sort_by(|one, other| (one.sent, &one.message.id).cmp(&(other.sent, &other.message.id)));
    Ok(letters)
}

/// Gives letters back that were taken in hand.
pub async fn give_back(
    aws: &Aws,
    env: &Env,
    role: &str,
    letters: impl Iterator<Item = &DeadLetter>,
) -> anyhow::Result<()> {
    sqs_browse::give_back(&aws.sqs(), &url(env, role)?, letters.map(|letter| &letter.message.receipt)).await
}

/// The URL of the dead-letter queue of the queue with a role.
pub fn url(env: &Env, role: &str) -> anyhow::Result<String> {
    match env.optional(&dead_letter_url_variable(role)) {
        Some(url) => Ok(url.to_owned()),
        None => Ok(Topology::built_in().dead_letter_name(env.queue_url(role)?)),
    }
}
