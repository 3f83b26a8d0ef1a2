//! `topology.json`: the prefixes, queues, services, consumers and settings that programs, Terraform and documents share.

mod consumers;
mod queue;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{LazyLock, OnceLock};

use serde::Deserialize;

pub use self::consumers::{BadTopology, Consumer, ConsumerQueue};
pub use self::queue::{NotificationTopology, QueueTopology};

/// The content of `topology.json`.
///
/// The built-in one is `topology.json` as it was when the program was built. A program of another repository adds itself:
///
/// ```
/// use candlewick_shared::core::topology::{Consumer, Topology};
///
/// let topology = Topology::built_in().clone().with_consumer("summaries", Consumer::of("transformed/"))?;
/// assert_eq!(topology.queues["summaries"].name, "candlewick-summaries");
/// assert_eq!(topology.queues["summaries"].service, "summaries");
/// # Ok::<(), candlewick_shared::core::topology::BadTopology>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Document")]
pub struct Topology {
    /// The schema version of the file, 1.
    pub version: u32,
    /// The prefixes of the bucket.
    pub prefixes: Prefixes,
    /// The suffix that a queue's name gets in the name of its dead-letter queue.
    pub dead_letter_suffix: String,
    /// The queues, by role: `alerts`, `ingest`, `raw`, `transformed`, and the names of the consumers.
    pub queues: BTreeMap<String, QueueTopology>,
    /// The services, by name.
    pub services: BTreeMap<String, ServiceTopology>,
    /// What the queue of each consumer is like.
    pub consumer_queue: ConsumerQueue,
    /// The owner's consumers, by name. Each has a queue of this role.
    pub consumers: BTreeMap<String, Consumer>,
    /// The environment variables that services read, by name.
    pub settings: BTreeMap<String, Setting>,
}

/// The file, in which consumers have no queues yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    prefixes: Prefixes,
    dead_letter_suffix: String,
    #[serde(default)]
    queues: BTreeMap<String, QueueTopology>,
    #[serde(default)]
    services: BTreeMap<String, ServiceTopology>,
    consumer_queue: ConsumerQueue,
    #[serde(default)]
    consumers: BTreeMap<String, Consumer>,
    #[serde(default)]
    settings: BTreeMap<String, Setting>,
}

/// The name of the services that every consumer of a queue is like, in the lists of [`Topology::settings_of`].
const CONSUMERS: &str = "consumers";

/// A service of Candlewick.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceTopology {
    /// Whether it logs in to the database.
    pub database: bool,
}

/// An environment variable that services read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// The services that read it.
    pub services: Vec<String>,
    /// What it means, in Markdown.
    pub help: String,
    /// What applies if it is not set, in Markdown.
    pub default: String,
    /// Whether its value must not be shown.
    #[serde(default)]
    pub secret: bool,
}

/// The prefixes of the bucket, each with a slash at its end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefixes {
    /// The prefix of raw CSV.
    pub raw: String,
    /// The prefix of clean CSV.
    pub transformed: String,
    /// The prefix of the reports on cleaning.
    pub reports: String,
    /// The prefix of the quarantined rows.
    pub quarantine: String,
    /// The prefix of the clean candles as Parquet.
    pub columnar: String,
}

static CURRENT: OnceLock<Topology> = OnceLock::new();

