//! Makes the bucket, the queues, the notifications and the rules of `topology.json`, as Terraform does in the cloud.

mod rules;

use std::collections::HashMap;

use anyhow::Context;
use aws_sdk_s3::types::{
    Event, EventBridgeConfiguration, FilterRule, FilterRuleName, NotificationConfiguration,
    NotificationConfigurationFilter, QueueConfiguration, S3KeyFilter,
};
use aws_sdk_sqs::types::QueueAttributeName;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::core::topology::{Consumer, NotificationTopology, QueueTopology, Topology};
use serde_json::json;

/// The addresses of the queues, by their role.
pub type QueueUrls = HashMap<String, String>;

/// Makes everything that is not there yet, and gives what is there the attributes that the topology says. It can be run again at
/// any time.
pub async fn provision(aws: &Aws, bucket: &str, topology: &Topology) -> anyhow::Result<QueueUrls> {
    make_bucket(aws, bucket).await?;
    let mut urls = QueueUrls::new();
    let mut configurations = Vec::new();
    let mut arns = Vec::new();
    for (role, queue) in &topology.queues {
        let (url, arn) = match topology.consumers.get(role) {
            Some(consumer) => make_consumed(aws, bucket, topology, queue, consumer).await?,
            None => make_queue_pair(aws, topology, queue, &Writer::bucket(bucket)).await?,
        };
        configurations.extend(queue.notification.as_ref().map(|rule| notification(&arn, rule)).transpose()?);
        urls.insert(role.clone(), url);
        arns.push(arn);
    }
    let events = (!topology.consumers.is_empty()).then(|| EventBridgeConfiguration::builder().build());
    notify(aws, bucket, configurations, &arns, events).await?;
    Ok(urls)
}

/// Makes a queue that hears of every object that is written or removed under a prefix, and returns its URL.
pub async fn subscribe(aws: &Aws, bucket: &str, queue: &str, prefix: &str) -> anyhow::Result<String> {
    let policy = HashMap::from([(QueueAttributeName::Policy, Writer::bucket(bucket).policy().to_string())]);
    let (url, arn) = make_queue(aws, queue, policy).await?;
    let events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"].map(str::to_owned).to_vec();
    let rule = NotificationTopology { events, prefix: prefix.to_owned() };
    notify(aws, bucket, vec![notification(&arn, &rule)?], &[arn], None).await?;
    Ok(url)
}

async fn make_bucket(aws: &Aws, bucket: &str) -> anyhow::Result<()> {
    match aws.s3().create_bucket().bucket(bucket).send().await {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_bucket_already_owned_by_you()) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("create bucket {bucket}")),
    }
}

/// The queue's URL and ARN, after making the rule of its consumer, its dead-letter queue and itself.
async fn make_consumed(
    aws: &Aws,
    bucket: &str,
    topology: &Topology,
    queue: &QueueTopology,
    consumer: &Consumer,
) -> anyhow::Result<(String, String)> {
    let rule = rules::make(aws, bucket, queue, consumer).await?;
    let (url, arn) = make_queue_pair(aws, topology, queue, &Writer::rule(rule)).await?;
    rules::send_to(aws, queue, &arn).await?;
    Ok((url, arn))
}

/// The queue's URL and ARN, after making its dead-letter queue and itself.
async fn make_queue_pair(
    aws: &Aws,
    topology: &Topology,
    queue: &QueueTopology,
    writer: &Writer,
) -> anyhow::Result<(String, String)> {
    let dead_letters = topology.dead_letter_name(&queue.name);
    let (_, dead_letter_arn) = make_queue(aws, &dead_letters, of_dead_letters(queue)).await?;
    make_queue(aws, &queue.name, attributes(queue, writer, &dead_letter_arn)).await
}

fn of_dead_letters(queue: &QueueTopology) -> HashMap<QueueAttributeName, String> {
    HashMap::from([
        (QueueAttributeName::MessageRetentionPeriod, queue.dead_letter_retention_seconds.to_string()),
        (QueueAttributeName::DelaySeconds, "0".to_owned()),
    ])
}

