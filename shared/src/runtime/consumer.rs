//! The loop that serves every queue.

use std::num::NonZeroUsize;
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
use crate::runtime::backoff::Backoff;
use crate::runtime::deletions::Deletions;
use crate::runtime::health::Health;
use crate::runtime::layers::{self, MessageService};
use crate::runtime::losses::MOST_LOST;
use crate::runtime::protector::{self, InHand};
use crate::runtime::settlement::Settlement;
use crate::runtime::worker::Worker;

/// How long the last calls to the queue may take when everything else has stopped.
const LAST_CALLS: Duration = Duration::from_secs(4);

/// How many messages are in hand at once where nobody says otherwise. Most of their time they wait for S3 and the database; with
/// fewer, hardly a receive would bring more than one message.
pub const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(5);

/// How a consumer goes about its work.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How many messages it has in hand at once; at least one.
    pub concurrency: usize,
    /// How long a message is leased at receipt and at each extension.
    pub lease: Duration,
    /// The longest that one message's work may take.
    pub deadline: Duration,
    /// After how many failures a message is given up. An outage, or work that came too early, is no failure.
    pub attempts: u32,
    /// How many consumers a message may cost before it is given up.
    pub most_lost: u32,
    /// How long a message waits after its work failed.
    pub retry: Backoff,
    /// How long nothing is received after something was down, and after a receive that failed.
    pub outage: Backoff,
    /// How long work in hand may go on after a stop is asked for. ECS kills 30 s after its SIGTERM.
    pub stop_within: Duration,
    /// How long a receive that is under way when a stop is asked for may still bring messages, which are given back. What
    /// comes later stays hidden until its lease ends.
    pub last_receive: Duration,
}

impl Policy {
    /// What suits most services.
    #[must_use]
    pub fn new(concurrency: usize, lease: Duration) -> Self {
        Self {
            concurrency: concurrency.max(1),
            lease,
            deadline: Duration::from_secs(900),
            attempts: 6,
            most_lost: MOST_LOST,
            retry: Backoff { first: Duration::from_secs(2), most: Duration::from_secs(300) },
            outage: Backoff { first: Duration::from_millis(500), most: Duration::from_secs(30) },
            stop_within: Duration::from_secs(20),
            last_receive: Duration::from_secs(1),
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
