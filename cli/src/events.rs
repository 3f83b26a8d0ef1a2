//! Sends the messages by which S3 would tell of objects, so that they go the same way again.

use std::collections::BTreeMap;

use anyhow::Context;
use candlewick_shared::core::object_created::ObjectCreated;
use candlewick_shared::core::topology::Topology;
use candlewick_shared::ports::queue::{BATCH, NewMessage, Queue};
use candlewick_shared::ports::store::ObjectInfo;
use jiff::Timestamp;

use crate::place::Running;

/// Sends a message for each object to the queue that hears of its key, a batch at a time, and returns how many went to
/// which queue, by its role.
pub async fn send(running: &Running, objects: &[ObjectInfo]) -> anyhow::Result<BTreeMap<String, u64>> {
    let bucket = running.env.bucket()?;
    let mut sent = BTreeMap::new();
    for (role, objects) in by_role(objects)? {
        let queue = running.aws.queue(running.env.queue_url(role)?);
        for batch in objects.chunks(BATCH) {
            let messages: Vec<_> = batch.iter().map(|object| message(bucket, object, Timestamp::now())).collect();
            queue.send(&messages).await.with_context(|| format!("send {} messages to queue {role}", messages.len()))?;
            *sent.entry(role.to_owned()).or_default() += messages.len() as u64;
        }
    }
    Ok(sent)
}

fn by_role(objects: &[ObjectInfo]) -> anyhow::Result<BTreeMap<&'static str, Vec<&ObjectInfo>>> {
    let mut all: BTreeMap<&str, Vec<&ObjectInfo>> = BTreeMap::new();
    for object in objects {
        let role = Topology::built_in().role_of_key(&object.key);
        let role = role.with_context(|| format!("find the queue that hears of {}", object.key))?;
        all.entry(role).or_default().push(object);
    }
    Ok(all)
}

fn message(bucket: &str, object: &ObjectInfo, time: Timestamp) -> NewMessage {
    let ObjectInfo { key, etag, size, .. } = object;
    NewMessage { body: ObjectCreated { bucket, key, etag, size: *size, time }.body(), ..NewMessage::default() }
}
