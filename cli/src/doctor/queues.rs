//! Compares a queue and its dead-letter queue with topology.json.

use candlewick_shared::core::topology::{QueueTopology, Topology, dead_letter_url_variable, queue_url_variable};

use super::finding::{APPLY, Examined};
use super::policy::{self, Writer, Writes};
use super::snapshot::{Queue, Queues, Redrive, Snapshot};

pub fn examine(examined: &mut Examined, role: &str, wanted: &QueueTopology, topology: &Topology, snapshot: &Snapshot) {
    let Some(queues) = snapshot.queues.get(role) else { return };
    let Some(url) = &queues.url else {
        let problem = format!("{} is not set, so no program finds the queue", queue_url_variable(role));
        return examined.find("address", role, problem, "set it to the queue's URL, or run `. .local/env`");
    };
    let queue = examined.require("queue", role, "the queue", &queues.queue);
    let letters = examined.require("dead_letters", role, "the dead-letter queue", &queues.dead_letters);
    if let Some(queue) = queue {
        attributes(examined, role, wanted, queue);
        permissions(examined, role, wanted, queue, snapshot);
        redrive(examined, role, wanted, queue, letters);
    }
    if let Some(letters) = letters {
        dead_letters(examined, role, wanted, letters);
        address(examined, role, url, queues, topology);
    }
}

/// Services derive the URL of a dead-letter queue from the URL of its queue.
fn address(examined: &mut Examined, role: &str, url: &str, queues: &Queues, topology: &Topology) {
    let expected = topology.dead_letter_name(url);
    if let Some(found) = queues.dead_letter_url.as_ref().filter(|found| **found != expected) {
        let problem = format!("{} is {found}, and the services write to {expected}", dead_letter_url_variable(role));
        let suffix = &topology.dead_letter_suffix;
        examined.find(
            "address",
            role,
            problem,
            format!("name the dead-letter queue like its queue, followed by {suffix}"),
        );
    }
}

fn attributes(examined: &mut Examined, role: &str, wanted: &QueueTopology, queue: &Queue) {
    let checks = [
        (
            "visibility",
            "VisibilityTimeout",
            "seconds",
            wanted.visibility_timeout_seconds,
            queue.visibility_timeout_seconds,
        ),
        ("retention", "MessageRetentionPeriod", "seconds", wanted.retention_seconds, queue.retention_seconds),
        (
            "message_size",
            "MaximumMessageSize",
            "bytes",
            wanted.maximum_message_size_bytes,
            queue.maximum_message_size_bytes,
        ),
        ("delay", "DelaySeconds", "seconds", 0, queue.delay_seconds),
    ];
    for (check, attribute, unit, wanted, found) in checks {
        if wanted != found {
            let problem = format!("the queue's {attribute} is {found} {unit}, and topology.json has {wanted}");
            examined.find(check, role, problem, set(attribute, wanted, &queue.arn));
        }
    }
}

fn set(attribute: &str, value: u32, arn: &str) -> String {
    let name = arn.rsplit(':').next().unwrap_or_default();
    format!("set {attribute}={value} on {name}: {APPLY}")
}

fn permissions(examined: &mut Examined, role: &str, wanted: &QueueTopology, queue: &Queue, snapshot: &Snapshot) {
    let (writer, is_needed) = match snapshot.rules.get(role) {
        Some(Ok(rule)) => (Writer { service: "events.amazonaws.com", arn: rule.arn.clone() }, true),
        _ => (Writer::bucket(&snapshot.bucket.name), wanted.notification.is_some()),
    };
    let writes = policy::writes(queue.policy.as_ref(), &queue.arn, &writer);
    let Writer { service, arn } = writer;
    if writes == Writes::OpenToAll {
        let problem = "anyone may send messages to the queue";
        examined.find("policy", role, problem, format!("allow only {arn} to send messages: {APPLY}"));
    }
    if writes == Writes::Refused && is_needed {
        let problem = format!("its policy does not let {arn} write to the queue, so no event reaches it");
        examined.find(
            "policy",
            role,
            problem,
            format!("allow sqs:SendMessage to {service} for aws:SourceArn {arn}: {APPLY}"),
        );
    }
}

fn redrive(examined: &mut Examined, role: &str, wanted: &QueueTopology, queue: &Queue, letters: Option<&Queue>) {
    let mend = |what: &str| format!("{what}: {APPLY}");
    match (&queue.redrive, letters) {
        (None, _) => {
            let problem = "the queue has no redrive policy: a message that kills its consumer comes back forever";
            examined.find("dead_letters", role, problem, mend("set its RedrivePolicy"));
        }
        (Some(Redrive { target_arn, .. }), Some(letters)) if *target_arn != letters.arn => {
            let problem =
                format!("the queue moves messages to {target_arn}, but its dead-letter queue is {}", letters.arn);
            examined.find("dead_letters", role, problem, mend("set its RedrivePolicy"));
        }
        (Some(Redrive { max_receive_count, .. }), _) if *max_receive_count != wanted.max_receive_count => {
            let found = max_receive_count;
            let wanted = wanted.max_receive_count;
            let problem = format!("the queue gives up after {found} receives, and topology.json has {wanted}");
            examined.find("dead_letters", role, problem, mend("set maxReceiveCount in its RedrivePolicy"));
        }
        _ => {}
    }
}

