//! The loop that serves every queue.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{Layer, ServiceBuilder, ServiceExt};

use crate::ports::notifier::{Alert, Notifier};
use crate::ports::queue::{BATCH, Message, NewMessage, Queue, QueueError};
use crate::runtime::backoff::Backoff;
use crate::runtime::breaker::Breaker;
use crate::runtime::layers::{self, MessageService};
use crate::runtime::outcome::{Failure, Outcome, Setback};

/// How a consumer goes about its work.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How many messages it has in hand at once.
    pub slots: usize,
    /// How long a message is leased at receipt and at each extension.
    pub lease: Duration,
    /// The longest that one message's work may take.
    pub deadline: Duration,
    /// After how many deliveries a message whose work keeps failing is given up.
    pub attempts: u32,
    /// How long a message waits after its work failed.
    pub retry: Backoff,
    /// How long nothing is received after something was down, and after a receive that failed.
    pub outage: Backoff,
    /// How long work in hand may go on after a stop is asked for. ECS kills 30 s after its SIGTERM.
    pub stop_within: Duration,
}

impl Policy {
    /// What suits most services.
    #[must_use]
    pub fn new(slots: usize, lease: Duration) -> Self {
        Self {
            slots,
            lease,
            deadline: Duration::from_secs(900),
            attempts: 6,
            retry: Backoff { first: Duration::from_secs(2), most: Duration::from_secs(300) },
            outage: Backoff { first: Duration::from_millis(500), most: Duration::from_secs(30) },
            stop_within: Duration::from_secs(20),
        }
    }
}

/// Receives messages, has a handler settle them, and deletes those that are settled.
///
/// A message is deleted only when its work is durable, or when it stands in the dead-letter queue with a reason.
pub struct Consumer {
    /// The name of what is done here, for logs and dead letters: `transform`.
    pub stage: &'static str,
    /// Where messages come from.
    pub queue: Arc<dyn Queue>,
    /// Where messages go that can never be settled.
    pub dead_letters: Arc<dyn Queue>,
    /// Who hears of those.
    pub notifier: Arc<dyn Notifier>,
    /// How the work is gone about.
    pub policy: Policy,
}

impl Consumer {
    /// Serves the queue until `stop` is cancelled and the work in hand is settled or given back.
    pub async fn run(self, handler: MessageService, stop: CancellationToken) {
        let service = self.layered(handler);
        let worker = Arc::new(Worker {
            slots: Arc::new(Semaphore::new(self.policy.slots)),
            breaker: Breaker::new(self.policy.outage),
            abandon: CancellationToken::new(),
            service,
            consumer: self,
        });
        let tasks = TaskTracker::new();
        worker.receive_until(&stop, &tasks).await;
        worker.finish(&tasks).await;
    }

    fn layered(&self, handler: MessageService) -> MessageService {
        ServiceBuilder::new()
            .layer(layers::span(self.stage))
            .layer(layers::lease(Arc::clone(&self.queue), self.policy.lease))
            .layer(layers::deadline(self.policy.deadline))
            .layer(layers::guard())
            .into_inner()
            .layer(handler)
    }
}

struct Worker {
    consumer: Consumer,
    service: MessageService,
    slots: Arc<Semaphore>,
    breaker: Breaker,
    abandon: CancellationToken,
}

impl Worker {
    async fn receive_until(self: &Arc<Self>, stop: &CancellationToken, tasks: &TaskTracker) {
        let mut failures = 0;
        while let Some(permits) = self.free_slots(stop).await {
            match self.receive(permits.len(), stop).await {
                Ok(messages) => {
                    failures = 0;
                    self.begin(messages, permits, stop, tasks);
                }
                Err(error) => {
                    failures += 1;
                    let wait = self.consumer.policy.outage.wait(failures);
                    tracing::warn!(stage = self.consumer.stage, "{error}; receiving again in {wait:.1?}");
                    let _ = timeout(wait, stop.cancelled()).await;
                }
            }
        }
    }

