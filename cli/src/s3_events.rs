//! Sends S3's event messages for existing objects, so that they are processed again.

use std::collections::BTreeMap;

use anyhow::Context;
use candlewick_shared::core::object_created::ObjectCreated;
use candlewick_shared::core::topology::Topology;
use candlewick_shared::ports::queue::{BATCH, NewMessage, Queue};
use candlewick_shared::ports::store::ObjectInfo;
use jiff::Timestamp;

use crate::place::Deployment;

/// Sends a message for each object to the queue that S3 notifies of its key. Returns the number of messages by the role
/// of the queue.
pub async fn send(deployment: &Deployment, objects: &[ObjectInfo]) -> anyhow::Result<BTreeMap<String, u64>> {
    let bucket = deployment.env.bucket()?;
    let mut sent = BTreeMap::new();
    for (role, objects) in by_role(objects.iter(), |object| &object.key)? {
        let queue = deployment.aws.queue(deployment.env.queue_url(role)?);
        for batch in objects.chunks(BATCH) {
            let messages: Vec<_> = batch.iter().map(|object| message(bucket, object, Timestamp::now())).collect();
            queue.send(&messages).await.with_context(|| format!("send {} messages to queue {role}", messages.len()))?;
            *sent.entry(role.to_owned()).or_default() += messages.len() as u64;
        }
    }
    Ok(sent)
}

/// Groups things about objects by the role of the queue that S3 notifies of their keys.
pub fn by_role<T>(
    things: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> &str,
) -> anyhow::Result<BTreeMap<&'static str, Vec<T>>> {
    let mut all: BTreeMap<&str, Vec<T>> = BTreeMap::new();
    for thing in things {
        let role = Topology::built_in().role_of_key(key(&thing));
        let role = role.with_context(|| format!("no queue is notified of {}", key(&thing)))?;
        all.entry(role).or_default().push(thing);
    }
    Ok(all)
}

fn message(bucket: &str, object: &ObjectInfo, time: Timestamp) -> NewMessage {
    let ObjectInfo { key, etag, size, .. } = object;
    NewMessage { body: ObjectCreated { bucket, key, etag, size: *size, time }.body(), ..NewMessage::default() }
}
