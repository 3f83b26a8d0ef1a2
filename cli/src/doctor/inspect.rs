//! Reads what is deployed from AWS and the database.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context;
use aws_sdk_eventbridge::types::RuleState;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{FilterRuleName, QueueConfiguration};
use aws_sdk_sqs::types::QueueAttributeName;
use candlewick_shared::adapters::aws_error;
use candlewick_shared::adapters::postgres;
use candlewick_shared::core::topology::Topology;
use sqlx::PgPool;

use super::snapshot::{
    Bucket, Database, InspectError, Inspected, Notification, Queue, Queues, Redrive, Rule, Snapshot,
};
use crate::place::Deployment;

/// Takes a snapshot. What cannot be read is recorded in it as an error.
pub async fn inspect(deployment: &Deployment, topology: &Topology) -> anyhow::Result<Snapshot> {
    let region = deployment.aws.config().region().map(ToString::to_string);
    let mut all = BTreeMap::new();
    for role in topology.queues.keys() {
        all.insert(role.clone(), queues(deployment, role).await);
    }
    let rules = rules(deployment, topology, &all).await;
    let bucket = bucket(deployment, deployment.env.bucket()?).await;
    Ok(Snapshot { region, bucket, queues: all, rules, database: database(deployment).await })
}

/// Classifies an error of AWS.
fn inspect_error<E>(error: &SdkError<E, HttpResponse>, action: &'static str) -> InspectError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default();
    match code {
        "NoSuchBucket"
        | "NotFound"
        | "ResourceNotFoundException"
        | "AWS.SimpleQueueService.NonExistentQueue"
        | "QueueDoesNotExist" => InspectError::Absent,
        "AccessDenied" | "AccessDeniedException" | "Forbidden" => InspectError::Denied(action),
        _ => InspectError::Failed(aws_error::words(error)),
    }
}

async fn bucket(deployment: &Deployment, name: &str) -> Bucket {
    let s3 = deployment.aws.s3();
    let listing = s3.list_objects_v2().bucket(name).max_keys(1).send().await;
    let region = s3.get_bucket_location().bucket(name).send().await;
    let notifications = s3.get_bucket_notification_configuration().bucket(name).send().await;
    let notifications = notifications.map_err(|error| inspect_error(&error, "s3:GetBucketNotification"));
    Bucket {
        name: name.to_owned(),
        listing: listing.map(|_| ()).map_err(|error| inspect_error(&error, "s3:ListBucket")),
        region: region
            .map(|answer| region_of(answer.location_constraint.as_ref().map_or("", |region| region.as_str())))
            .map_err(|error| inspect_error(&error, "s3:GetBucketLocation")),
        event_bridge: notifications
            .as_ref()
            .map(|answer| answer.event_bridge_configuration.is_some())
            .map_err(Clone::clone),
        notifications: notifications
            .map(|answer| answer.queue_configurations.unwrap_or_default().into_iter().map(notification).collect()),
    }
}

/// S3 returns no location for us-east-1, and may return `EU` for eu-west-1.
fn region_of(constraint: &str) -> String {
    match constraint {
        "" | "null" => "us-east-1",
        "EU" => "eu-west-1",
        other => other,
    }
    .to_owned()
}

fn notification(configuration: QueueConfiguration) -> Notification {
    let rules = configuration.filter.and_then(|filter| filter.key).and_then(|key| key.filter_rules).unwrap_or_default();
    // S3 returns rule names in the case in which they were set.
    let rule = |wanted: FilterRuleName| {
        let is = |name: &FilterRuleName| name.as_str().eq_ignore_ascii_case(wanted.as_str());
        let rule = rules.iter().find(|rule| rule.name.as_ref().is_some_and(is));
        rule.and_then(|rule| rule.value.clone()).unwrap_or_default()
    };
    Notification {
        queue_arn: configuration.queue_arn,
        events: configuration.events.iter().map(|event| event.as_str().to_owned()).collect(),
        prefix: rule(FilterRuleName::Prefix),
        suffix: rule(FilterRuleName::Suffix),
    }
}

/// The rules of the consumers whose queues could be read. A rule has the name of its queue.
async fn rules(
    deployment: &Deployment,
    topology: &Topology,
    queues: &BTreeMap<String, Queues>,
) -> BTreeMap<String, Inspected<Rule>> {
    let client = aws_sdk_eventbridge::Client::new(deployment.aws.config());
    let mut all = BTreeMap::new();
    for role in topology.consumers.keys() {
        if let Some(Ok(queue)) = queues.get(role).map(|queues| &queues.queue) {
            all.insert(role.clone(), rule(&client, queue.arn.rsplit(':').next().unwrap_or_default()).await);
        }
    }
    all
}

