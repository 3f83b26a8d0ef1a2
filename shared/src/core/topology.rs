//! `topology.json`: the prefixes, queues, services and settings that programs, Terraform and documents share.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use serde::Deserialize;

/// The content of `topology.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// The schema version of the file, 1.
    pub version: u32,
    /// The prefixes of the bucket.
    pub prefixes: Prefixes,
    /// The suffix that a queue's name gets in the name of its dead-letter queue.
    pub dead_letter_suffix: String,
    /// The queues, by role: `alerts`, `ingest`, `raw` and `transformed`.
    pub queues: BTreeMap<String, QueueTopology>,
    /// The services, by name.
    pub services: BTreeMap<String, ServiceTopology>,
    /// The environment variables that services read, by name.
    pub settings: BTreeMap<String, Setting>,
}

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

    /// Returns the settings that a service reads, by name.
    pub fn settings_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = (&'a str, &'a Setting)> {
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

impl QueueTopology {
    /// Returns how long a received message stays hidden unless its lease is extended.
    #[must_use]
    pub fn visibility_timeout(&self) -> Duration {
        Duration::from_secs(self.visibility_timeout_seconds.into())
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
mod tests {
    use super::*;

    #[test]
    fn every_queue_has_what_its_consumer_needs() {
        let topology = Topology::built_in();
        for role in ["alerts", "ingest", "raw", "transformed"] {
            let queue = topology.queue(role).unwrap();
            assert!(
                queue.dead_letter_retention_seconds >= queue.retention_seconds,
                "{role}: dead letters keep their age"
            );
            assert!((1..=1000).contains(&queue.max_receive_count), "{role}: outside what SQS allows");
        }
    }

    /// A run may have to wait for several days' credits.
    #[test]
    fn ingest_keeps_its_messages_for_as_long_as_sqs_does() {
        assert_eq!(Topology::built_in().queue("ingest").unwrap().retention_seconds, 14 * 24 * 3600);
    }

    #[test]
    fn a_key_belongs_to_the_queue_that_hears_of_it() {
        let topology = Topology::built_in();
        let roles = ["raw/a", "transformed/a", "reports/a"].map(|key| topology.role_of_key(key));
        assert_eq!(roles, [Some("raw"), Some("transformed"), None]);
    }

    /// `ObjectCreated:Put` does not include copies and multipart uploads, and every large object is uploaded in parts.
    #[test]
    fn the_bucket_tells_of_every_way_to_write_an_object() {
        let queues = &Topology::built_in().queues;
        let rules: Vec<_> = queues.values().filter_map(|queue| queue.notification.as_ref()).collect();
        assert_eq!(rules.len(), 2);
        assert!(rules.iter().all(|rule| rule.events == ["s3:ObjectCreated:*"]), "{rules:?}");
    }

    #[test]
    fn no_notification_can_wake_the_service_that_causes_it() {
        let topology = Topology::built_in();
        let prefixes: Vec<_> = topology
            .queues
            .values()
            .filter_map(|queue| queue.notification.as_ref())
            .map(|notification| &notification.prefix)
            .collect();
        assert_eq!(prefixes, [&topology.prefixes.raw, &topology.prefixes.transformed]);
    }
}