fn attributes(queue: &QueueTopology, writer: &Writer, dead_letter_arn: &str) -> HashMap<QueueAttributeName, String> {
    let redrive = json!({"deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": queue.max_receive_count});
    HashMap::from([
        (QueueAttributeName::DelaySeconds, "0".to_owned()),
        (QueueAttributeName::VisibilityTimeout, queue.visibility_timeout_seconds.to_string()),
        (QueueAttributeName::MessageRetentionPeriod, queue.retention_seconds.to_string()),
        (QueueAttributeName::MaximumMessageSize, queue.maximum_message_size_bytes.to_string()),
        (QueueAttributeName::RedrivePolicy, redrive.to_string()),
        (QueueAttributeName::Policy, writer.policy().to_string()),
    ])
}

/// What may write to a queue.
struct Writer {
    service: &'static str,
    arn: String,
}

impl Writer {
    fn bucket(bucket: &str) -> Self {
        Self { service: "s3.amazonaws.com", arn: format!("arn:aws:s3:::{bucket}") }
    }

    fn rule(arn: String) -> Self {
        Self { service: "events.amazonaws.com", arn }
    }

    /// Lets this write to a queue, and nobody else.
    fn policy(&self) -> serde_json::Value {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": self.service},
            "Action": "sqs:SendMessage",
            "Resource": "*",
            "Condition": {"ArnEquals": {"aws:SourceArn": self.arn}}
        }]})
    }
}

async fn make_queue(
    aws: &Aws,
    name: &str,
    attributes: HashMap<QueueAttributeName, String>,
) -> anyhow::Result<(String, String)> {
    let sqs = aws.sqs();
    // With attributes, a queue that is there already and has others would be refused.
    let created = sqs.create_queue().queue_name(name).send().await;
    let url = created.with_context(|| format!("create queue {name}"))?.queue_url;
    let url = url.with_context(|| format!("read the URL of queue {name}"))?;
    let set = sqs.set_queue_attributes().queue_url(&url).set_attributes(Some(attributes)).send().await;
    set.with_context(|| format!("set the attributes of queue {name}"))?;
    let asked = sqs.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::QueueArn).send().await;
    let arn = asked.with_context(|| format!("ask for the ARN of queue {name}"))?.attributes;
    let arn = arn.and_then(|mut attributes| attributes.remove(&QueueAttributeName::QueueArn));
    Ok((url, arn.with_context(|| format!("read the ARN of queue {name}"))?))
}

fn notification(queue_arn: &str, rule: &NotificationTopology) -> anyhow::Result<QueueConfiguration> {
    let prefix = FilterRule::builder().name(FilterRuleName::Prefix).value(&rule.prefix).build();
    let filter =
        NotificationConfigurationFilter::builder().key(S3KeyFilter::builder().filter_rules(prefix).build()).build();
    let events = rule.events.iter().map(|event| Event::from(event.as_str())).collect();
    let builder = QueueConfiguration::builder().queue_arn(queue_arn).set_events(Some(events)).filter(filter);
    builder.build().context("write a notification")
}

/// Replaces the notifications to some queues, and turns on those to EventBridge. A bucket has one configuration, which is set
/// as a whole: those to anything else stay as they are.
async fn notify(
    aws: &Aws,
    bucket: &str,
    own: Vec<QueueConfiguration>,
    queues: &[String],
    events: Option<EventBridgeConfiguration>,
) -> anyhow::Result<()> {
    let asked = aws.s3().get_bucket_notification_configuration().bucket(bucket).send().await;
    let known = asked.with_context(|| format!("read the notifications of bucket {bucket}"))?;
    let others = known.queue_configurations.unwrap_or_default();
    let others = others.into_iter().filter(|known| !queues.contains(&known.queue_arn));
    let configuration = NotificationConfiguration::builder()
        .set_queue_configurations(Some(others.chain(own).collect()))
        .set_topic_configurations(known.topic_configurations)
        .set_lambda_function_configurations(known.lambda_function_configurations)
        .set_event_bridge_configuration(known.event_bridge_configuration.or(events))
        .build();
    let request = aws.s3().put_bucket_notification_configuration().bucket(bucket);
    let request = request.notification_configuration(configuration);
    request.send().await.with_context(|| format!("set the notifications of bucket {bucket}")).map(|_| ())
}
