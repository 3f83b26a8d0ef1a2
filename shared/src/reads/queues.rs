//! The depths of the queues.

use serde::Serialize;
use utoipa::ToSchema;

use crate::adapters::aws::Aws;
use crate::core::topology::Topology;
use crate::ports::queue::Queue;
use crate::runtime::env::Env;

/// How many messages a queue and its dead-letter queue have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct QueueDepth {
    /// The role of the queue: `ingest`, `raw`, `transformed`, or the name of a consumer.
    pub queue: String,
    /// The service that consumes it.
    pub service: String,
    /// The number of messages that wait, also those that are delayed.
    pub waiting: u64,
    /// The number of messages that a consumer has received and not settled.
    pub in_flight: u64,
    /// The number of messages in its dead-letter queue, also those that somebody reads at the moment.
    pub dead_letters: u64,
}

/// The roles of all queues.
pub fn roles() -> impl Iterator<Item = &'static str> {
    Topology::current().queues.keys().map(String::as_str)
}

/// The roles of the queues on the way of a candle: all but those of the owner's own consumers.
pub fn roles_of_services() -> impl Iterator<Item = &'static str> {
    roles().filter(|role| !Topology::current().consumers.contains_key(*role))
}

/// The depth of the queue with a role.
///
/// # Errors
///
/// Returns an error if the URL of the queue is not set, or if one of the two queues does not answer.
pub async fn depth(aws: &Aws, env: &Env, role: &str) -> anyhow::Result<QueueDepth> {
    let depth = aws.queue(env.queue_url(role)?).depth().await?;
    Ok(QueueDepth {
        queue: role.to_owned(),
        service: Topology::current().queue(role).map(|queue| queue.service.clone()).unwrap_or_default(),
        waiting: depth.waiting + depth.delayed,
        in_flight: depth.in_flight,
        dead_letters: dead_letters(aws, env, role).await?,
    })
}

/// The number of dead letters of the queue with a role.
///
/// # Errors
///
/// Returns an error if the URL of the queue is not set, or if its dead-letter queue does not answer.
pub async fn dead_letters(aws: &Aws, env: &Env, role: &str) -> anyhow::Result<u64> {
    let depth = aws.queue(&env.dead_letter_url(role)?).depth().await?;
    Ok(depth.waiting + depth.in_flight)
}
