//! Reads S3 events from messages and passes each object to a handler.

use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt, service_fn};

use crate::core::event::{self, EventKind, Notification, ObjectEvent};
use crate::core::leftover::is_leftover;
use crate::core::topology::Topology;
use crate::runtime::env::Env;
use crate::runtime::layers::{Delivery, MessageService};
use crate::runtime::measures;
use crate::runtime::memory::Memory;
use crate::runtime::outcome::{Failure, Outcome, Setback, Settled};

/// A service that settles one object event.
pub type ObjectService = BoxCloneSyncService<ObjectEvent, Settled, Setback>;

/// Which objects a service handles, and how many bytes of them at once.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The bucket of the objects.
    pub bucket: String,
    /// The prefix of their keys, for example `raw/`.
    pub prefix: String,
    /// How many bytes of objects may be in process at once. A larger object is processed alone.
    pub bytes_in_flight: u32,
}

impl Scope {
    /// The scope of a consumer: the bucket of `BUCKET`, the prefix that the topology has for it, and as many bytes at once as
    /// `BYTES_IN_FLIGHT` and `MEMORY_LIMIT` allow.
    ///
    /// # Errors
    ///
    /// Returns an error if the topology has no such consumer, or if a setting is missing or invalid.
    pub fn of_consumer(name: &str, env: &Env) -> anyhow::Result<Self> {
        let consumer = Topology::current().consumers.get(name);
        let consumer = consumer.with_context(|| format!("find consumer {name} in the topology"))?;
        let bytes_in_flight = Memory::from_env(env)?.bytes_in_flight(env)?;
        Ok(Self { bucket: env.bucket()?.to_owned(), prefix: consumer.of.clone(), bytes_in_flight })
    }
}

/// A service for messages that are S3 events, around a handler for objects.
///
/// A message is settled when all of its objects are. If several objects have setbacks, one that lets the message be
/// delivered again takes precedence: handlers are idempotent, so objects that are already done can be handled again.
pub fn objects<H>(scope: Scope, handler: H) -> MessageService
where
    H: Service<ObjectEvent, Response = Settled, Error = Setback> + Clone + Send + Sync + 'static,
    H::Future: Send + 'static,
{
    let budget = Arc::new(Semaphore::new(scope.bytes_in_flight as usize));
    let scope = Arc::new(scope);
    let handler = ObjectService::new(handler);
    MessageService::new(service_fn(move |delivery: Delivery| {
        let scope = Arc::clone(&scope);
        let budget = Arc::clone(&budget);
        let handler = handler.clone();
        async move {
            match event::parse(&delivery.body) {
                Ok(Notification::Test) => Ok(Settled::Unseen("S3 tested the notification".to_owned())),
                Ok(Notification::Objects(events)) => handle_all(&scope, &budget, &handler, events).await,
                Err(error) => Err(Failure::new("bad_message", error).into()),
            }
        }
    }))
}

async fn handle_all(scope: &Scope, budget: &Semaphore, handler: &ObjectService, events: Vec<ObjectEvent>) -> Outcome {
    let mut combined = Ok(Settled::Unseen("the message names no object".to_owned()));
    for event in events {
        combined = combine(combined, handle_one(scope, budget, handler, event).await);
    }
    combined
}

async fn handle_one(scope: &Scope, budget: &Semaphore, handler: &ObjectService, event: ObjectEvent) -> Outcome {
    if let Some(settled) = settled_unseen(scope, &event)? {
        return Ok(settled);
    }
    let bytes = u32::try_from(event.size.unwrap_or(0)).unwrap_or(u32::MAX).min(scope.bytes_in_flight);
    let _held = budget.acquire_many(bytes).await.map_err(anyhow::Error::from)?;
    let key = event.key.clone();
    let written = event.time;
    let outcome = handler.clone().oneshot(event).await;
    if let Ok(settled) = &outcome {
        tracing::info!(key, ?settled, "settled");
    }
    // Measured by the system clock, because the event's time is S3's; the clock setting does not apply.
    if let (Ok(Settled::Done), Some(written)) = (&outcome, written) {
        measures::hop_done(&scope.prefix, written, Timestamp::now());
    }
    outcome
}

/// Settles an event if that is possible without its object.
fn settled_unseen(scope: &Scope, event: &ObjectEvent) -> Result<Option<Settled>, Failure> {
    if event.bucket != scope.bucket || !event.key.starts_with(&scope.prefix) {
        let bucket = &event.bucket;
        let key = &event.key;
        let message = format!("{bucket}/{key} is not under {}/{}: fix the notification", scope.bucket, scope.prefix);
        return Err(Failure::new("foreign_object", message));
    }
    let skipped = |why: &str| Ok(Some(Settled::Unseen(why.to_owned())));
    match event.kind {
        EventKind::Removed => skipped("the object was removed"),
        EventKind::Created if is_leftover(&event.key) => {
            measures::leftover(&scope.prefix);
            tracing::info!(key = event.key, "settled: a tool left this object, and it is not a file of candles");
            skipped("a tool left it")
        }
        EventKind::Created => Ok(None),
    }
}

