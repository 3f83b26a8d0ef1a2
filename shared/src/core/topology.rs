//! `topology.json`: the prefixes, queues, services and settings that programs, Terraform and documents share.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use serde::Deserialize;

/// The content of `topology.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// The file's schema: 1.
    pub version: u32,
    /// What stands under which prefix.
    pub prefixes: Prefixes,
    /// What a dead-letter queue's name has behind its queue's.
    pub dead_letter_suffix: String,
    /// The queues, by their role: `alerts`, `ingest`, `raw`, `transformed`.
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

/// The bucket's prefixes, each with a slash at its end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefixes {
    /// Where raw CSV is put.
    pub raw: String,
    /// Where clean CSV is put.
    pub transformed: String,
    /// Where the reports on cleaning are put.
    pub reports: String,
    /// Where the rows are put that cleaning set aside.
    pub quarantine: String,
}

/// A queue, its dead-letter queue, and what feeds it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueTopology {
    /// Its name.
    pub name: String,
    /// The service that consumes it.
    pub service: String,
    /// How long a received message stays hidden, unless its lease is extended.
    pub visibility_timeout_seconds: u32,
    /// How long it keeps messages.
    pub retention_seconds: u32,
    /// How long its dead-letter queue keeps them; more than its own, because they keep their age.
    pub dead_letter_retention_seconds: u32,
    /// After how many receives the queue itself moves a message to the dead-letter queue. It is the last resort for
    /// messages that kill their consumer: the consumer moves every other one itself, with a reason.
    pub max_receive_count: u32,
    /// The largest message it takes.
    pub maximum_message_size_bytes: u32,
    /// What the bucket tells it; none where programs write to it.
    pub notification: Option<NotificationTopology>,
}

/// Which events of the bucket go to a queue.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotificationTopology {
    /// The kinds of events.
    pub events: Vec<String>,
    /// What their keys begin with.
    pub prefix: String,
}

impl Topology {
    /// The topology that this program was built with.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Topology> = LazyLock::new(|| {
            #[expect(clippy::expect_used, reason = "the file is part of the program, and a test reads it")]
            serde_json::from_str(include_str!("../../../topology.json")).expect("topology.json is well-formed")
        });
        &BUILT_IN
    }

    /// The settings that a service reads, by name.
    pub fn settings_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = (&'a str, &'a Setting)> {
        let reads = move |setting: &Setting| setting.services.iter().any(|name| name == service);
        self.settings.iter().filter(move |(_, setting)| reads(setting)).map(|(name, setting)| (name.as_str(), setting))
    }

    /// The queue with a role.
    #[must_use]
    pub fn queue(&self, role: &str) -> Option<&QueueTopology> {
        self.queues.get(role)
    }

    /// The role of the queue that the bucket tells of a key.
    #[must_use]
    pub fn role_of_key(&self, key: &str) -> Option<&str> {
        let wakes =
            |queue: &QueueTopology| queue.notification.as_ref().is_some_and(|rule| key.starts_with(&rule.prefix));
        self.queues.iter().find(|(_, queue)| wakes(queue)).map(|(role, _)| role.as_str())
    }

    /// The service that a text names, if any consumes a queue by that name. Messages say who gave them up, and who can write to
    /// a queue can write anything there.
    #[must_use]
    pub fn service(&self, text: &str) -> Option<&str> {
        self.queues.values().map(|queue| queue.service.as_str()).find(|service| *service == text)
    }

    /// The name of a queue's dead-letter queue. It holds for queue URLs too, which end in the name.
    #[must_use]
    pub fn dead_letter_name(&self, queue: &str) -> String {
        format!("{queue}{}", self.dead_letter_suffix)
    }
}

impl Prefixes {
    /// The prefixes that a service writes under: an event of an object there must never wake it.
    #[must_use]
    pub fn written_by(&self, service: &str) -> Vec<&str> {
        match service {
            "ingest" => vec![&self.raw],
            "transform" => vec![&self.transformed, &self.reports, &self.quarantine],
            _ => vec![],
        }
    }
}

impl QueueTopology {
    /// How long a received message stays hidden, unless its lease is extended.
    #[must_use]
    pub fn visibility_timeout(&self) -> Duration {
        Duration::from_secs(self.visibility_timeout_seconds.into())
    }
}

/// The name of the environment variable with the URL of a queue's dead-letter queue: `RAW_DLQ_URL`.
#[must_use]
pub fn dead_letter_url_variable(role: &str) -> String {
    format!("{}_DLQ_URL", role.to_ascii_uppercase())
}

/// The name of the environment variable with a queue's URL: `RAW_QUEUE_URL`.
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

    /// A run may have to wait for days of credits.
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

    /// `ObjectCreated:Put` alone misses what is copied or uploaded in parts, which is every large object.
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
