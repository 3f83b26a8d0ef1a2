//! Checks that the bucket notifies the right queues of the right keys, and that no service wakes itself.

use candlewick_shared::core::topology::{NotificationTopology, Topology};

use super::finding::{APPLY, Examined};
use super::snapshot::{Notification, Snapshot};

pub fn examine(examined: &mut Examined, topology: &Topology, snapshot: &Snapshot) {
    loops_of_topology(examined, topology);
    let name = &snapshot.bucket.name;
    let inspected = &snapshot.bucket.notifications;
    if snapshot.bucket.listing.is_err() {
        return;
    }
    let Some(notifications) =
        examined.require("notification", name, "the bucket's notification configuration", inspected)
    else {
        return;
    };
    for (role, wanted) in &topology.queues {
        let Some(Ok(queue)) = snapshot.queues.get(role).map(|queues| &queues.queue) else { continue };
        let own: Vec<_> = notifications.iter().filter(|notification| notification.queue_arn == queue.arn).collect();
        if let Some(rule) = &wanted.notification {
            check_notification(examined, role, rule, &own);
        }
        for notification in own {
            loops(examined, role, &wanted.service, &notification.prefix, topology);
        }
    }
}

/// Checks that a queue is notified as the topology says.
fn check_notification(examined: &mut Examined, role: &str, rule: &NotificationTopology, own: &[&Notification]) {
    let is_right = |notification: &&&Notification| {
        notification.prefix == rule.prefix
            && notification.suffix.is_empty()
            && rule.events.iter().all(|event| notification.events.contains(event))
    };
    if own.iter().any(|notification| is_right(&notification)) {
        return;
    }
    let wanted = format!("{} under {}", rule.events.join(", "), rule.prefix);
    let problem = match own.first() {
        None => format!("the bucket does not notify the queue of {wanted}: objects written there are not processed"),
        Some(Notification { events, prefix, suffix, .. }) => {
            let events = events.join(", ");
            format!(
                "the bucket notifies the queue of {events} under {prefix:?} ending in {suffix:?}, and not of {wanted}"
            )
        }
    };
    let mend = format!(
        "set the bucket's notification ({APPLY}), then run `candlewick reconcile` for the objects that were missed"
    );
    examined.find("notification", role, problem, mend);
}

fn loops_of_topology(examined: &mut Examined, topology: &Topology) {
    for (role, queue) in &topology.queues {
        if let Some(rule) = &queue.notification {
            loops(examined, role, &queue.service, &rule.prefix, topology);
        }
    }
}

/// Finds services whose own objects wake them, which would never end. Each pair of filter and output is reported once.
fn loops(examined: &mut Examined, role: &str, service: &str, filter: &str, topology: &Topology) {
    for output in topology.prefixes.written_by(service) {
        let problem =
            format!("{service} is woken by keys under {filter:?} and writes under {output:?}: it wakes itself");
        let is_reported = examined.findings.iter().any(|finding| finding.problem == problem);
        if (output.starts_with(filter) || filter.starts_with(output)) && !is_reported {
            let mend = format!("narrow the filter of queue {role} so that it excludes {output}: {APPLY}");
            examined.find("loop", role, problem, mend);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::findings::examine as examine_all;
    use super::super::findings::tests::{found, healthy, one};
    use super::super::snapshot::InspectError;
    use super::*;

    fn notification_of<'a>(snapshot: &'a mut Snapshot, prefix: &str) -> &'a mut Notification {
        let all = snapshot.bucket.notifications.as_mut().unwrap();
        all.iter_mut().find(|notification| notification.prefix == prefix).unwrap()
    }

    #[test]
    fn a_queue_that_is_not_told_is_found() {
        let removed =
            found(|snapshot| snapshot.bucket.notifications.as_mut().unwrap().retain(|one| one.prefix != "raw/"));
        assert_eq!(removed, one("notification", "raw"));
        let other_suffix = found(|snapshot| notification_of(snapshot, "transformed/").suffix = ".json".to_owned());
        assert_eq!(other_suffix, one("notification", "transformed"));
        let other_events =
            found(|snapshot| notification_of(snapshot, "raw/").events = vec!["s3:ObjectCreated:Put".to_owned()]);
        assert_eq!(other_events, one("notification", "raw"));
        let denied =
            found(|snapshot| snapshot.bucket.notifications = Err(InspectError::Denied("s3:GetBucketNotification")));
        assert_eq!(denied, one("permission", "b"));
    }

    #[test]
    fn a_filter_that_lets_a_service_wake_itself_is_found() {
        let everything = found(|snapshot| notification_of(snapshot, "raw/").prefix = String::new());
        let loops = everything.iter().filter(|finding| **finding == ("loop", "raw".to_owned())).count();
        assert_eq!(
            (loops, everything.len()),
            (4, 5),
            "transformed objects, reports, quarantine and Parquet, and a wrong filter"
        );
        let own_output =
            found(|snapshot| notification_of(snapshot, "raw/").prefix = "reports/interval=1day/".to_owned());
        assert!(own_output.contains(&("loop", "raw".to_owned())));
    }

    #[test]
    fn a_topology_that_loops_by_itself_is_found() {
        let mut topology = Topology::built_in().clone();
        topology.prefixes.transformed = "raw/clean/".to_owned();
        let findings = examine_all(&topology, &healthy()).findings;
        assert_eq!(findings.iter().filter(|finding| finding.check == "loop").count(), 1, "{findings:?}");
    }
}
