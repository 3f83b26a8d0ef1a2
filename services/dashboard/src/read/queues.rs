//! Reads the depths of the queues and the messages in the dead-letter queues.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::reads::dead_letters::{self, DeadLetter, LetterSummary};
use candlewick_shared::reads::queues::{self, QueueDepth};
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

/// The depth of a queue, and how long its messages have been waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WatchedQueue {
    #[serde(flatten)]
    pub depth: QueueDepth,
    /// An upper bound for how long the oldest message has been waiting, in seconds: the time since the queue was last
    /// seen empty. Null if it has not been empty since the dashboard started.
    pub oldest_at_most_seconds: Option<u64>,
}

/// A message that can never be processed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub struct ShownLetter {
    #[serde(flatten)]
    pub letter: LetterSummary,
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
    async fn depths(&self) -> Result<Vec<WatchedQueue>, Unreachable>;

    /// The messages in the dead-letter queues. They are received, but not deleted.
    async fn dead_letters(&self) -> Result<Vec<ShownLetter>, Unreachable>;
}

/// A result and when it was read.
type Seen<T> = Option<(Instant, Result<Vec<T>, Unreachable>)>;

/// A cached result, locked while it is being read.
type Memory<T> = tokio::sync::Mutex<Seen<T>>;

/// The SQS queues whose URLs the settings name.
pub struct SqsQueues {
    aws: Aws,
    env: Env,
    roles: Vec<&'static str>,
    last_empty: Mutex<BTreeMap<String, Instant>>,
    letters: Memory<ShownLetter>,
    depths: Memory<WatchedQueue>,
    /// When the depths were last requested.
    asked_at: Mutex<Option<Instant>>,
}

impl SqsQueues {
    /// The queues of the topology whose URLs are in the settings.
    pub fn new(aws: Aws, env: &Env) -> Self {
        let roles = queues::roles().filter(|role| env.queue_url(role).is_ok()).collect();
        let letters = Memory::default();
        let depths = Memory::default();
        let env = env.clone();
        Self { aws, env, roles, last_empty: Mutex::default(), letters, depths, asked_at: Mutex::default() }
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
            let _ = remembered(&self.depths, self.read_depths()).await;
            tokio::time::sleep(self.pause()).await;
        }
    }

    fn pause(&self) -> Duration {
        let asked_at = *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
        if asked_at.is_some_and(|asked_at| asked_at.elapsed() < IDLE) { SEEN_FOR } else { IDLE }
    }

    /// Without any queue, an empty result would look like a healthy pipeline.
    fn require_queues(&self) -> Result<(), Unreachable> {
        if self.roles.is_empty() {
            Err(Unreachable("RAW_QUEUE_URL and the others are not set".to_owned()))
        } else {
            Ok(())
        }
    }

    async fn read_depths(&self) -> Result<Vec<WatchedQueue>, Unreachable> {
        let mut all = Vec::new();
        for role in &self.roles {
            let depth = queues::depth(&self.aws, &self.env, role).await.map_err(|error| unreachable(&error))?;
            let oldest_at_most_seconds = self.oldest(role, depth.waiting == 0);
            all.push(WatchedQueue { depth, oldest_at_most_seconds });
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

    async fn read_letters(&self) -> Result<Vec<ShownLetter>, Unreachable> {
        let letters = dead_letters::browse(&self.aws, &self.env, self.roles.iter().copied(), MOST).await;
        Ok(letters.map_err(|error| unreachable(&error))?.iter().map(ShownLetter::from).collect())
    }
}

#[async_trait]
impl Queues for SqsQueues {
    async fn depths(&self) -> Result<Vec<WatchedQueue>, Unreachable> {
        self.require_queues()?;
        *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        remembered(&self.depths, self.read_depths()).await
    }

    async fn dead_letters(&self) -> Result<Vec<ShownLetter>, Unreachable> {
        self.require_queues()?;
        remembered(&self.letters, self.read_letters()).await
    }
}

/// A recently cached result, or a new one. Of several concurrent callers one reads and the others wait for its result.
async fn remembered<T: Clone>(
    seen: &Memory<T>,
    read: impl Future<Output = Result<Vec<T>, Unreachable>>,
) -> Result<Vec<T>, Unreachable> {
    let mut seen = seen.lock().await;
    match &*seen {
        Some((when, what)) if when.elapsed() < SEEN_FOR => what.clone(),
        _ => {
            let what = read.await;
            *seen = Some((Instant::now(), what.clone()));
            what
        }
    }
}

/// Logs the whole error chain; a page gets only the outermost message, shortened.
fn unreachable(error: &anyhow::Error) -> Unreachable {
    tracing::warn!("read the queues: {error:#}");
    Unreachable(error.to_string().chars().take(120).collect())
}

impl From<&DeadLetter> for ShownLetter {
    fn from(letter: &DeadLetter) -> Self {
        Self {
            letter: letter.summary(),
            body: letter.message.body.chars().take(MOST_OF_A_BODY).collect(),
            redrive: format!("candlewick dlq redrive --stage {}", letter.stage),
        }
    }
}
