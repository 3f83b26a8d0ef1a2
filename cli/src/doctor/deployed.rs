//! What is deployed, as far as it could be seen.

use std::collections::BTreeMap;

use serde_json::Value;

/// Everything that is looked at.
#[derive(Clone, Debug)]
pub struct Deployed {
    /// The region that the programs work in.
    pub region: Option<String>,
    pub bucket: Bucket,
    /// The queues, by their role.
    pub queues: BTreeMap<String, Queues>,
    /// The database; none where its address is not known.
    pub database: Option<Result<Database, String>>,
}

/// Something, or why it was not seen.
pub type Seen<T> = Result<T, Unseen>;

/// Why something was not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// There is none.
    Absent,
    /// Whoever looked may not do this.
    Denied(&'static str),
    /// The answer was something else.
    Failed(String),
}

/// The bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub name: String,
    /// The region it is in.
    pub region: Seen<String>,
    /// What it tells queues.
    pub notifications: Seen<Vec<Notification>>,
    /// Whether its objects can be listed.
    pub listing: Seen<()>,
}

/// What the bucket tells a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notification {
    pub queue_arn: String,
    /// The kinds of events.
    pub events: Vec<String>,
    /// What keys begin with.
    pub prefix: String,
    /// What keys end in.
    pub suffix: String,
}

/// A queue and its dead-letter queue.
#[derive(Clone, Debug)]
pub struct Queues {
    /// The queue's URL; none where no setting has it.
    pub url: Option<String>,
    pub queue: Seen<Queue>,
    /// The URL of the dead-letter queue.
    pub dead_letter_url: Option<String>,
    /// The dead-letter queue.
    pub dead_letters: Seen<Queue>,
}

/// A queue's attributes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    pub arn: String,
    /// How long a received message stays hidden.
    pub visibility_timeout_seconds: u32,
    /// How long each message waits before anybody may have it.
    pub delay_seconds: u32,
    /// How long it keeps messages.
    pub retention_seconds: u32,
    /// The largest message it takes.
    pub maximum_message_size_bytes: u32,
    /// Where it moves messages that were received too often.
    pub redrive: Option<Redrive>,
    /// Who may do what with it.
    pub policy: Option<Value>,
}

/// Where a queue moves messages, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redrive {
    /// The dead-letter queue.
    pub target_arn: String,
    /// After how many receives.
    pub max_receive_count: u32,
}

/// The database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Database {
    /// The steps of the schema that are applied.
    pub applied: Vec<i64>,
    /// The steps of the schema that this program knows.
    pub known: Vec<i64>,
    /// How long half of the last loads took at the most, from clean object to rows; none where there were none.
    pub work_seconds: Option<f64>,
}

/// The region in an ARN: its fourth part.
pub fn region_of_arn(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or_default()
}
