//! A queue of the topology.

use std::time::Duration;

use serde::Deserialize;

/// A queue and its dead-letter queue.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueTopology {
    /// The name of the queue in SQS.
    pub name: String,
    /// The service that consumes the queue.
    pub service: String,
    /// How long a received message stays hidden unless its lease is extended.
    pub visibility_timeout_seconds: u32,
    /// How long the queue keeps messages.
    pub retention_seconds: u32,
    /// How long the dead-letter queue keeps messages. It must be at least `retention_seconds`, because a dead letter
    /// keeps the age of its message.
    pub dead_letter_retention_seconds: u32,
    /// The number of receives after which SQS moves a message to the dead-letter queue. This is the last resort for
    /// messages that kill their consumer; the consumer moves all others itself, with a reason.
    pub max_receive_count: u32,
    /// The maximum size of a message.
    pub maximum_message_size_bytes: u32,
    /// The bucket's events that the queue receives, or `None` if programs write to the queue.
    pub notification: Option<NotificationTopology>,
}

/// The events of the bucket that a queue receives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotificationTopology {
    /// The names of the events, such as `s3:ObjectCreated:*`.
    pub events: Vec<String>,
    /// The prefix of the objects' keys.
    pub prefix: String,
}

impl QueueTopology {
    /// Returns how long a received message stays hidden unless its lease is extended.
    #[must_use]
    pub fn visibility_timeout(&self) -> Duration {
        Duration::from_secs(self.visibility_timeout_seconds.into())
    }
}
