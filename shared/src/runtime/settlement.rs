//! What becomes of a message when its work ended.

use std::sync::Arc;
use std::time::Duration;

use crate::ports::notifier::Notifier;
use crate::ports::queue::{Message, Queue};
use crate::runtime::attempts::Attempts;
use crate::runtime::backoff::Backoff;
use crate::runtime::breaker::Breaker;
use crate::runtime::consumer::Policy;
use crate::runtime::dead_letter::{alert, dead_letter};
use crate::runtime::deletions::Deletions;
use crate::runtime::measures;
use crate::runtime::outcome::{Failure, Outcome, Setback};

/// The longest that a message is hidden. SQS ends every lease twelve hours after the receipt, and refuses what would go
/// beyond.
const LONGEST_WAIT: Duration = Duration::from_secs(11 * 3600);

/// Deletes, buries or gives back what was in hand.
pub struct Settlement {
    /// What is done here, for logs and dead letters.
    pub stage: &'static str,
    /// Where the messages come from.
    pub queue: Arc<dyn Queue>,
    /// How the work is gone about.
    pub policy: Policy,
    /// Whether what the work needs is down.
    pub breaker: Breaker,
    dead_letters: Arc<dyn Queue>,
    notifier: Arc<dyn Notifier>,
    deletions: Deletions,
    failures: Attempts,
    outages: Attempts,
}

impl Settlement {
    /// Settles messages of one queue.
    #[must_use]
    pub fn new(
        stage: &'static str,
        queue: Arc<dyn Queue>,
        dead_letters: Arc<dyn Queue>,
        notifier: Arc<dyn Notifier>,
        deletions: Deletions,
        policy: Policy,
    ) -> Self {
        let (breaker, failures, outages) = (Breaker::new(policy.outage), Attempts::default(), Attempts::default());
        Self { stage, queue, policy, breaker, dead_letters, notifier, deletions, failures, outages }
    }

    /// Does what an outcome asks for.
    pub async fn settle(&self, message: &Message, outcome: Outcome) {
        match outcome {
            Ok(_) => {
                self.breaker.succeeded();
                self.delete(message).await;
            }
            // It says nothing about an outage: a message can be broken beyond any look at what is down.
            Err(Setback::Permanent(failure)) => self.bury(message, failure).await,
            Err(Setback::Retry(error)) => self.retry(message, &error).await,
            Err(Setback::Down(error)) => self.wait_for_what_is_down(message, &error).await,
            Err(Setback::Later { wait, reason }) => {
                tracing::info!(id = message.id, "{reason}; trying again in {wait:.0?}");
                self.give_back(message, wait).await;
            }
            Err(Setback::LeaseLost) => tracing::warn!(id = message.id, "the lease was lost; the work was given up"),
        }
    }

    async fn delete(&self, message: &Message) {
        self.failures.settled(&message.id);
        self.outages.settled(&message.id);
        self.deletions.add(message.receipt.clone()).await;
    }

    async fn retry(&self, message: &Message, error: &anyhow::Error) {
        let failures = self.failures.failed(&message.id);
        if failures >= self.policy.attempts {
            let words = format!("given up after {failures} failures: {error:#}");
            return self.bury(message, Failure::new("gave_up", words)).await;
        }
        let wait = self.policy.retry.wait(failures);
        tracing::warn!(id = message.id, attempt = message.receive_count, "{error:#}; trying again in {wait:.1?}");
        self.give_back(message, wait).await;
    }

    /// A message that meets an outage again and again stays away for longer each time: otherwise its probes alone would
    /// use up, in a long outage, the receives after which the queue itself gives it up. How often it was received before is
    /// not the measure: consumers that died with it were no outage, and it is not to wait for minutes because of them.
    async fn wait_for_what_is_down(&self, message: &Message, error: &anyhow::Error) {
        let wait = self.breaker.failed();
        tracing::warn!(id = message.id, "{error:#}; receiving again in {wait:.1?}");
        let own = Backoff { first: self.policy.outage.first, most: self.policy.retry.most };
        self.give_back(message, wait.max(own.wait(self.outages.failed(&message.id)))).await;
    }

    /// Moves a message to the dead-letter queue. It is deleted here only once it stands there and the owner was told: a
    /// crash between the steps buries it twice rather than in silence.
    async fn bury(&self, message: &Message, failure: Failure) {
        let letter = dead_letter(self.stage, message, &failure);
        if let Err(error) = self.dead_letters.send(&[letter]).await {
            tracing::warn!(id = message.id, "not moved to the dead-letter queue: {error}");
            return self.give_back(message, self.policy.retry.wait(self.outages.failed(&message.id))).await;
        }
        self.notifier.notify(alert(self.stage, message, &failure)).await;
        self.delete(message).await;
        measures::buried(self.stage, failure.class);
    }

    /// Ends the lease after a wait; where even that fails, it ends by itself.
    pub async fn give_back(&self, message: &Message, wait: Duration) {
        if let Err(error) = self.queue.extend(&message.receipt, wait.min(LONGEST_WAIT)).await {
            tracing::warn!(id = message.id, "not given back: {error}");
        }
    }
}
