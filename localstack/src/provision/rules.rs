//! The EventBridge rules that tell the owner's consumers of new objects.
//!
//! S3 notifies one queue of the events of a prefix, and that is the queue of a service. Everything else gets them from
//! EventBridge, to which the bucket sends all of its events.

use anyhow::{Context, ensure};
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{RuleState, Target};
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::core::topology::{Consumer, QueueTopology};

/// The id of the only target of a rule.
const TARGET: &str = "queue";

/// Makes the rule of a consumer, and returns its ARN. It sends nothing before [`send_to`].
pub(super) async fn make(
    aws: &Aws,
    bucket: &str,
    queue: &QueueTopology,
    consumer: &Consumer,
) -> anyhow::Result<String> {
    let request = Client::new(aws.config()).put_rule().name(&queue.name).state(RuleState::Enabled);
    let made = request.event_pattern(consumer.event_pattern(bucket).to_string()).send().await;
    let made = made.with_context(|| format!("make rule {}", queue.name))?;
    made.rule_arn.with_context(|| format!("read the ARN of rule {}", queue.name))
}

/// Makes the queue the target of its rule.
pub(super) async fn send_to(aws: &Aws, queue: &QueueTopology, queue_arn: &str) -> anyhow::Result<()> {
    let target = Target::builder().id(TARGET).arn(queue_arn).build().context("write a target")?;
    let request = Client::new(aws.config()).put_targets().rule(&queue.name).targets(target);
    let put = request.send().await.with_context(|| format!("set the target of rule {}", queue.name))?;
    ensure!(put.failed_entry_count == 0, "rule {} refuses its target: {:?}", queue.name, put.failed_entries);
    Ok(())
}
