//! The loop that serves every queue.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tower::{Layer, ServiceBuilder};

use crate::ports::notifier::Notifier;
use crate::ports::protection::Protection;
use crate::ports::queue::Queue;
use crate::runtime::deletions::Deletions;
use crate::runtime::health::Health;
use crate::runtime::layers::{self, MessageService};
use crate::runtime::policy::Policy;
use crate::runtime::protector::{self, InHand};
use crate::runtime::settlement::Settlement;
use crate::runtime::worker::Worker;

/// How long the last calls to the queue may take when everything else has stopped.
const LAST_CALLS: Duration = Duration::from_secs(4);

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
    /// What keeps this process from being ended while it has messages in hand, where somebody might.
    pub protection: Option<Arc<dyn Protection>>,
    /// How the work is gone about.
    pub policy: Policy,
}

impl Consumer {
    /// Serves the queue until `stop` is cancelled and the work in hand is settled or given back. While it receives, and
    /// nothing that it needs is down, it is ready.
    pub async fn run(self, handler: MessageService, stop: CancellationToken) {
        let (deletions, deleting) = Deletions::new(Arc::clone(&self.queue));
        let mut deleting = AbortOnDropHandle::new(tokio::spawn(deleting));
        let in_hand = InHand::default();
        let _protecting = self.protect(&in_hand);
        let slots = Arc::new(Semaphore::new(self.policy.concurrency));
        let (service, health) = (self.layered(handler, Arc::clone(&slots)), Health::of_this_service());
        let worker = Arc::new(Worker::new(service, self.settlement(deletions), in_hand, health, slots));
        worker.run(&stop, LAST_CALLS).await;
        drop(worker);
        if timeout(LAST_CALLS, &mut deleting).await.is_err() {
            tracing::warn!(stage = self.stage, "some settled messages were not deleted in time, and will come again");
        }
    }

    fn layered(&self, handler: MessageService, slots: Arc<Semaphore>) -> MessageService {
        let all = u32::try_from(self.policy.concurrency).unwrap_or(u32::MAX);
        ServiceBuilder::new()
            .layer(layers::span(self.stage))
            .layer(layers::measure(self.stage))
            .layer(layers::lease(Arc::clone(&self.queue), self.policy.lease))
            .layer(layers::alone(slots, all, self.policy.most_lost))
            .layer(layers::deadline(self.policy.deadline))
            .layer(layers::guard())
            .into_inner()
            .layer(handler)
    }

    fn settlement(&self, deletions: Deletions) -> Settlement {
        Settlement::new(
            self.stage,
            Arc::clone(&self.queue),
            Arc::clone(&self.dead_letters),
            Arc::clone(&self.notifier),
            deletions,
            self.policy,
        )
    }

    fn protect(&self, in_hand: &InHand) -> Option<AbortOnDropHandle<()>> {
        let protection = Arc::clone(self.protection.as_ref()?);
        Some(AbortOnDropHandle::new(tokio::spawn(protector::protect(protection, in_hand.watch()))))
    }
}