/// A dead-letter queue must accept every message of its queue. A message keeps its age when SQS moves it.
fn dead_letters(examined: &mut Examined, role: &str, wanted: &QueueTopology, letters: &Queue) {
    let kept = letters.retention_seconds;
    let needed = wanted.dead_letter_retention_seconds;
    if kept < needed {
        let problem =
            format!("dead letters are kept for {kept} s, and topology.json has {needed}: they expire too early");
        examined.find("retention", role, problem, set("MessageRetentionPeriod", needed, &letters.arn));
    }
    let accepted = letters.maximum_message_size_bytes;
    let needed = wanted.maximum_message_size_bytes;
    if accepted < needed {
        let problem = format!(
            "the dead-letter queue accepts messages up to {accepted} bytes, and its queue up to {needed}: large messages cannot be given up"
        );
        examined.find("message_size", role, problem, set("MaximumMessageSize", needed, &letters.arn));
    }
}

#[cfg(test)]
mod tests {
    use super::super::findings::tests::{found, one};
    use super::super::snapshot::InspectError;
    use super::*;

    fn broken(break_it: impl FnOnce(&mut Queue)) -> Vec<(&'static str, String)> {
        found(|snapshot| break_it(snapshot.queues.get_mut("raw").unwrap().queue.as_mut().unwrap()))
    }

    fn broken_letters(break_it: impl FnOnce(&mut Queue)) -> Vec<(&'static str, String)> {
        found(|snapshot| break_it(snapshot.queues.get_mut("raw").unwrap().dead_letters.as_mut().unwrap()))
    }

    #[test]
    fn attributes_that_differ_are_found() {
        assert_eq!(broken(|queue| queue.visibility_timeout_seconds = 5), one("visibility", "raw"));
        assert_eq!(broken(|queue| queue.retention_seconds = 60), one("retention", "raw"));
        assert_eq!(broken(|queue| queue.maximum_message_size_bytes = 1024), one("message_size", "raw"));
        assert_eq!(broken(|queue| queue.delay_seconds = 600), one("delay", "raw"));
    }

    #[test]
    fn a_redrive_policy_that_is_missing_or_leads_elsewhere_is_found() {
        assert_eq!(broken(|queue| queue.redrive = None), one("dead_letters", "raw"));
        let elsewhere = |queue: &mut Queue| queue.redrive.as_mut().unwrap().target_arn.push('x');
        assert_eq!(broken(elsewhere), one("dead_letters", "raw"));
        assert_eq!(broken(|queue| queue.redrive.as_mut().unwrap().max_receive_count = 3), one("dead_letters", "raw"));
    }

    #[test]
    fn a_dead_letter_queue_that_keeps_too_little_is_found() {
        assert_eq!(broken_letters(|letters| letters.retention_seconds = 60), one("retention", "raw"));
        assert_eq!(broken_letters(|letters| letters.maximum_message_size_bytes = 1024), one("message_size", "raw"));
        assert!(broken_letters(|letters| letters.maximum_message_size_bytes = 1 << 20).is_empty(), "more does no harm");
    }

    #[test]
    fn a_policy_that_lets_nobody_or_everybody_write_is_found() {
        assert_eq!(broken(|queue| queue.policy = None), one("policy", "raw"));
        let open =
            serde_json::json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}});
        assert_eq!(broken(|queue| queue.policy = Some(open)), one("policy", "raw"));
        let unasked =
            found(|snapshot| snapshot.queues.get_mut("ingest").unwrap().queue.as_mut().unwrap().policy = None);
        assert!(unasked.is_empty(), "the bucket does not write to the ingest queue");
    }

    #[test]
    fn queues_that_are_not_there_are_found() {
        let of = |break_it: fn(&mut Queues)| found(|snapshot| break_it(snapshot.queues.get_mut("ingest").unwrap()));
        assert_eq!(of(|queues| queues.queue = Err(InspectError::Absent)), one("queue", "ingest"));
        assert_eq!(of(|queues| queues.dead_letters = Err(InspectError::Absent)), one("dead_letters", "ingest"));
        assert_eq!(of(|queues| queues.url = None), one("address", "ingest"));
        assert_eq!(
            of(|queues| queues.dead_letter_url = Some("https://q/1/other".to_owned())),
            one("address", "ingest")
        );
        let denied = of(|queues| queues.queue = Err(InspectError::Denied("sqs:GetQueueAttributes")));
        assert_eq!(denied, one("permission", "ingest"));
    }
}
