//! What is deployed, as far as it could be inspected.

use std::collections::BTreeMap;

use serde_json::Value;

/// Everything that the doctor checks.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The region that the programs work in.
    pub region: Option<String>,
    pub bucket: Bucket,
    /// Queues by role.
    pub queues: BTreeMap<String, Queues>,
    /// Rules of EventBridge by consumer.
    pub rules: BTreeMap<String, Inspected<Rule>>,
    /// `None` if its address is not known, and a text if it could not be read.
    pub database: Option<Result<Database, String>>,
}

/// The configuration of something, or why it could not be read.
pub type Inspected<T> = Result<T, InspectError>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InspectError {
    /// It does not exist, or no setting has its address.
    Absent,
    /// The caller lacks the permission for this action.
    Denied(&'static str),
    /// Any other error, in words.
    Failed(String),
}

#[derive(Clone, Debug)]
pub struct Bucket {
    pub name: String,
    pub region: Inspected<String>,
    pub notifications: Inspected<Vec<Notification>>,
    /// Whether it sends its events to EventBridge.
    pub event_bridge: Inspected<bool>,
    /// Whether its objects could be listed.
    pub listing: Inspected<()>,
}

/// One of the bucket's notifications to a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notification {
    pub queue_arn: String,
    /// Event types, such as `s3:ObjectCreated:*`.
    pub events: Vec<String>,
    pub prefix: String,
    pub suffix: String,
}

/// A rule of EventBridge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    pub arn: String,
    pub is_enabled: bool,
    pub pattern: Option<Value>,
    /// The ARNs of what it sends events to.
    pub targets: Vec<String>,
}

/// A queue and its dead-letter queue.
#[derive(Clone, Debug)]
pub struct Queues {
    /// `None` if no setting has it.
    pub url: Option<String>,
    pub queue: Inspected<Queue>,
    pub dead_letter_url: Option<String>,
    pub dead_letters: Inspected<Queue>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    pub arn: String,
    pub visibility_timeout_seconds: u32,
    /// How long each new message is hidden.
    pub delay_seconds: u32,
    pub retention_seconds: u32,
    pub maximum_message_size_bytes: u32,
    pub redrive: Option<Redrive>,
    /// Its access policy.
    pub policy: Option<Value>,
}

/// Where SQS moves a message that was received too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redrive {
    pub target_arn: String,
    pub max_receive_count: u32,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Database {
    /// Schema steps that are applied.
    pub applied: Vec<i64>,
    /// Schema steps that this program contains.
    pub known: Vec<i64>,
    /// The median time of the recent loads, from transformed object to rows; `None` if nothing was loaded.
    pub work_seconds: Option<f64>,
}

/// The region in an ARN, which is its fourth part.
pub fn region_of_arn(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or_default()
}
