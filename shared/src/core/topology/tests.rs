//! Tests of the topology.

use super::*;

#[test]
fn every_queue_has_what_its_consumer_needs() {
    let topology = Topology::built_in();
    for role in ["alerts", "ingest", "raw", "transformed"] {
        let queue = topology.queue(role).unwrap();
        assert!(queue.dead_letter_retention_seconds >= queue.retention_seconds, "{role}: dead letters keep their age");
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

fn with(consumers: &str) -> Result<Topology, BadTopology> {
    let mut file: serde_json::Value = serde_json::from_str(include_str!("../../../../topology.json")).unwrap();
    file["consumers"] = serde_json::from_str(consumers).unwrap();
    file.to_string().parse()
}

#[test]
fn a_consumer_is_one_entry_and_gets_a_queue_of_its_name() {
    let topology = with(r#"{"summaries": {"of": "transformed/"}}"#).unwrap();
    let queue = topology.queue("summaries").unwrap();
    assert_eq!((queue.name.as_str(), queue.service.as_str()), ("candlewick-summaries", "summaries"));
    assert!(queue.notification.is_none(), "S3 notifies one queue of a prefix, which is the loader's");
    assert!(queue.dead_letter_retention_seconds >= queue.retention_seconds);
    assert_eq!(topology.service("summaries"), Some("summaries"));
    assert_eq!(topology.role_of_key("transformed/a"), Some("transformed"));
}

#[test]
fn a_consumer_may_say_what_its_queue_is_like() {
    let text = r#"{"lambda": {"of": "raw/", "visibility_timeout_seconds": 180, "max_receive_count": 5}}"#;
    let topology = with(text).unwrap();
    let queue = topology.queue("lambda").unwrap();
    assert_eq!((queue.visibility_timeout_seconds, queue.max_receive_count), (180, 5));
}

#[test]
fn without_an_entry_nothing_is_different() {
    let topology = with("{}").unwrap();
    assert!(topology.consumers.is_empty());
    let roles: Vec<_> = topology.queues.keys().collect();
    assert_eq!(roles, ["alerts", "ingest", "raw", "transformed"]);
}

#[test]
fn what_is_wrong_with_a_consumer_is_named() {
    let error = |consumers: &str| with(consumers).unwrap_err().to_string();
    for name in ["Summaries", "monthly-summaries", "1st", "", "a_name_that_is_much_longer_than_is_useful"] {
        let said = error(&format!(r#"{{"{name}": {{"of": "transformed/"}}}}"#));
        assert!(said.contains(&format!("{name:?}: a name has")), "{said}");
    }
    for name in ["raw", "loader", "dashboard", "transformed"] {
        let said = error(&format!(r#"{{"{name}": {{"of": "transformed/"}}}}"#));
        assert!(said.contains(name) && said.contains("has this name already"), "{said}");
    }
    for of in ["", "/", "transformed", "/transformed/", "a\\u0007/"] {
        let said = error(&format!(r#"{{"mine": {{"of": "{of}"}}}}"#));
        assert!(said.contains("\"mine\": `of` is") && said.contains("transformed/"), "{said}");
    }
    assert!(error(r#"{"mine": {"of": "raw/", "max_receive_count": 0}}"#).contains("`max_receive_count` is 0"));
    let long = error(r#"{"mine": {"of": "raw/", "visibility_timeout_seconds": 50000}}"#);
    assert!(long.contains("1 to 43200"), "{long}");
    assert!(error(r#"{"mine": {"prefix": "raw/"}}"#).contains("prefix"));
}

#[test]
fn a_consumer_that_is_there_already_is_not_added_again() {
    let topology = with(r#"{"summaries": {"of": "transformed/"}}"#).unwrap();
    let again = topology.clone().with_consumer("summaries", Consumer::of("transformed/")).unwrap();
    assert_eq!(again.queues.len(), topology.queues.len());
    let other = topology.with_consumer("summaries", Consumer::of("raw/")).unwrap_err();
    assert!(other.to_string().contains("has this name already"), "{other}");
}

#[test]
fn a_consumer_reads_the_settings_of_all_that_consume_a_queue() {
    let topology = with(r#"{"summaries": {"of": "transformed/"}}"#).unwrap();
    let read: Vec<_> = topology.settings_of("summaries").map(|(name, _)| name).collect();
    for name in ["ALERTS_QUEUE_URL", "BUCKET", "CONCURRENCY", "HEALTH_LISTEN", "METRICS", "TOPOLOGY"] {
        assert!(read.contains(&name), "{name} is missing in {read:?}");
    }
    assert!(!read.contains(&"DATABASE_URL") && !read.contains(&"TWELVEDATA_API_KEY"), "{read:?}");
}
