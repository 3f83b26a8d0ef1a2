//! The owner's consumers, and the queues that they get.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::queue::QueueTopology;

/// The most characters of a consumer's name. A queue, a rule and a dead-letter queue are named after it, and the shortest
/// limit of AWS, 64 characters for a rule, also has to hold the prefix of a second stack.
const LONGEST_NAME: usize = 32;

/// The longest visibility timeout of SQS: 12 hours.
const LONGEST_TIMEOUT: u32 = 12 * 3600;

/// A consumer of new objects that is not a part of Candlewick. Its name is the role of its queue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Consumer {
    /// The prefix of the keys of the objects whose events it gets, with a slash at its end.
    pub of: String,
    /// How long a received message stays hidden; by default as in [`ConsumerQueue`]. AWS wants six times the timeout of a
    /// Lambda function here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility_timeout_seconds: Option<u32>,
    /// After how many receives SQS moves a message to the dead-letter queue; by default as in [`ConsumerQueue`]. A program
    /// that moves no message by itself needs a small number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_receive_count: Option<u32>,
}

/// What the queue of each consumer is like.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsumerQueue {
    /// What the name of a queue begins with; the name of its consumer follows.
    pub name_prefix: String,
    /// How long a received message stays hidden unless its lease is extended.
    pub visibility_timeout_seconds: u32,
    /// How long the queue keeps messages.
    pub retention_seconds: u32,
    /// How long the dead-letter queue keeps messages.
    pub dead_letter_retention_seconds: u32,
    /// The number of receives after which SQS moves a message to the dead-letter queue.
    pub max_receive_count: u32,
    /// The maximum size of a message.
    pub maximum_message_size_bytes: u32,
}

/// Why a topology cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadTopology {
    /// It is no JSON, or JSON with other fields.
    #[error(transparent)]
    Unreadable(#[from] serde_json::Error),
    /// A consumer's name would not fit into the names of its queue, its rule and its environment variable.
    #[error(
        "consumer {0:?}: a name has 1 to 32 lower-case letters, digits and underscores, and begins with a letter; its \
         queue and its variable are named after it"
    )]
    Name(String),
    /// A queue or a service has the name already.
    #[error("consumer {0:?}: a queue or a service has this name already, choose another")]
    Taken(String),
    /// A prefix that no key, or any key, begins with.
    #[error(
        "consumer {name:?}: `of` is {of:?}; it must be a prefix of keys that ends with a slash, like \"transformed/\""
    )]
    Prefix {
        /// The name of the consumer.
        name: String,
        /// The value of `of`.
        of: String,
    },
    /// A number that SQS does not accept.
    #[error("consumer {name:?}: `{field}` is {value}; SQS accepts 1 to {most}")]
    Number {
        /// The name of the consumer.
        name: String,
        /// The field.
        field: &'static str,
        /// Its value.
        value: u32,
        /// The largest value that SQS accepts.
        most: u32,
    },
}

impl Consumer {
    /// A consumer of the objects under a prefix, with the usual queue.
    #[must_use]
    pub fn of(prefix: &str) -> Self {
        Self { of: prefix.to_owned(), visibility_timeout_seconds: None, max_receive_count: None }
    }

    /// The pattern of the EventBridge events that a consumer gets: every way to write an object of the bucket under its
    /// prefix. S3 sends keys to EventBridge as they are, unlike to queues.
    #[must_use]
    pub fn event_pattern(&self, bucket: &str) -> serde_json::Value {
        serde_json::json!({
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": self.of}]}}
        })
    }

    fn check(&self, name: &str) -> Result<(), BadTopology> {
        if !is_name(name) {
            return Err(BadTopology::Name(name.to_owned()));
        }
        if !is_prefix(&self.of) {
            return Err(BadTopology::Prefix { name: name.to_owned(), of: self.of.clone() });
        }
        let numbers = [
            ("visibility_timeout_seconds", self.visibility_timeout_seconds, LONGEST_TIMEOUT),
            ("max_receive_count", self.max_receive_count, 1000),
        ];
        let numbers = numbers.into_iter().filter_map(|(field, value, most)| Some((field, value?, most)));
        match numbers.into_iter().find(|(_, value, most)| !(1..=*most).contains(value)) {
            Some((field, value, most)) => Err(BadTopology::Number { name: name.to_owned(), field, value, most }),
            None => Ok(()),
        }
    }

    fn queue(&self, name: &str, usual: &ConsumerQueue) -> QueueTopology {
        QueueTopology {
            name: format!("{}{name}", usual.name_prefix),
            service: name.to_owned(),
            visibility_timeout_seconds: self.visibility_timeout_seconds.unwrap_or(usual.visibility_timeout_seconds),
            retention_seconds: usual.retention_seconds,
            dead_letter_retention_seconds: usual.dead_letter_retention_seconds,
            max_receive_count: self.max_receive_count.unwrap_or(usual.max_receive_count),
            maximum_message_size_bytes: usual.maximum_message_size_bytes,
            notification: None,
        }
    }
}

/// Checks a consumer and adds its queue.
pub(super) fn add(
    queues: &mut BTreeMap<String, QueueTopology>,
    usual: &ConsumerQueue,
    name: &str,
    consumer: &Consumer,
) -> Result<(), BadTopology> {
    consumer.check(name)?;
    let queue = consumer.queue(name, usual);
    let is_taken =
        |(role, known): (&String, &QueueTopology)| role == name || known.service == name || known.name == queue.name;
    if queues.iter().any(is_taken) {
        return Err(BadTopology::Taken(name.to_owned()));
    }
    queues.insert(name.to_owned(), queue);
    Ok(())
}

fn is_name(text: &str) -> bool {
    let is_usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.len() <= LONGEST_NAME && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(is_usual)
}

fn is_prefix(text: &str) -> bool {
    text.len() > 1 && text.ends_with('/') && !text.starts_with('/') && !text.contains(char::is_control)
}
