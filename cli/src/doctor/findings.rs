//! Compares a snapshot with the topology.

use super::finding::{APPLY, Examined};
use super::snapshot::{Snapshot, region_of_arn};
use super::{database, notifications, queues, rules};
use candlewick_shared::core::topology::Topology;

pub fn examine(topology: &Topology, snapshot: &Snapshot) -> Examined {
    let mut examined = Examined::default();
    bucket(&mut examined, snapshot);
    regions(&mut examined, snapshot);
    notifications::examine(&mut examined, topology, snapshot);
    rules::examine(&mut examined, topology, snapshot);
    for (role, wanted) in &topology.queues {
        queues::examine(&mut examined, role, wanted, topology, snapshot);
    }
    database::examine(&mut examined, topology, snapshot);
    examined
}

fn bucket(examined: &mut Examined, snapshot: &Snapshot) {
    let bucket = &snapshot.bucket;
    examined.require("bucket", &bucket.name, "the bucket", &bucket.listing);
}

/// S3 notifies only queues in its own region, and programs find only queues in theirs.
fn regions(examined: &mut Examined, snapshot: &Snapshot) {
    let Ok(home) = &snapshot.bucket.region else { return };
    let here = |region: &str| region.is_empty() || region == home;
    if let Some(region) = snapshot.region.as_ref().filter(|region| !here(region)) {
        let problem = format!("the programs use {region}, and the bucket is in {home}");
        examined.find("region", &snapshot.bucket.name, problem, format!("set AWS_REGION={home}"));
    }
    for (role, queues) in &snapshot.queues {
        for queue in [&queues.queue, &queues.dead_letters].into_iter().flatten() {
            let region = region_of_arn(&queue.arn);
            if !here(region) {
                let problem = format!("{} is in {region}, and the bucket is in {home}", queue.arn);
                examined.find("region", role, problem, format!("create the queue in {home}: {APPLY}"));
            }
        }
    }
}

#[cfg(test)]
pub mod tests {
    use std::collections::BTreeMap;

    use candlewick_shared::core::topology::Consumer;
    use serde_json::json;

    use super::super::snapshot::{Bucket, Database, InspectError, Notification, Queue, Queues, Redrive, Rule};
    use super::*;

    fn arn(name: &str) -> String {
        format!("arn:aws:sqs:eu-west-1:1:{name}")
    }

    fn queues(topology: &Topology, role: &str) -> Queues {
        let wanted = topology.queue(role).unwrap();
        let dead_letters = topology.dead_letter_name(&wanted.name);
        let (service, source) = match topology.consumers.get(role) {
            Some(_) => ("events.amazonaws.com", rule_arn(&wanted.name)),
            None => ("s3.amazonaws.com", "arn:aws:s3:::b".to_owned()),
        };
        let statement = json!({
            "Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage", "Resource": "*",
            "Condition": {"ArnEquals": {"aws:SourceArn": source}}
        });
        let queue = Queue {
            arn: arn(&wanted.name),
            delay_seconds: 0,
            visibility_timeout_seconds: wanted.visibility_timeout_seconds,
            retention_seconds: wanted.retention_seconds,
            maximum_message_size_bytes: wanted.maximum_message_size_bytes,
            redrive: Some(Redrive { target_arn: arn(&dead_letters), max_receive_count: wanted.max_receive_count }),
            policy: Some(json!({"Statement": [statement]})),
        };
        let letters = Queue {
            arn: arn(&dead_letters),
            retention_seconds: wanted.dead_letter_retention_seconds,
            redrive: None,
            policy: None,
            ..queue.clone()
        };
        let url = format!("https://q/1/{}", wanted.name);
        let dead_letter_url = format!("https://q/1/{dead_letters}");
        Queues { url: Some(url), queue: Ok(queue), dead_letter_url: Some(dead_letter_url), dead_letters: Ok(letters) }
    }

    fn rule_arn(name: &str) -> String {
        format!("arn:aws:events:eu-west-1:1:rule/{name}")
    }