    /// Waits until something may be received, and takes the slots for it; none when the loop is to stop.
    async fn free_slots(&self, stop: &CancellationToken) -> Option<Vec<OwnedSemaphorePermit>> {
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            permits = self.free_slots_in_time() => Some(permits),
        }
    }

    async fn free_slots_in_time(&self) -> Vec<OwnedSemaphorePermit> {
        loop {
            let Ok(first) = Arc::clone(&self.slots).acquire_owned().await else { return Vec::new() };
            let (from, allowed) = self.breaker.allowance(self.consumer.policy.slots);
            let in_hand = self.consumer.policy.slots - self.slots.available_permits() - 1;
            if Instant::now() < from {
                drop(first);
                sleep_until(from).await;
            } else if in_hand >= allowed {
                drop(first);
                tokio::time::sleep(Duration::from_millis(50)).await;
            } else {
                return self.more_slots(first, BATCH.min(allowed - in_hand));
            }
        }
    }

    fn more_slots(&self, first: OwnedSemaphorePermit, most: usize) -> Vec<OwnedSemaphorePermit> {
        let more = std::iter::repeat_with(|| Arc::clone(&self.slots).try_acquire_owned().ok());
        std::iter::once(first).chain(more.map_while(|permit| permit).take(most - 1)).collect()
    }

    /// Receives; a stop interrupts the wait for the first message. What SQS may have sent by then stays hidden until its
    /// lease ends, and comes again.
    async fn receive(&self, most: usize, stop: &CancellationToken) -> Result<Vec<Message>, QueueError> {
        tokio::select! {
            biased;
            messages = self.consumer.queue.receive(most, self.consumer.policy.lease) => messages,
            () = stop.cancelled() => Ok(Vec::new()),
        }
    }

    fn begin(
        self: &Arc<Self>,
        messages: Vec<Message>,
        permits: Vec<OwnedSemaphorePermit>,
        stop: &CancellationToken,
        tasks: &TaskTracker,
    ) {
        for (message, permit) in messages.into_iter().zip(permits) {
            let (worker, stop) = (Arc::clone(self), stop.clone());
            tasks.spawn(async move {
                worker.serve(message, &stop).await;
                drop(permit);
            });
        }
    }

    async fn serve(&self, message: Message, stop: &CancellationToken) {
        if stop.is_cancelled() {
            return self.give_back(&message, Duration::ZERO).await;
        }
        let message = Arc::new(message);
        let outcome = tokio::select! {
            outcome = self.service.clone().oneshot(Arc::clone(&message)) => Some(outcome),
            () = self.abandon.cancelled() => None,
        };
        match outcome {
            Some(outcome) => self.settle(&message, outcome).await,
            None => self.give_back(&message, Duration::ZERO).await,
        }
    }

    async fn settle(&self, message: &Message, outcome: Outcome) {
        match outcome {
            Ok(_) => self.done(message).await,
            Err(Setback::Permanent(failure)) => self.bury(message, failure).await,
            Err(Setback::Retry(error)) => self.retry(message, &error).await,
            Err(Setback::Down(error)) => {
                let wait = self.breaker.failed();
                tracing::warn!(id = message.id, "{error:#}; receiving again in {wait:.1?}");
                self.give_back(message, wait).await;
            }
            Err(Setback::Later { wait, reason }) => {
                tracing::info!(id = message.id, "{reason}; trying again in {wait:.0?}");
                self.give_back(message, wait).await;
            }
            Err(Setback::LeaseLost) => tracing::warn!(id = message.id, "the lease was lost; the work was given up"),
        }
    }

    async fn done(&self, message: &Message) {
        self.breaker.succeeded();
        self.delete(message).await;
    }

    /// A message that is not deleted comes again, and its handler finds the work done.
    async fn delete(&self, message: &Message) {
        if let Err(error) = self.consumer.queue.delete(std::slice::from_ref(&message.receipt)).await {
            tracing::warn!(id = message.id, "settled but not deleted: {error}");
        }
    }

    async fn retry(&self, message: &Message, error: &anyhow::Error) {
        let policy = &self.consumer.policy;
        if message.receive_count >= policy.attempts {
            let words = format!("given up after {} attempts: {error:#}", message.receive_count);
            return self.bury(message, Failure::new("gave_up", words)).await;
        }
        let wait = policy.retry.wait(message.receive_count);
        tracing::warn!(id = message.id, attempt = message.receive_count, "{error:#}; trying again in {wait:.1?}");
        self.give_back(message, wait).await;
    }

    /// Moves a message to the dead-letter queue. It is deleted here only once it stands there.
    async fn bury(&self, message: &Message, failure: Failure) {
        self.breaker.succeeded();
        let letter = dead_letter(self.consumer.stage, message, &failure);
        if let Err(error) = self.consumer.dead_letters.send(&[letter]).await {
            tracing::warn!(id = message.id, "not moved to the dead-letter queue: {error}");
            return self.give_back(message, self.consumer.policy.retry.first).await;
        }
        self.delete(message).await;
        let subject = format!("{} message {}", self.consumer.stage, message.id);
        let text = format!("{}: {}", failure.class, failure.message);
        self.consumer.notifier.notify(Alert { kind: "dead_letter", subject, text }).await;
    }

    /// Ends the lease; where even that fails, it ends by itself.
    async fn give_back(&self, message: &Message, wait: Duration) {
        if let Err(error) = self.consumer.queue.extend(&message.receipt, wait).await {
            tracing::warn!(id = message.id, "not given back: {error}");
        }
    }

    async fn finish(&self, tasks: &TaskTracker) {
        tasks.close();
        if timeout(self.consumer.policy.stop_within, tasks.wait()).await.is_err() {
            tracing::warn!(stage = self.consumer.stage, "giving back {} messages that are not done", tasks.len());
            self.abandon.cancel();
            tasks.wait().await;
        }
    }
}

/// The message as it was, with the reason beside it: whoever redrives it sends the very same body.
fn dead_letter(stage: &str, message: &Message, failure: &Failure) -> NewMessage {
    let reason = readable(&failure.message);
    let own = [
        ("class", failure.class.to_owned()),
        ("reason", reason),
        ("stage", stage.to_owned()),
        ("attempts", message.receive_count.to_string()),
        ("message-id", message.id.clone()),
        ("trace-id", failure.trace_id.clone().unwrap_or_default()),
    ];
    let own = own.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name.to_owned(), text));
    NewMessage { body: message.body.clone(), attributes: own.collect() }
}

/// What SQS takes as an attribute: no control characters, and not endless.
fn readable(text: &str) -> String {
    const MOST: usize = 2000;
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect()
}
