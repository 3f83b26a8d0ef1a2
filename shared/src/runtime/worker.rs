//! Receives messages as concurrency allows, processes them, and stops.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::ports::queue::{BATCH, Message, QueueError};
use crate::runtime::breaker::Outage;
use crate::runtime::health::{Health, Readiness};
use crate::runtime::layers::MessageService;
use crate::runtime::losses::Verdict;
use crate::runtime::measures;
use crate::runtime::protector::InFlight;
use crate::runtime::settlement::Settlement;

/// How long a receive waits until half of the permits are free, so that short work is received in batches. Long work
/// takes longer than this, so its permits are filled one by one; more than half are in use while it waits.
const GATHER: Duration = Duration::from_millis(100);

/// How long a message at its last chance is given back for when another one is in process.
const LAST_CHANCE_TAKEN: Duration = Duration::from_secs(2);

/// Receives as many messages as it has free permits, and processes each in its own task.
pub struct Worker {
    service: MessageService,
    settlement: Settlement,
    in_flight: InFlight,
    health: Health,
    permits: Arc<Semaphore>,
    /// Held while a message at its last chance is in process, so that nothing is received.
    exclusive: Arc<Semaphore>,
    tasks: TaskTracker,
    abandon: CancellationToken,
}

impl Worker {
    /// A worker with `permits` for its concurrency, all of them free.
    #[must_use]
    pub fn new(
        service: MessageService,
        settlement: Settlement,
        in_flight: InFlight,
        health: Health,
        permits: Arc<Semaphore>,
    ) -> Self {
        let exclusive = Arc::new(Semaphore::new(1));
        let tasks = TaskTracker::new();
        let abandon = CancellationToken::new();
        Self { service, settlement, in_flight, health, permits, exclusive, tasks, abandon }
    }

    /// Receives and processes messages until `stop` is cancelled, and then waits until all work in flight is settled or
    /// given back. That takes at most as long as the policy allows, plus `last_calls`.
    pub async fn run(self: &Arc<Self>, stop: &CancellationToken, last_calls: Duration) {
        let stopped = async {
            stop.cancelled().await;
            Instant::now()
        };
        let ((), stopped) = tokio::join!(self.receive_until(stop), stopped);
        self.health.report(self.settlement.stage, Readiness::Stopping);
        self.finish(stopped + self.settlement.policy.stop_within, last_calls).await;
    }

    async fn receive_until(self: &Arc<Self>, stop: &CancellationToken) {
        let mut failures = 0;
        let mut since = Instant::now();
        while let Some(permits) = self.free_permits(failures, stop).await {
            match self.receive(permits.num_permits(), stop).await {
                Ok(messages) => {
                    self.receives_again(failures).await;
                    failures = 0;
                    measures::received(self.settlement.stage, messages.len());
                    if messages.is_empty() && !stop.is_cancelled() {
                        self.settlement.received_nothing().await;
                    }
                    self.start(messages, permits, stop);
                }
                Err(error) => {
                    failures += 1;
                    self.settlement.receive_failed();
                    if failures == 1 {
                        since = Instant::now();
                    }
                    self.settlement.outage.report(&error.to_string(), since).await;
                    let wait = self.settlement.policy.outage.wait(failures);
                    tracing::warn!(stage = self.settlement.stage, "{error}; receiving again in {wait:.1?}");
                    let _ = timeout(wait, stop.cancelled()).await;
                }
            }
        }
    }

    /// Resolves the alert when the queue answers again, unless a dependency of the work is down.
    async fn receives_again(&self, failures: u32) {
        if failures > 0 && self.settlement.breaker.outage().is_none() {
            self.settlement.outage.resolve().await;
        }
    }

