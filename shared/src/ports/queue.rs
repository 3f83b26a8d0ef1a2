//! Message queues.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::core::blame::Blame;

/// The maximum number of messages in one request to receive, send or delete, as SQS limits it.
pub const BATCH: usize = 10;

/// The message attribute that carries a trace in the format of AWS X-Ray. S3 copies it from the request that wrote the
/// object.
pub const XRAY: &str = "AWSTraceHeader";

/// A queue that delivers each message at least once, in any order.
///
/// A received message is hidden from other consumers while its lease lasts. If the lease ends before the message is
/// deleted, the message is delivered again.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Receives up to `most` messages (1 to [`BATCH`]) and leases each of them for `lease`. Waits a while for the first
    /// message; an empty list means that none arrived.
    async fn receive(&self, most: usize, lease: Duration) -> Result<Vec<Message>, QueueError>;

    /// Makes the lease end `lease` from now. Zero returns the message to the queue at once.
    ///
    /// A lease that has already ended may be extended too, as LocalStack does. Callers that must not work without a
    /// lease must also track its expiry themselves.
    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<Lease, QueueError>;

    /// Deletes up to [`BATCH`] messages. An error says how many remain.
    ///
    /// It is not an error if a message is already deleted or its lease was lost. A message whose lease was lost may be
    /// delivered again.
    async fn delete(&self, receipts: &[Receipt]) -> Result<(), QueueError>;

    /// Sends any number of messages. `Ok` means that all of them were confirmed; after an error some may have been
    /// sent.
    async fn send(&self, messages: &[NewMessage]) -> Result<(), QueueError>;

    /// Sends a message that becomes visible after a delay of at most 15 minutes.
    async fn send_after(&self, message: &NewMessage, delay: Duration) -> Result<(), QueueError>;

    /// Counts the messages approximately.
    async fn depth(&self) -> Result<Depth, QueueError>;
}

/// A received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The message id, which is the same at every delivery.
    pub id: String,
    /// The handle of this delivery, which extends its lease and deletes the message.
    pub receipt: Receipt,
    /// The text of the message, usually JSON.
    pub body: String,
    /// How many times the message has been delivered, including this delivery.
    pub receive_count: u32,
    /// The attributes with which the message was sent.
    pub attributes: Attributes,
}

/// The handle of one delivery of a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Receipt(pub String);

/// Message attributes: up to ten names, each with a text value.
pub type Attributes = BTreeMap<String, String>;

/// A message to send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewMessage {
    /// The text of the message, usually JSON.
    pub body: String,
    /// The attributes of the message. Values must not be empty.
    pub attributes: Attributes,
}

/// Whether the lease of a delivery could be extended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The lease was extended. No other consumer has the message, unless the lease had already ended.
    Held,
    /// The lease had ended. Another consumer may have received the message or deleted it.
    Lost,
}

/// The number of messages in a queue, by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Messages that can be received now.
    pub waiting: u64,
    /// Messages that are leased to a consumer.
    pub in_flight: u64,
    /// Messages whose delay has not passed yet.
    pub delayed: u64,
}

impl Depth {
    /// Whether the queue has no messages in any state.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// A request to a queue failed.
#[derive(Debug, Error)]
#[error("{operation} {queue:?}: {reason}")]
pub struct QueueError {
    /// The operation as a verb phrase that the queue's name completes, such as `receive from`.
    pub operation: &'static str,
    /// The name or URL of the queue.
    pub queue: String,
    /// The error message of the queue service.
    pub reason: String,
    /// Whether the message or the queue service is to blame.
    pub blame: Blame,
}