    fn rule(topology: &Topology, role: &str, consumer: &Consumer) -> Rule {
        let name = &topology.queue(role).unwrap().name;
        let pattern = Some(consumer.event_pattern("b"));
        Rule { arn: rule_arn(name), is_enabled: true, pattern, targets: vec![arn(name)] }
    }

    /// A snapshot without problems.
    pub fn healthy() -> Snapshot {
        healthy_of(Topology::built_in())
    }

    fn healthy_of(topology: &Topology) -> Snapshot {
        let notification = |(_, queue): (&String, &candlewick_shared::core::topology::QueueTopology)| {
            let rule = queue.notification.as_ref()?;
            let queue_arn = arn(&queue.name);
            let events = rule.events.clone();
            let prefix = rule.prefix.clone();
            Some(Notification { queue_arn, events, prefix, suffix: String::new() })
        };
        let bucket = Bucket {
            name: "b".to_owned(),
            region: Ok("eu-west-1".to_owned()),
            notifications: Ok(topology.queues.iter().filter_map(notification).collect()),
            event_bridge: Ok(!topology.consumers.is_empty()),
            listing: Ok(()),
        };
        let rules =
            topology.consumers.iter().map(|(role, consumer)| (role.clone(), Ok(rule(topology, role, consumer))));
        let rules = rules.collect();
        let queues: BTreeMap<_, _> =
            topology.queues.keys().map(|role| (role.clone(), queues(topology, role))).collect();
        let database = Database { applied: vec![1], known: vec![1], work_seconds: Some(0.2) };
        Snapshot { region: Some("eu-west-1".to_owned()), bucket, queues, rules, database: Some(Ok(database)) }
    }

    /// Check and subject of each finding after something was broken.
    pub fn found(break_it: impl FnOnce(&mut Snapshot)) -> Vec<(&'static str, String)> {
        found_in(Topology::built_in(), break_it)
    }

    /// The same, with a topology that has the consumer `summaries`.
    pub fn found_with_consumer(break_it: impl FnOnce(&mut Snapshot)) -> Vec<(&'static str, String)> {
        let topology = Topology::built_in().clone().with_consumer("summaries", Consumer::of("transformed/"));
        found_in(&topology.unwrap(), break_it)
    }

    fn found_in(topology: &Topology, break_it: impl FnOnce(&mut Snapshot)) -> Vec<(&'static str, String)> {
        let mut snapshot = healthy_of(topology);
        break_it(&mut snapshot);
        let findings = examine(topology, &snapshot).findings;
        assert!(findings.iter().all(|finding| !finding.mend.is_empty() && !finding.problem.is_empty()));
        findings.into_iter().map(|finding| (finding.check, finding.subject)).collect()
    }

    /// One finding, as [`found`] returns it.
    pub fn one(check: &'static str, subject: &str) -> Vec<(&'static str, String)> {
        vec![(check, subject.to_owned())]
    }

    #[test]
    fn nothing_is_found_where_nothing_is_wrong() {
        assert_eq!(examine(Topology::built_in(), &healthy()), Examined::default());
    }

    #[test]
    fn a_bucket_that_is_not_there_or_may_not_be_seen_is_found() {
        assert_eq!(found(|snapshot| snapshot.bucket.listing = Err(InspectError::Absent)), one("bucket", "b"));
        let denied = Err(InspectError::Denied("s3:ListBucket"));
        assert_eq!(found(|snapshot| snapshot.bucket.listing = denied), one("permission", "b"));
    }

    #[test]
    fn what_is_in_another_region_is_found() {
        assert_eq!(found(|snapshot| snapshot.region = Some("us-east-1".to_owned())), one("region", "b"));
        let moved = found(|snapshot| {
            let queue = snapshot.queues.get_mut("ingest").unwrap().queue.as_mut().unwrap();
            queue.arn = queue.arn.replace("eu-west-1", "eu-west-2");
        });
        assert_eq!(moved, one("region", "ingest"));
    }
}
