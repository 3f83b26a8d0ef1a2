//! Compares a snapshot with the topology.

use super::finding::{APPLY, Examined};
use super::snapshot::{Snapshot, region_of_arn};
use super::{database, notifications, queues};
use candlewick_shared::core::topology::Topology;

pub fn examine(topology: &Topology, snapshot: &Snapshot) -> Examined {
    let mut examined = Examined::default();
    bucket(&mut examined, snapshot);
    regions(&mut examined, snapshot);
    notifications::examine(&mut examined, topology, snapshot);
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

    use serde_json::json;

    use super::super::snapshot::{Bucket, Database, InspectError, Notification, Queue, Queues, Redrive};
    use super::*;

    fn arn(name: &str) -> String {
        format!("arn:aws:sqs:eu-west-1:1:{name}")
    }

    fn queues(topology: &Topology, role: &str) -> Queues {
        let wanted = topology.queue(role).unwrap();
        let dead_letters = topology.dead_letter_name(&wanted.name);
        let statement = json!({
            "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*",
            "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::b"}}
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

    /// A snapshot without problems.
    pub fn healthy() -> Snapshot {
        let topology = Topology::built_in();
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
            listing: Ok(()),
        };
        let queues: BTreeMap<_, _> =
            topology.queues.keys().map(|role| (role.clone(), queues(topology, role))).collect();
        let database = Database { applied: vec![1], known: vec![1], work_seconds: Some(0.2) };
        Snapshot { region: Some("eu-west-1".to_owned()), bucket, queues, database: Some(Ok(database)) }
    }

    /// Check and subject of each finding after something was broken.
    pub fn found(break_it: impl FnOnce(&mut Snapshot)) -> Vec<(&'static str, String)> {
        let mut snapshot = healthy();
        break_it(&mut snapshot);
        let findings = examine(Topology::built_in(), &snapshot).findings;
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