async fn rule(client: &aws_sdk_eventbridge::Client, name: &str) -> Inspected<Rule> {
    let described = client.describe_rule().name(name).send().await;
    let described = described.map_err(|error| inspect_error(&error, "events:DescribeRule"))?;
    let targets = client.list_targets_by_rule().rule(name).send().await;
    let targets = targets.map_err(|error| inspect_error(&error, "events:ListTargetsByRule"))?.targets;
    Ok(Rule {
        is_enabled: described.state == Some(RuleState::Enabled),
        pattern: described.event_pattern.and_then(|text| serde_json::from_str(&text).ok()),
        arn: described.arn.unwrap_or_default(),
        targets: targets.unwrap_or_default().into_iter().map(|target| target.arn).collect(),
    })
}

async fn queues(deployment: &Deployment, role: &str) -> Queues {
    let url = deployment.env.queue_url(role).ok().map(str::to_owned);
    let dead_letter_url = deployment.env.dead_letter_url(role).ok();
    Queues {
        queue: queue(deployment, url.as_deref()).await,
        dead_letters: queue(deployment, dead_letter_url.as_deref()).await,
        url,
        dead_letter_url,
    }
}

async fn queue(deployment: &Deployment, url: Option<&str>) -> Inspected<Queue> {
    let Some(url) = url else { return Err(InspectError::Absent) };
    let request = deployment.aws.sqs().get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
    let answer = request.send().await.map_err(|error| inspect_error(&error, "sqs:GetQueueAttributes"))?;
    read_queue(&answer.attributes.unwrap_or_default())
}

fn read_queue(attributes: &HashMap<QueueAttributeName, String>) -> Inspected<Queue> {
    let number = |name: QueueAttributeName| {
        let missing = || InspectError::Failed(format!("it has no {}", name.as_str()));
        attributes.get(&name).and_then(|text| text.parse().ok()).ok_or_else(missing)
    };
    let json = |name: QueueAttributeName| attributes.get(&name).and_then(|text| serde_json::from_str(text).ok());
    Ok(Queue {
        arn: attributes.get(&QueueAttributeName::QueueArn).cloned().unwrap_or_default(),
        visibility_timeout_seconds: number(QueueAttributeName::VisibilityTimeout)?,
        delay_seconds: number(QueueAttributeName::DelaySeconds)?,
        retention_seconds: number(QueueAttributeName::MessageRetentionPeriod)?,
        maximum_message_size_bytes: number(QueueAttributeName::MaximumMessageSize)?,
        redrive: json(QueueAttributeName::RedrivePolicy).and_then(|policy| redrive(&policy)),
        policy: json(QueueAttributeName::Policy),
    })
}

/// The count may be a number or a text, depending on who set the policy.
fn redrive(policy: &serde_json::Value) -> Option<Redrive> {
    let count = &policy["maxReceiveCount"];
    let max_receive_count = count.as_u64().or_else(|| count.as_str()?.parse().ok())?;
    let target_arn = policy["deadLetterTargetArn"].as_str()?.to_owned();
    Some(Redrive { target_arn, max_receive_count: u32::try_from(max_receive_count).ok()? })
}

async fn database(deployment: &Deployment) -> Option<Result<Database, String>> {
    let url = deployment.env.optional("DATABASE_URL")?;
    let inspected = async { read_database(&postgres::connect(url, 1).await?).await };
    Some(inspected.await.map_err(|error: anyhow::Error| format!("{error:#}")))
}

const APPLIED: &str = "select version from _sqlx_migrations where success order by version";

/// The median over the last hundred loads.
const WORK: &str = "select percentile_cont(0.5) within group (order by seconds) from (
    select extract(epoch from loaded_at - transformed_at)::float8 as seconds from objects
    where loaded_at is not null and transformed_at is not null order by loaded_at desc limit 100) recent";

async fn read_database(pool: &PgPool) -> anyhow::Result<Database> {
    let applied = sqlx::query_scalar(APPLIED).fetch_all(pool).await.context("read the schema's steps")?;
    let work_seconds = sqlx::query_scalar(WORK).fetch_one(pool).await.context("read how long loads take")?;
    Ok(Database { applied, known: postgres::schema_steps(), work_seconds })
}
