//! Checks that EventBridge tells each of the owner's consumers of its objects.

use candlewick_shared::core::topology::{Consumer, Topology};

use super::finding::{APPLY, Examined};
use super::snapshot::{Queue, Rule, Snapshot};

pub fn examine(examined: &mut Examined, topology: &Topology, snapshot: &Snapshot) {
    if snapshot.bucket.listing.is_err() {
        return;
    }
    switch(examined, topology, snapshot);
    for (role, consumer) in &topology.consumers {
        let Some(Ok(queue)) = snapshot.queues.get(role).map(|queues| &queues.queue) else { continue };
        let Some(inspected) = snapshot.rules.get(role) else { continue };
        if let Some(rule) = examined.require("rule", role, "the rule of EventBridge", inspected) {
            rule_of(examined, role, consumer, &snapshot.bucket.name, queue, rule);
        }
    }
}

/// The bucket sends its events to EventBridge only if it is configured to.
fn switch(examined: &mut Examined, topology: &Topology, snapshot: &Snapshot) {
    let is_off = matches!(snapshot.bucket.event_bridge, Ok(false));
    if is_off && !topology.consumers.is_empty() {
        let names: Vec<_> = topology.consumers.keys().map(String::as_str).collect();
        let problem = format!("the bucket sends no events to EventBridge: {} hears of no object", names.join(", "));
        examined.find("rule", &snapshot.bucket.name, problem, format!("turn on EventBridge for the bucket: {APPLY}"));
    }
}

fn rule_of(examined: &mut Examined, role: &str, consumer: &Consumer, bucket: &str, queue: &Queue, rule: &Rule) {
    let mut find = |problem: String| examined.find("rule", role, problem, format!("set the rule: {APPLY}"));
    if !rule.is_enabled {
        find("the rule of EventBridge is disabled: it sends nothing".to_owned());
    }
    if rule.pattern.as_ref() != Some(&consumer.event_pattern(bucket)) {
        let found = rule.pattern.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        find(format!("the rule's pattern is {found}, and not that of new objects under {}", consumer.of));
    }
    if !rule.targets.contains(&queue.arn) {
        find(format!("the rule does not send to {}", queue.arn));
    }
}

#[cfg(test)]
mod tests {
    use super::super::findings::tests::{found_with_consumer, one};
    use super::super::snapshot::InspectError;
    use super::*;

    fn broken(break_it: impl FnOnce(&mut Rule)) -> Vec<(&'static str, String)> {
        found_with_consumer(|snapshot| break_it(snapshot.rules.get_mut("summaries").unwrap().as_mut().unwrap()))
    }

    #[test]
    fn nothing_is_found_where_the_rule_is_right() {
        assert!(found_with_consumer(|_| {}).is_empty());
    }

    #[test]
    fn a_rule_that_tells_nobody_or_of_other_objects_is_found() {
        assert_eq!(broken(|rule| rule.is_enabled = false), one("rule", "summaries"));
        assert_eq!(
            broken(|rule| rule.targets = vec!["arn:aws:sqs:eu-west-1:1:other".to_owned()]),
            one("rule", "summaries")
        );
        assert_eq!(broken(|rule| rule.pattern = None), one("rule", "summaries"));
        let other = Consumer::of("raw/").event_pattern("b");
        assert_eq!(broken(|rule| rule.pattern = Some(other)), one("rule", "summaries"));
    }

    #[test]
    fn a_rule_or_a_switch_that_is_not_there_is_found() {
        let absent = found_with_consumer(|snapshot| {
            snapshot.rules.insert("summaries".to_owned(), Err(InspectError::Absent));
        });
        assert_eq!(absent, one("rule", "summaries"));
        assert_eq!(found_with_consumer(|snapshot| snapshot.bucket.event_bridge = Ok(false)), one("rule", "b"));
    }

    #[test]
    fn a_queue_that_the_rule_may_not_write_to_is_found() {
        let refused = found_with_consumer(|snapshot| {
            snapshot.queues.get_mut("summaries").unwrap().queue.as_mut().unwrap().policy = None;
        });
        assert_eq!(refused, one("policy", "summaries"));
    }
}