impl Topology {
    /// Returns the topology that was compiled into the program.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Topology> = LazyLock::new(|| {
            #[expect(clippy::expect_used, reason = "the file is part of the program, and a test reads it")]
            serde_json::from_str(include_str!("../../../topology.json")).expect("topology.json is well-formed")
        });
        &BUILT_IN
    }

    /// Returns the topology of this process: the one of [`Self::make_current`], or else the built-in one.
    #[must_use]
    pub fn current() -> &'static Self {
        CURRENT.get_or_init(|| Self::built_in().clone())
    }

    /// Makes this the topology of the process. Call it at the start of the program.
    ///
    /// # Errors
    ///
    /// Returns the topology unused if the process uses another already, or if this was called before.
    pub fn make_current(self) -> Result<(), Box<Self>> {
        CURRENT.set(self).map_err(Box::new)
    }

    /// Returns the topology with this consumer and its queue. One that already has it stays as it is.
    ///
    /// # Errors
    ///
    /// Returns an error if the name, the prefix or a number of the consumer cannot be used, or if the name is taken.
    pub fn with_consumer(mut self, name: &str, consumer: Consumer) -> Result<Self, BadTopology> {
        if self.consumers.get(name) == Some(&consumer) {
            return Ok(self);
        }
        if self.services.contains_key(name) {
            return Err(BadTopology::Taken(name.to_owned()));
        }
        consumers::add(&mut self.queues, &self.consumer_queue, name, &consumer)?;
        self.consumers.insert(name.to_owned(), consumer);
        Ok(self)
    }

    /// Returns the settings that a service reads, by name. Consumers read those of every program that consumes a queue.
    pub fn settings_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = (&'a str, &'a Setting)> {
        let service = if self.services.contains_key(service) { service } else { CONSUMERS };
        let reads = move |setting: &Setting| setting.services.iter().any(|name| name == service);
        self.settings.iter().filter(move |(_, setting)| reads(setting)).map(|(name, setting)| (name.as_str(), setting))
    }

    /// Returns the queue with a role such as `raw`.
    #[must_use]
    pub fn queue(&self, role: &str) -> Option<&QueueTopology> {
        self.queues.get(role)
    }

    /// Returns the role of the queue that receives the bucket's events about a key.
    #[must_use]
    pub fn role_of_key(&self, key: &str) -> Option<&str> {
        let receives =
            |queue: &QueueTopology| queue.notification.as_ref().is_some_and(|rule| key.starts_with(&rule.prefix));
        self.queues.iter().find(|(_, queue)| receives(queue)).map(|(role, _)| role.as_str())
    }

    /// Returns the service with the name `text`, if it consumes a queue. Use it to check the names of services in
    /// messages, because anyone who can write to a queue can write any name there.
    #[must_use]
    pub fn service(&self, text: &str) -> Option<&str> {
        self.queues.values().map(|queue| queue.service.as_str()).find(|service| *service == text)
    }

    /// Returns the name of a queue's dead-letter queue. It accepts URLs of queues too, because they end with the name.
    #[must_use]
    pub fn dead_letter_name(&self, queue: &str) -> String {
        format!("{queue}{}", self.dead_letter_suffix)
    }
}

/// Reads the JSON of a topology.
///
/// # Errors
///
/// Returns an error that names the field or the consumer that is wrong.
impl FromStr for Topology {
    type Err = BadTopology;

    fn from_str(text: &str) -> Result<Self, BadTopology> {
        serde_json::from_str::<Document>(text)?.try_into()
    }
}

impl TryFrom<Document> for Topology {
    type Error = BadTopology;

    fn try_from(document: Document) -> Result<Self, BadTopology> {
        let Document { version, prefixes, dead_letter_suffix, queues, services, consumer_queue, consumers, settings } =
            document;
        let none = BTreeMap::new();
        let bare =
            Self { version, prefixes, dead_letter_suffix, queues, services, consumer_queue, consumers: none, settings };
        consumers.into_iter().try_fold(bare, |topology, (name, consumer)| topology.with_consumer(&name, consumer))
    }
}

impl Prefixes {
    /// Returns the prefixes under which a service writes. Events about objects there must never be sent to the same
    /// service.
    #[must_use]
    pub fn written_by(&self, service: &str) -> Vec<&str> {
        match service {
            "ingest" => vec![&self.raw],
            "transform" => vec![&self.transformed, &self.reports, &self.quarantine, &self.columnar],
            _ => vec![],
        }
    }
}

/// Returns the name of the environment variable for the URL of a role's dead-letter queue, such as `RAW_DLQ_URL`.
#[must_use]
pub fn dead_letter_url_variable(role: &str) -> String {
    format!("{}_DLQ_URL", role.to_ascii_uppercase())
}

/// Returns the name of the environment variable for the URL of a role's queue, such as `RAW_QUEUE_URL`.
#[must_use]
pub fn queue_url_variable(role: &str) -> String {
    format!("{}_QUEUE_URL", role.to_ascii_uppercase())
}

#[cfg(test)]
mod tests;
