//! Slots, receiving, and the stop.

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
use crate::runtime::health::{Health, State};
use crate::runtime::layers::MessageService;
use crate::runtime::losses::Standing;
use crate::runtime::measures;
use crate::runtime::protector::InHand;
use crate::runtime::settlement::Settlement;

/// How long a receive waits for half of the slots to be free, so that small work is asked for many at a time; large work takes
/// longer than this, and its slots are filled one by one. While it waits, more than half are at work.
const GATHER: Duration = Duration::from_millis(100);

/// How long a message that is to be alone stays away when another one is in process.
const BESIDE_ANOTHER: Duration = Duration::from_secs(2);

/// Receives as many messages as it has free slots, and serves each in a task of its own.
pub struct Worker {
    service: MessageService,
    settlement: Settlement,
    in_hand: InHand,
    health: Health,
    slots: Arc<Semaphore>,
    /// Held while a message at its last chance is in process.
    alone: Arc<Semaphore>,
    tasks: TaskTracker,
    abandon: CancellationToken,
}

impl Worker {
    /// A worker with all its slots free.
    #[must_use]
    pub fn new(
        service: MessageService,
        settlement: Settlement,
        in_hand: InHand,
        health: Health,
        slots: Arc<Semaphore>,
    ) -> Self {
        let (tasks, abandon, alone) = (TaskTracker::new(), CancellationToken::new(), Arc::new(Semaphore::new(1)));
        Self { service, settlement, in_hand, health, slots, alone, tasks, abandon }
    }

    /// Receives and serves until `stop` is cancelled, and then until all work in hand is settled or given back; that, in
    /// turn, may take as long as the policy allows and `last_calls` more.
    pub async fn run(self: &Arc<Self>, stop: &CancellationToken, last_calls: Duration) {
        let stopped = async {
            stop.cancelled().await;
            Instant::now()
        };
        let ((), stopped) = tokio::join!(self.receive_until(stop), stopped);
        self.health.report(self.settlement.stage, State::Stopping);
        self.finish(stopped + self.settlement.policy.stop_within, last_calls).await;
    }

    async fn receive_until(self: &Arc<Self>, stop: &CancellationToken) {
        let (mut failures, mut since) = (0, Instant::now());
        while let Some(slots) = self.free_slots(failures, stop).await {
            match self.receive(slots.num_permits(), stop).await {
                Ok(messages) => {
                    self.receives_again(failures).await;
                    failures = 0;
                    measures::received(self.settlement.stage, messages.len());
                    self.begin(messages, slots, stop);
                }
                Err(error) => {
                    failures += 1;
                    self.settlement.receive_failed();
                    if failures == 1 {
                        since = Instant::now();
                        self.settlement.outage.begins();
                    }
                    self.settlement.outage.lasts(&error.to_string(), since).await;
                    let wait = self.settlement.policy.outage.wait(failures);
                    tracing::warn!(stage = self.settlement.stage, "{error}; receiving again in {wait:.1?}");
                    let _ = timeout(wait, stop.cancelled()).await;
                }
            }
        }
    }

    /// The queue answers. What the work needs may be down all the same.
    async fn receives_again(&self, failures: u32) {
        if failures > 0 && self.settlement.breaker.outage().is_none() {
            self.settlement.outage.is_over().await;
        }
    }

    /// Waits until something may be received, and takes the slots for it; none when the loop is to stop. Meanwhile it says
    /// whether work is taken, from how many receives in a row failed and from what is down.
    async fn free_slots(&self, failures: u32, stop: &CancellationToken) -> Option<OwnedSemaphorePermit> {
        let mut outage = self.settlement.breaker.watch();
        loop {
            let seen = outage.borrow_and_update().clone();
            self.health.report(self.settlement.stage, readiness(failures, seen.as_ref()));
            tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                _ = outage.changed() => {}
                slots = self.slots_during(seen) => return slots,
            }
        }
    }

    async fn slots_during(&self, outage: Option<Outage>) -> Option<OwnedSemaphorePermit> {
        // Nothing is received beside a message that is to be alone.
        drop(self.alone.acquire().await);
        match outage {
            None => self.slots_for_a_batch().await,
            Some(outage) => {
                sleep_until(outage.until).await;
                self.slot_for_a_probe().await
            }
        }
    }

    async fn slots_for_a_batch(&self) -> Option<OwnedSemaphorePermit> {
        let some = u32::try_from(BATCH.min(self.settlement.policy.slots / 2)).unwrap_or(1).max(1);
        let gathered = timeout(GATHER, Arc::clone(&self.slots).acquire_many_owned(some)).await;
        let mut slots = match gathered {
            Ok(slots) => slots.ok()?,
            Err(_) => Arc::clone(&self.slots).acquire_owned().await.ok()?,
        };
        let more = self.slots.available_permits().min(BATCH - slots.num_permits());
        if let Ok(more) = Arc::clone(&self.slots).try_acquire_many_owned(u32::try_from(more).ok()?) {
            slots.merge(more);
        }
        Some(slots)
    }

    /// One slot, when all are free: after an outage one message at a time is tried.
    async fn slot_for_a_probe(&self) -> Option<OwnedSemaphorePermit> {
        let all = u32::try_from(self.settlement.policy.slots).ok()?;
        Arc::clone(&self.slots).acquire_many_owned(all).await.ok()?.split(1)
    }

    /// Receives. A stop does not break it off at once: what the queue is sending by then would stay hidden until its lease
    /// ends, and rather arrives here to be given back.
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

    fn begin(self: &Arc<Self>, messages: Vec<Message>, mut slots: OwnedSemaphorePermit, stop: &CancellationToken) {
        for message in self.newest_of_each(messages) {
            let (worker, stop) = (Arc::clone(self), stop.clone());
            let (slot, held) = (slots.split(1), self.in_hand.enter());
            let (message, standing) = self.settlement.account(message);
            let alone = (standing == Standing::LastChance).then(|| Arc::clone(&self.alone).try_acquire_owned());
            self.tasks.spawn(async move {
                match (standing, alone) {
                    (Standing::Killer(lost), _) => worker.settlement.bury_killer(&message, lost).await,
                    (Standing::Suspect, _) => worker.settlement.give_last_chance(&message).await,
                    (_, Some(Err(_))) => worker.settlement.give_back(&message, BESIDE_ANOTHER).await,
                    (_, None | Some(Ok(_))) => worker.serve(message, &stop).await,
                }
                drop((slot, held));
            });
        }
    }

    /// SQS may send a message twice in one answer: only its newest receipt will delete it.
    fn newest_of_each(&self, messages: Vec<Message>) -> impl Iterator<Item = Message> + use<> {
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
        let (stage, left) = (self.settlement.stage, self.tasks.len());
        tracing::warn!(stage, "giving back {left} messages that are not done");
        self.abandon.cancel();
        if timeout(last_calls, self.tasks.wait()).await.is_err() {
            tracing::warn!(stage, "{} messages were not given back in time: their leases must end", self.tasks.len());
        }
    }
}

fn readiness(failures: u32, outage: Option<&Outage>) -> State {
    match (failures, outage) {
        (0, None) => State::Ready,
        (0, Some(outage)) => State::Waiting(format!("what its work needs is down: {}", outage.what)),
        _ => State::Waiting("the queue does not answer".to_owned()),
    }
}