/// The combined outcome of two objects of one message. The dead letter names every broken object.
fn combine(one: Outcome, other: Outcome) -> Outcome {
    match (one, other) {
        (Err(Setback::Permanent(one)), Err(Setback::Permanent(other))) => {
            let message = format!("{}; {}: {}", one.message, other.class, other.message);
            Err(Failure { message, ..one }.into())
        }
        (one, other) => worse(one, other),
    }
}

/// The outcome that decides about the message: a setback that lets it be delivered again, then a permanent one, then
/// success.
fn worse(one: Outcome, other: Outcome) -> Outcome {
    let rank = |outcome: &Outcome| match outcome {
        Ok(Settled::Unseen(_)) => 0,
        Ok(Settled::Superseded(_)) => 1,
        Ok(Settled::Done) => 2,
        Err(Setback::Permanent(_)) => 3,
        Err(Setback::Later { .. }) => 4,
        Err(Setback::Retry(_)) => 5,
        Err(Setback::Unclear { .. }) => 6,
        Err(Setback::Down(_)) => 7,
        Err(Setback::LeaseLost { .. }) => 8,
    };
    if rank(&other) > rank(&one) { other } else { one }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;
    use crate::ports::queue::{Attributes, Message, Receipt};

    fn delivery(keys: &[&str]) -> Delivery {
        let record = |key: &&str| {
            let object = json!({"key": key, "size": 60});
            json!({"eventVersion": "2.1", "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": object}})
        };
        message(json!({"Records": keys.iter().map(record).collect::<Vec<_>>()}).to_string())
    }

    fn message(body: String) -> Delivery {
        Arc::new(Message {
            id: "1".into(),
            receipt: Receipt("1".into()),
            body,
            receive_count: 1,
            attributes: Attributes::new(),
        })
    }

    /// A service that records the keys that it is called with, and fails on those that end in `bad` or `later`.
    fn recording(seen: Arc<Mutex<Vec<String>>>) -> MessageService {
        let scope = Scope { bucket: "b".into(), prefix: "raw/".into(), bytes_in_flight: 100 };
        objects(
            scope,
            service_fn(move |event: ObjectEvent| {
                seen.lock().unwrap().push(event.key.clone());
                async move {
                    match &event.key {
                        key if key.ends_with("bad") => Err(Failure::new("bad", key).into()),
                        key if key.ends_with("later") => Err(Setback::Retry(anyhow::anyhow!("later"))),
                        _ => Ok(Settled::Done),
                    }
                }
            }),
        )
    }

    async fn outcome(keys: &[&str]) -> (String, Vec<String>) {
        outcome_of(delivery(keys)).await
    }

    async fn outcome_of(delivery: Delivery) -> (String, Vec<String>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let outcome = recording(Arc::clone(&seen)).oneshot(delivery).await;
        let seen = seen.lock().unwrap().clone();
        (format!("{outcome:?}"), seen)
    }

    #[tokio::test]
    async fn every_object_of_a_message_is_handled_even_after_one_that_failed() {
        let (outcome, seen) = outcome(&["raw/a", "raw/bad", "raw/c"]).await;
        assert_eq!(seen, ["raw/a", "raw/bad", "raw/c"]);
        assert!(outcome.contains("Permanent"), "{outcome}");
    }

    #[tokio::test]
    async fn of_several_broken_objects_every_reason_is_told() {
        let (outcome, _) = outcome(&["raw/1/bad", "raw/2/bad"]).await;
        assert!(outcome.contains("raw/1/bad") && outcome.contains("raw/2/bad"), "{outcome}");
    }

    #[tokio::test]
    async fn a_message_comes_again_if_any_of_its_objects_must() {
        assert!(outcome(&["raw/bad", "raw/later", "raw/c"]).await.0.contains("Retry"));
    }

    #[tokio::test]
    async fn the_test_event_is_settled_and_no_object_is_looked_at() {
        let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"});
        let (outcome, seen) = outcome_of(message(test.to_string())).await;
        assert!(outcome.contains("Unseen") && seen.is_empty(), "{outcome}");
    }

    #[tokio::test]
    async fn what_is_not_for_this_service_is_refused_or_passed_over_unseen() {
        let (refused, seen) = outcome(&["transformed/a"]).await;
        assert!(refused.contains("foreign_object") && seen.is_empty(), "{refused}");
        for key in ["raw/folder/", "raw/_SUCCESS", "raw/x/_temporary/0/y.csv", "raw/x_$folder$"] {
            let (passed, seen) = outcome(&[key]).await;
            assert!(passed.contains("Unseen") && seen.is_empty(), "{key}: {passed}");
        }
    }
}
