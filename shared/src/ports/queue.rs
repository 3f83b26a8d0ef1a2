//! The queues.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::core::blame::Blame;

/// The most messages that one call receives, sends or deletes; SQS allows no more.
pub const BATCH: usize = 10;

/// The attribute of a message that carries a trace in the form of AWS X-Ray: S3 passes it on from whoever wrote an object.
pub const XRAY: &str = "AWSTraceHeader";

/// A queue that delivers at least once, in any order. A received message is hidden for a time, its lease; when the lease
/// ends before the message is deleted, it is delivered again.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Takes up to `most` messages (1 to [`BATCH`]) and leases each for `lease`. Waits a while for the first one; an empty
    /// list means that none came.
    async fn receive(&self, most: usize, lease: Duration) -> Result<Vec<Message>, QueueError>;

    /// Makes the lease end `lease` from now; nought gives the message back at once. It is not sure to notice that the lease
    /// had ended: LocalStack extends it then too. Who must not work without a lease watches the time as well.
    async fn extend(&self, receipt: &Receipt, lease: Duration) -> Result<Lease, QueueError>;

    /// Deletes messages, up to [`BATCH`]; an error names how many remain. One that is deleted already, or whose lease was
    /// lost, may be among them: that is no error, and the latter may be delivered again.
    async fn delete(&self, receipts: &[Receipt]) -> Result<(), QueueError>;

    /// Sends messages, any number; `Ok` means that every one was confirmed. After an error some may have been sent.
    async fn send(&self, messages: &[NewMessage]) -> Result<(), QueueError>;

    /// Sends a message that appears after a delay, of a quarter of an hour at the most.
    async fn send_after(&self, message: &NewMessage, delay: Duration) -> Result<(), QueueError>;

    /// How many messages there are, roughly.
    async fn depth(&self) -> Result<Depth, QueueError>;
}

/// A message and its lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id, the same at every delivery.
    pub id: String,
    /// The handle of this delivery.
    pub receipt: Receipt,
    /// What it says.
    pub body: String,
    /// How many times it has been delivered, this time included.
    pub receive_count: u32,
    /// What was attached to it.
    pub attributes: Attributes,
}

/// The handle of one delivery of a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Receipt(pub String);

/// What is attached to a message: up to ten names with text.
pub type Attributes = BTreeMap<String, String>;

/// A message to send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewMessage {
    /// What it says.
    pub body: String,
    /// What is attached to it; no text may be empty.
    pub attributes: Attributes,
}

/// Whether a delivery's lease could be extended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// It could: nobody else has the message, unless the lease had ended.
    Held,
    /// It could not: the lease had ended, and somebody else may have the message, or have deleted it.
    Lost,
}

/// How many messages a queue has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Those that wait.
    pub waiting: u64,
    /// Those that are leased.
    pub in_flight: u64,
    /// Those that were sent to appear later.
    pub delayed: u64,
}

impl Depth {
    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// The queue did not do what it was asked.
#[derive(Debug, Error)]
#[error("{operation} {queue:?}: {reason}")]
pub struct QueueError {
    /// What was asked: `receive from`.
    pub operation: &'static str,
    /// The queue.
    pub queue: String,
    /// The queue's words.
    pub reason: String,
    /// Whose failure it is.
    pub blame: Blame,
}