    /// Waits until messages may be received, and takes permits for them; `None` when the loop has to stop. Meanwhile it
    /// reports readiness from `failures`, the number of failed receives in a row, and from outages.
    async fn free_permits(&self, failures: u32, stop: &CancellationToken) -> Option<OwnedSemaphorePermit> {
        let mut outage = self.settlement.breaker.watch();
        loop {
            let seen = outage.borrow_and_update().clone();
            self.health.report(self.settlement.stage, readiness(failures, seen.as_ref()));
            tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                _ = outage.changed() => {}
                permits = self.permits_during(seen) => return permits,
            }
        }
    }

    async fn permits_during(&self, outage: Option<Outage>) -> Option<OwnedSemaphorePermit> {
        // Nothing is received while a message at its last chance is in process.
        drop(self.exclusive.acquire().await);
        match outage {
            None => self.permits_for_batch().await,
            Some(outage) => {
                sleep_until(outage.until).await;
                self.permit_for_probe().await
            }
        }
    }

    async fn permits_for_batch(&self) -> Option<OwnedSemaphorePermit> {
        let some = u32::try_from(BATCH.min(self.settlement.policy.concurrency / 2)).unwrap_or(1).max(1);
        let acquired = timeout(GATHER, Arc::clone(&self.permits).acquire_many_owned(some)).await;
        let mut permits = match acquired {
            Ok(permits) => permits.ok()?,
            Err(_) => Arc::clone(&self.permits).acquire_owned().await.ok()?,
        };
        let more = self.permits.available_permits().min(BATCH - permits.num_permits());
        if let Ok(more) = Arc::clone(&self.permits).try_acquire_many_owned(u32::try_from(more).ok()?) {
            permits.merge(more);
        }
        Some(permits)
    }

    /// One permit when all are free: after an outage, one message at a time is tried.
    async fn permit_for_probe(&self) -> Option<OwnedSemaphorePermit> {
        let all = u32::try_from(self.settlement.policy.concurrency).ok()?;
        Arc::clone(&self.permits).acquire_many_owned(all).await.ok()?.split(1)
    }

    /// Receives messages. A stop does not cancel the receive at once: messages that the queue is already sending would
    /// stay hidden until their lease ends, but can be given back when they arrive.
    async fn receive(&self, most: usize, stop: &CancellationToken) -> Result<Vec<Message>, QueueError> {
        let policy = &self.settlement.policy;
        let long_enough = async {
            stop.cancelled().await;
            tokio::time::sleep(policy.last_receive).await;
        };
        tokio::select! {
            biased;
            messages = self.settlement.queue.receive(most, policy.lease) => messages,
            () = long_enough => Ok(Vec::new()),
        }
    }

    fn start(self: &Arc<Self>, messages: Vec<Message>, mut permits: OwnedSemaphorePermit, stop: &CancellationToken) {
        for message in self.newest_deliveries(messages) {
            let worker = Arc::clone(self);
            let stop = stop.clone();
            let permit = permits.split(1);
            let in_flight = self.in_flight.enter();
            let (message, verdict) = self.settlement.assess(message);
            let exclusive = (verdict == Verdict::LastChance).then(|| Arc::clone(&self.exclusive).try_acquire_owned());
            self.tasks.spawn(async move {
                match (verdict, exclusive) {
                    (Verdict::Killer(lost), _) => worker.settlement.bury_killer(&message, lost).await,
                    (Verdict::Suspect, _) => worker.settlement.give_last_chance(&message).await,
                    (_, Some(Err(_))) => worker.settlement.give_back(&message, LAST_CHANCE_TAKEN).await,
                    (_, None | Some(Ok(_))) => worker.serve(message, &stop).await,
                }
                drop((permit, in_flight));
            });
        }
    }

    /// SQS may return a message twice in one response. Only the newest receipt can delete it.
    fn newest_deliveries(&self, messages: Vec<Message>) -> impl Iterator<Item = Message> + use<> {
        let mut newest: BTreeMap<String, Message> = BTreeMap::new();
        for message in messages {
            let known = newest.get(&message.id);
            if known.is_some() {
                self.settlement.account_for(&message);
            }
            if known.is_none_or(|known| known.receive_count <= message.receive_count) {
                newest.insert(message.id.clone(), message);
            }
        }
        newest.into_values()
    }

    async fn serve(&self, message: Message, stop: &CancellationToken) {
        if stop.is_cancelled() {
            return self.settlement.give_back(&message, Duration::ZERO).await;
        }
        let message = Arc::new(message);
        let outcome = tokio::select! {
            biased;
            outcome = self.service.clone().oneshot(Arc::clone(&message)) => Some(outcome),
            () = self.abandon.cancelled() => None,
        };
        match outcome {
            Some(outcome) => self.settlement.settle(&message, outcome).await,
            None => self.settlement.give_back(&message, Duration::ZERO).await,
        }
    }

    async fn finish(&self, until: Instant, last_calls: Duration) {
        self.tasks.close();
        if timeout_at(until, self.tasks.wait()).await.is_ok() {
            return;
        }
        let stage = self.settlement.stage;
        tracing::warn!(stage, "giving back {} unfinished messages", self.tasks.len());
        self.abandon.cancel();
        if timeout(last_calls, self.tasks.wait()).await.is_err() {
            tracing::warn!(
                stage,
                "{} messages were not given back in time: they are delivered again when their leases end",
                self.tasks.len()
            );
        }
    }
}

fn readiness(failures: u32, outage: Option<&Outage>) -> Readiness {
    match (failures, outage) {
        (0, None) => Readiness::Ready,
        (0, Some(outage)) => Readiness::Waiting(format!("a dependency is down: {}", outage.what)),
        _ => Readiness::Waiting("the queue does not answer".to_owned()),
    }
}
