//! Asks AWS and the database what is deployed.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{FilterRuleName, QueueConfiguration};
use aws_sdk_sqs::types::QueueAttributeName;
use candlewick_shared::adapters::aws_error;
use candlewick_shared::adapters::postgres;
use candlewick_shared::core::topology::Topology;
use sqlx::PgPool;

use super::deployed::{Bucket, Database, Deployed, Notification, Queue, Queues, Redrive, Seen, Unseen};
use crate::dead_letters;
use crate::place::Running;

/// Looks at everything. What cannot be seen is part of the answer.
pub async fn look(running: &Running, topology: &Topology) -> anyhow::Result<Deployed> {
    let region = running.aws.config().region().map(ToString::to_string);
    let mut all = BTreeMap::new();
    for role in topology.queues.keys() {
        all.insert(role.clone(), queues(running, role).await);
    }
    let bucket = bucket(running, running.env.bucket()?).await;
    Ok(Deployed { region, bucket, queues: all, database: database(running).await })
}

/// What an error of AWS says of the thing that was asked for.
fn unseen<E>(error: &SdkError<E, HttpResponse>, action: &'static str) -> Unseen
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default();
    match code {
        "NoSuchBucket" | "NotFound" | "AWS.SimpleQueueService.NonExistentQueue" | "QueueDoesNotExist" => Unseen::Absent,
        "AccessDenied" | "AccessDeniedException" | "Forbidden" => Unseen::Denied(action),
        _ => Unseen::Failed(aws_error::words(error)),
    }
}

async fn bucket(running: &Running, name: &str) -> Bucket {
    let s3 = running.aws.s3();
    let listing = s3.list_objects_v2().bucket(name).max_keys(1).send().await;
    let region = s3.get_bucket_location().bucket(name).send().await;
    let notifications = s3.get_bucket_notification_configuration().bucket(name).send().await;
    Bucket {
        name: name.to_owned(),
        listing: listing.map(|_| ()).map_err(|error| unseen(&error, "s3:ListBucket")),
        region: region
            .map(|answer| region_of(answer.location_constraint.as_ref().map_or("", |region| region.as_str())))
            .map_err(|error| unseen(&error, "s3:GetBucketLocation")),
        notifications: notifications
            .map(|answer| answer.queue_configurations.unwrap_or_default().into_iter().map(notification).collect())
            .map_err(|error| unseen(&error, "s3:GetBucketNotification")),
    }
}

/// S3 names no region for its first one, and `EU` for the second.
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
    // S3 writes the names of the rules in capitals where it has been given them so.
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

async fn queues(running: &Running, role: &str) -> Queues {
    let url = running.env.queue_url(role).ok().map(str::to_owned);
    let dead_letter_url = dead_letters::url(&running.env, role).ok();
    Queues {
        queue: queue(running, url.as_deref()).await,
        dead_letters: queue(running, dead_letter_url.as_deref()).await,
        url,
        dead_letter_url,
    }
}

async fn queue(running: &Running, url: Option<&str>) -> Seen<Queue> {
    let Some(url) = url else { return Err(Unseen::Absent) };
    let request = running.aws.sqs().get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
    let answer = request.send().await.map_err(|error| unseen(&error, "sqs:GetQueueAttributes"))?;
    read(&answer.attributes.unwrap_or_default())
}

fn read(attributes: &HashMap<QueueAttributeName, String>) -> Seen<Queue> {
    let number = |name: QueueAttributeName| {
        let missing = || Unseen::Failed(format!("it says no {}", name.as_str()));
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

/// The count is a number or a text, as whoever set it wrote it.
fn redrive(policy: &serde_json::Value) -> Option<Redrive> {
    let count = &policy["maxReceiveCount"];
    let max_receive_count = count.as_u64().or_else(|| count.as_str()?.parse().ok())?;
    let target_arn = policy["deadLetterTargetArn"].as_str()?.to_owned();
    Some(Redrive { target_arn, max_receive_count: u32::try_from(max_receive_count).ok()? })
}

async fn database(running: &Running) -> Option<Result<Database, String>> {
    let url = running.env.optional("DATABASE_URL")?;
    let looked = async { look_into(&postgres::connect(url, 1).await?).await };
    Some(looked.await.map_err(|error: anyhow::Error| format!("{error:#}")))
}

const APPLIED: &str = "select version from _sqlx_migrations where success order by version";

/// The last hundred loads.
const WORK: &str = "select percentile_cont(0.5) within group (order by seconds) from (
    select extract(epoch from loaded_at - transformed_at)::float8 as seconds from objects
    where loaded_at is not null and transformed_at is not null order by loaded_at desc limit 100) recent";

async fn look_into(pool: &PgPool) -> anyhow::Result<Database> {
    let applied = sqlx::query_scalar(APPLIED).fetch_all(pool).await.context("read the schema's steps")?;
    let work_seconds = sqlx::query_scalar(WORK).fetch_one(pool).await.context("read how long loads take")?;
    Ok(Database { applied, known: postgres::schema_steps(), work_seconds })
}
