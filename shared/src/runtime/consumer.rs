//! Serves a queue: wires the worker, its layers and its settlement.

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
use crate::runtime::protector::{self, InFlight};
use crate::runtime::settlement::Settlement;
use crate::runtime::worker::Worker;

/// How long the last calls to the queue may take after everything else has stopped.
const LAST_CALLS: Duration = Duration::from_secs(4);

/// Receives messages, passes them to a handler, and deletes those that are settled.
///
/// A message is deleted only when its work is durable, or after it was moved to the dead-letter queue with a reason.
pub struct Consumer {
    /// The name of the stage in logs and dead letters: `transform`.
    pub stage: &'static str,
    /// The queue to receive from.
    pub queue: Arc<dyn Queue>,
    /// The queue for messages that can never be settled.
    pub dead_letters: Arc<dyn Queue>,
    /// Sends the alerts about dead letters and outages.
    pub notifier: Arc<dyn Notifier>,
    /// Protects this process from being stopped while messages are in flight, if the platform can do that.
    pub protection: Option<Arc<dyn Protection>>,
    /// Concurrency, leases, retries and the stop.
    pub policy: Policy,
}

impl Consumer {
    /// Serves the queue until `stop` is cancelled and the work in flight is settled or given back. The health is ready
    /// while the consumer receives and no dependency of its work is down.
    pub async fn run(self, handler: MessageService, stop: CancellationToken) {
        let (deletions, deleting) = Deletions::new(Arc::clone(&self.queue));
        let mut deleting = AbortOnDropHandle::new(tokio::spawn(deleting));
        let in_flight = InFlight::default();
        let _protecting = self.protect(&in_flight);
        let permits = Arc::new(Semaphore::new(self.policy.concurrency));
        let service = self.layered(handler, Arc::clone(&permits));
        let health = Health::of_this_service();
        let worker = Arc::new(Worker::new(service, self.settlement(deletions), in_flight, health, permits));
        worker.run(&stop, LAST_CALLS).await;
        drop(worker);
        if timeout(LAST_CALLS, &mut deleting).await.is_err() {
            tracing::warn!(
                stage = self.stage,
                "some settled messages were not deleted in time, and will be delivered again"
            );
        }
    }

    fn layered(&self, handler: MessageService, permits: Arc<Semaphore>) -> MessageService {
        let all = u32::try_from(self.policy.concurrency).unwrap_or(u32::MAX);
        ServiceBuilder::new()
            .layer(layers::span(self.stage))
            .layer(layers::measure(self.stage))
            .layer(layers::lease(Arc::clone(&self.queue), self.policy.lease))
            .layer(layers::exclusive(permits, all, self.policy.most_lost))
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

    fn protect(&self, in_flight: &InFlight) -> Option<AbortOnDropHandle<()>> {
        let protection = Arc::clone(self.protection.as_ref()?);
        Some(AbortOnDropHandle::new(tokio::spawn(protector::protect(protection, in_flight.watch()))))
    }
}
